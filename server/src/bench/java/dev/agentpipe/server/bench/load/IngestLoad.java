package dev.agentpipe.server.bench.load;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * Posts messages over connections that are kept, in one of two ways.
 *
 * <p>Closed: each connection waits for its answer and sends the next, all on one thread. It finds how much the server can
 * take, and its latencies are those of a server at its limit.
 *
 * <p>Open: a second thread sends when a request is due, and its latency counts from then on, also if no connection was free.
 * A load that waited for a slow answer before it sent the next would hide what the others would have suffered.
 *
 * <p>A load is run once, on the caller's thread; an interrupt ends it early, with what it has done until then. Event numbers are unique in this process.
 */
public final class IngestLoad {

    private static final AtomicLong NEXT_EVENT = new AtomicLong(1);
    private static final long ANSWER_NANOS_MAX = TimeUnit.SECONDS.toNanos(30);
    private static final long IDLE_POLL_NANOS = 20_000;
    private static final int SELECT_MILLIS = 200;

    private final IngestPlan plan;
    private final Messages messages;
    private final byte[] head;
    private final Selector selector;
    private final List<Connection> connections = new ArrayList<>();
    private final ArrayBlockingQueue<Connection> idle;
    private final byte[] input = new byte[64 << 10];
    private final ByteBuffer inputBuffer = ByteBuffer.wrap(input);
    private final Histogram latencies = new Histogram(TimeUnit.MINUTES.toNanos(2), 3);
    private final Map<Integer, Long> statuses = new TreeMap<>();
    private final long firstEvent;

    // Owned by the thread that sends: in a closed load the one that reads.
    private long sent;
    private volatile boolean sendingEnded;

    /** Told to end before its time. */
    private volatile boolean isStopped;

    /** Requests that were sent, and not answered yet. */
    private final AtomicLong underWay = new AtomicLong();

    // Owned by the thread that reads.
    private long acknowledged;
    private long failures;
    private long end;
    private long lastAnswer;

    private IngestLoad(int port, String key, Messages messages, IngestPlan plan) throws IOException {
        this.plan = plan;
        this.messages = messages;
        this.head = ("POST /api/ingest HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\nAuthorization: Bearer " + key
                        + "\r\nContent-Type: " + plan.body().contentType + "\r\nContent-Length: " + bodyLength()
                        + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        this.idle = new ArrayBlockingQueue<>(plan.connections());
        this.selector = Selector.open();
        // Numbers for all that it could possibly send, so that loads beside each other never share one.
        this.firstEvent = NEXT_EVENT.getAndAdd(1L << 24);
        try {
            for (int i = 0; i < plan.connections(); i++) {
                connections.add(new Connection(port, i));
            }
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    /** Runs a load against the server at this port of the loopback interface. */
    public static IngestResult run(int port, String key, Messages messages, IngestPlan plan)
            throws IOException, InterruptedException {
        IngestLoad load = new IngestLoad(port, key, messages, plan);
        try {
            return plan.perSecond() > 0 ? load.open() : load.closed();
        } finally {
            load.close();
        }
    }

    private int bodyLength() {
        int separators = plan.body().before.length()
                + plan.body().between.length() * (plan.eventsPerRequest() - 1)
                + plan.body().after.length();
        return plan.eventsPerRequest() * Messages.LENGTH + separators;
    }

    private IngestResult closed() throws IOException {
        long start = System.nanoTime();
        end = start + plan.duration().toNanos();
        for (Connection connection : connections) {
            if (mayStillSend(start)) {
                connection.send(System.nanoTime());
            }
        }
        sendingEnded = true; // each answer decides for itself
        readAnswers();
        return result(start);
    }

    private boolean mayStillSend(long now) {
        return !isStopped && now < end && (plan.requestsMax() == 0 || sent < plan.requestsMax());
    }

    private IngestResult open() throws IOException, InterruptedException {
        idle.addAll(connections);
        long start = System.nanoTime();
        end = start + plan.duration().toNanos();
        Thread sender = new Thread(() -> sendWhenDue(start), "bench-ingest-sender");
        sender.setDaemon(true);
        sender.start();
        readAnswers();
        sender.join();
        return result(start);
    }

    private void sendWhenDue(long start) {
        try {
            double interval = 1e9 / plan.perSecond();
            while (true) {
                long due = start + (long) (sent * interval);
                if (!mayStillSend(due)) {
                    return;
                }
                for (long wait = due - System.nanoTime(); wait > 0 && !isStopped; wait = due - System.nanoTime()) {
                    LockSupport.parkNanos(wait);
                }
                if (isStopped) {
                    return;
                }
                Connection free = idle.poll();
                while (free == null) {
                    LockSupport.parkNanos(IDLE_POLL_NANOS);
                    free = idle.poll();
                    if (System.nanoTime() - due > ANSWER_NANOS_MAX) {
                        return; // the reading thread counts what is missing
                    }
                }
                free.send(due);
            }
        } finally {
            sendingEnded = true;
            selector.wakeup();
        }
    }

    private void readAnswers() throws IOException {
        while (!sendingEnded || underWay.get() > 0) {
            selector.select(this::ready, SELECT_MILLIS);
            isStopped |= Thread.interrupted();
            if (System.nanoTime() - end > ANSWER_NANOS_MAX) {
                failures += underWay.get();
                return;
            }
        }
    }

    private void ready(SelectionKey key) {
        Connection connection = (Connection) key.attachment();
        try {
            if (key.isWritable()) {
                connection.sendRest(key);
            }
            if (key.isReadable() && connection.answered()) {
                answered(connection);
            }
        } catch (IOException broken) {
            key.cancel();
            failures++;
            if (connection.due != 0) {
                underWay.decrementAndGet();
            }
        }
    }

    private void answered(Connection connection) {
        lastAnswer = System.nanoTime();
        int status = connection.answer.status();
        statuses.merge(status, 1L, Long::sum);
        if (status == 201) {
            acknowledged++;
        } else if (status == 200) {
            acknowledged += connection.answer.accepted();
        }
        if (status / 100 == 2) {
            latencies.recordValue(Math.min(lastAnswer - connection.due, latencies.getHighestTrackableValue()));
        }
        connection.due = 0;
        underWay.decrementAndGet();
        if (plan.perSecond() > 0) {
            idle.add(connection);
        } else if (mayStillSend(lastAnswer)) {
            connection.send(lastAnswer);
        }
    }

    private IngestResult result(long start) {
        long events = sent * plan.eventsPerRequest();
        double seconds = (Math.max(lastAnswer, start + 1) - start) / 1e9;
        return new IngestResult(firstEvent, events, acknowledged, failures, statuses, seconds, latencies);
    }

    private void close() throws IOException {
        for (Connection connection : connections) {
            connection.channel.close();
        }
        selector.close();
    }

    /** One request at a time. Sent on one thread, read on another: {@code due} is handed over with the bytes. */
    private final class Connection {
        private final SocketChannel channel;
        private final Answer answer = new Answer();
        private final byte[] request = new byte[head.length + bodyLength()];
        private final ByteBuffer output = ByteBuffer.wrap(request);
        /** Of its first request; the next ones follow at a distance of all connections. */
        private int conversation;
        /** When the request that is under way was due; 0: none is. */
        private volatile long due;

        Connection(int port, int index) throws IOException {
            conversation = index % plan.conversations();
            channel = SocketChannel.open();
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.connect(new InetSocketAddress("127.0.0.1", port));
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ, this);
            System.arraycopy(head, 0, request, 0, head.length);
        }

        void send(long dueNanos) {
            due = dueNanos;
            int at = put(head.length, plan.body().before);
            for (int i = 0; i < plan.eventsPerRequest(); i++) {
                at = i == 0 ? at : put(at, plan.body().between);
                long number = firstEvent + sent * plan.eventsPerRequest() + i;
                messages.write(request, at, conversation, number, dueNanos);
                at += Messages.LENGTH;
            }
            put(at, plan.body().after);
            sent++;
            conversation = (conversation + plan.connections()) % plan.conversations();
            underWay.incrementAndGet();
            output.clear();
            try {
                channel.write(output);
            } catch (IOException broken) {
                return; // the reading side finds it broken, too, and counts it
            }
            if (output.hasRemaining()) {
                channel.keyFor(selector).interestOpsOr(SelectionKey.OP_WRITE);
                selector.wakeup();
            }
        }

        private int put(int at, String text) {
            for (int i = 0; i < text.length(); i++) {
                request[at + i] = (byte) text.charAt(i);
            }
            return at + text.length();
        }

        void sendRest(SelectionKey key) throws IOException {
            channel.write(output);
            if (!output.hasRemaining()) {
                key.interestOps(SelectionKey.OP_READ);
            }
        }

        boolean answered() throws IOException {
            inputBuffer.clear();
            int length = channel.read(inputBuffer);
            if (length < 0) {
                throw new EOFException("closed by the server");
            }
            return length > 0 && answer.complete(input, length);
        }
    }
}
