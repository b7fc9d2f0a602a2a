package dev.agentpipe.server.stream;

import dev.agentpipe.core.broadcast.CloseReason;
import dev.agentpipe.core.broadcast.Lane;
import dev.agentpipe.core.broadcast.Outlet;
import dev.agentpipe.core.broadcast.Subscription;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.server.http.Access;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.ObjLongConsumer;
import org.xnio.channels.StreamSinkChannel;

/**
 * A stream on its way to a reader. The head of the answer and the greeting go through Undertow; then the lane takes over,
 * and what it writes goes where the protocol wants it.
 *
 * <p>One I/O thread owns it; {@link #open} is called there.
 */
abstract class SseConnection implements Outlet {

    private final Lane lane;
    private final Subscription subscription;
    private final ObjLongConsumer<CloseReason> ended;
    private final BooleanSupplier mayStillRead;
    private boolean closed;

    /**
     * Where a stream begins, and for whom.
     *
     * @param after the position that the reader has
     */
    record Plan(EventFilter filter, int form, long after, Duration ageMax) {}

    SseConnection(HttpServerExchange exchange, Lane lane, Plan plan, ObjLongConsumer<CloseReason> ended) {
        this.lane = lane;
        this.ended = ended;
        BooleanSupplier given = exchange.getAttachment(Access.MAY_STILL_READ);
        this.mayStillRead = given == null ? () -> true : given;
        this.subscription = new Subscription(plan.filter, plan.form, this, plan.after, plan.ageMax);
    }

    /** @param ended told once, why, and how many events it was sent */
    static SseConnection of(HttpServerExchange exchange, Lane lane, Plan plan, ObjLongConsumer<CloseReason> ended) {
        return exchange.getConnection() instanceof HttpServerConnection http
                ? new Http1Stream(exchange, http, lane, plan, ended)
                : new Http2Stream(exchange, lane, plan, ended);
    }

    /** Writes head and greeting, then joins the lane. */
    abstract void open(HttpServerExchange exchange, byte[] greeting);

    final void greet(StreamSinkChannel channel, ByteBuffer greeting) {
        try {
            while (greeting.hasRemaining() && channel.write(greeting) > 0) {
                continue;
            }
            if (greeting.hasRemaining() || !channel.flush()) {
                channel.getWriteSetter().set(writable -> greet(writable, greeting));
                channel.resumeWrites();
                return;
            }
        } catch (IOException e) {
            close(CloseReason.GONE);
            return;
        }
        channel.suspendWrites();
        beforeLane();
        lane.attach(subscription);
        if (!mayStillRead()) { // since the request was let in: nobody could end it before it was attached
            lane.end(outlet -> outlet == this, CloseReason.FORBIDDEN);
        }
        if (!closed) {
            afterLane();
        }
    }

    /** The lane is about to write to it. */
    abstract void beforeLane();

    /** The lane knows it. */
    void afterLane() {}

    final boolean mayStillRead() {
        return mayStillRead.getAsBoolean();
    }

    /** The client has gone away. */
    final void gone() {
        if (!closed) {
            lane.gone(subscription);
        }
    }

    /** More can be written. */
    final void writable() {
        lane.writable(subscription);
    }

    final boolean isClosed() {
        return closed;
    }

    @Override
    public final void close(CloseReason reason) {
        closed = true;
        ended.accept(reason, subscription.events());
        end(reason);
    }

    /** Ends it on the wire. */
    abstract void end(CloseReason reason);
}
