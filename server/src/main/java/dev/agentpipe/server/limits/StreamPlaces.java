package dev.agentpipe.server.limits;

import dev.agentpipe.server.http.Problem;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.undertow.util.AttachmentKey;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** How many streams each address has open on this node. Thread-safe. */
final class StreamPlaces {

    private static final AttachmentKey<OnConnection> ON_CONNECTION = AttachmentKey.create(OnConnection.class);

    private final int max;
    private final Limits.StreamRefusal refusal;
    private final LimitCounts counts;
    private final Refusals refusals;

    /** As many entries as there are addresses with a stream. */
    private final Map<String, Integer> open = new ConcurrentHashMap<>();

    StreamPlaces(int max, Limits.StreamRefusal refusal, LimitCounts counts, Refusals refusals) {
        this.max = max;
        this.refusal = refusal;
        this.counts = counts;
        this.refusals = refusals;
    }

    /** Answers, and returns false, if the address has as many as it may. */
    boolean enter(HttpServerExchange exchange, Subject subject) {
        String address = subject.tally();
        if (!take(address)) {
            counts.refusedStreams.increment();
            refusals.count("streams", subject);
            refusal.answer(exchange, Problem.RATE_LIMITED);
            return false;
        }
        if (exchange.getConnection() instanceof HttpServerConnection connection) {
            OnConnection places = OnConnection.of(connection, this);
            places.enter(address);
            leaveAtEnd(exchange, () -> places.leave(address));
        } else {
            leaveAtEnd(exchange, () -> free(address, 1));
        }
        return true;
    }

    private static void leaveAtEnd(HttpServerExchange exchange, Runnable leave) {
        exchange.addExchangeCompleteListener((completed, others) -> {
            leave.run();
            others.proceed();
        });
    }

    private boolean take(String address) {
        boolean[] isTaken = {false};
        open.compute(address, (same, count) -> {
            isTaken[0] = count == null || count < max;
            return isTaken[0] ? (count == null ? 1 : count + 1) : count;
        });
        return isTaken[0];
    }

    private void free(String address, int places) {
        open.compute(address, (same, count) -> count == null || count <= places ? null : count - places);
    }

    /** Addresses with a stream. */
    int addresses() {
        return open.size();
    }

    /**
     * The streams of a connection of HTTP/1.1, one after the other. One that was refused, or a HEAD, ends as an exchange, and the
     * connection lives on; one that was begun ends with the connection alone. Guarded by itself.
     */
    private static final class OnConnection {
        private final StreamPlaces all;
        private final Map<String, Integer> addresses = new HashMap<>();
        private boolean isClosed;

        OnConnection(StreamPlaces all) {
            this.all = all;
        }

        static OnConnection of(HttpServerConnection connection, StreamPlaces all) {
            OnConnection places = connection.getAttachment(ON_CONNECTION);
            if (places == null) {
                OnConnection made = new OnConnection(all);
                connection.putAttachment(ON_CONNECTION, made);
                connection.addCloseListener(closed -> made.close());
                places = made;
            }
            return places;
        }

        synchronized void enter(String address) {
            if (isClosed) {
                all.free(address, 1);
            } else {
                addresses.merge(address, 1, Integer::sum);
            }
        }

        synchronized void leave(String address) {
            if (!isClosed) {
                addresses.computeIfPresent(address, (same, count) -> count == 1 ? null : count - 1);
                all.free(address, 1);
            }
        }

        synchronized void close() {
            isClosed = true;
            addresses.forEach(all::free);
            addresses.clear();
        }
    }
}
