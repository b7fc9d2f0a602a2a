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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Many streams, read by the thread {@code bench-streams}.
 *
 * <p>A stream that ends or breaks is counted and not opened again: in a benchmark that is a failure. Thread-safe; what the
 * thread owns is asked for on it.
 */
public final class StreamLoad implements AutoCloseable {

    private static final int OPENING_MAX = 128;
    private static final int SELECT_MILLIS = 20;
    /** Beyond this many, the ports of one source address could run out. */
    private static final int STREAMS_PER_ADDRESS = 20_000;

    private final int port;
    private final Messages messages;
    private final StreamPlan plan;
    private final Selector selector;
    private final Thread thread = new Thread(this::run, "bench-streams");
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final CountDownLatch greetings;
    private volatile boolean closing;

    // Owned by the thread.
    private final List<Stream> streams = new ArrayList<>();
    private final byte[] bytes = new byte[256 << 10];
    private final ByteBuffer input = ByteBuffer.wrap(bytes);
    private final Listener listener = new Listener();
    private Deliveries deliveries = new Deliveries(Long.MAX_VALUE);
    private int opening;
    private int greeted;
    private int resets;
    private int broken;
    private String problem;
    private long now;
    private long eventsWanted = Long.MAX_VALUE;
    private int streamsThatHaveThem;

    private StreamLoad(int port, Messages messages, StreamPlan plan) throws IOException {
        this.port = port;
        this.messages = messages;
        this.plan = plan;
        this.greetings = new CountDownLatch(plan.count());
        this.selector = Selector.open();
        thread.setDaemon(true);
    }

    /** Begins to open streams of the server at this port of the loopback interface. */
    public static StreamLoad start(int port, Messages messages, StreamPlan plan) throws IOException {
        return start(port, messages, plan, Long.MAX_VALUE);
    }

    /** @param eventsWanted after how many events {@link #awaitEvents} has what it waits for in a stream */
    public static StreamLoad start(int port, Messages messages, StreamPlan plan, long eventsWanted) throws IOException {
        StreamLoad load = new StreamLoad(port, messages, plan);
        load.eventsWanted = eventsWanted;
        load.thread.start();
        return load;
    }

    /** Waits until each stream has had its first event. */
    public StreamLoad awaitGreetings(Duration patience) throws IOException, InterruptedException {
        if (!greetings.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
            String text =
                    ask(() -> greeted + " of " + plan.count() + " streams open, " + broken + " broken, " + problem);
            close();
            throw new IOException(text);
        }
        return this;
    }

    /** Waits until each stream has its events. */
    public boolean awaitEvents(Duration patience) throws InterruptedException {
        return await(patience, () -> ask(() -> streamsThatHaveThem) == plan.count());
    }

    /** Waits until so many deliveries are counted. */
    public boolean awaitDeliveries(Deliveries counted, long total, Duration patience) throws InterruptedException {
        return await(patience, () -> ask(counted::total) >= total);
    }

    private static boolean await(Duration patience, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            Thread.sleep(20);
        }
        return true;
    }

    /** From now on, what is sent from now on is counted. */
    public Deliveries count() {
        return ask(() -> deliveries = new Deliveries(System.nanoTime()));
    }

    /** Stops counting: what was counted belongs to the caller. */
    public void stopCounting() {
        ask(() -> deliveries = new Deliveries(Long.MAX_VALUE));
    }

    /** The id with which a stream began. */
    public String firstId() {
        return ask(() -> streams.get(0).firstId());
    }

    /** What is wrong with these streams: breaks, resets, repeats, disorder. Empty if nothing is. */
    public List<String> problems() {
        return ask(() -> {
            List<String> problems = new ArrayList<>();
            long disorders = streams.stream().mapToLong(Stream::disorders).sum();
            add(problems, broken, "streams broke (" + problem + ")");
            add(problems, resets, "streams were reset");
            add(problems, disorders, "events were repeated, out of order or not asked for");
            return problems;
        });
    }

    private static void add(List<String> problems, long count, String what) {
        if (count > 0) {
            problems.add(count + " " + what);
        }
    }

    private <T> T ask(Supplier<T> question) {
        FutureTask<T> task = new FutureTask<>(question::get);
        tasks.add(task);
        selector.wakeup();
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    @Override
    public void close() {
        closing = true;
        selector.wakeup();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!closing) {
                while (streams.size() < plan.count() && opening < OPENING_MAX) {
                    open(streams.size());
                }
                selector.select(this::ready, SELECT_MILLIS);
                for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
                    task.run();
                }
            }
        } catch (IOException | RuntimeException e) {
            fail("the load client failed: " + e);
        } finally {
            finish();
        }
    }

    /** Questions that are still asked get their answer. */
    private void finish() {
        for (SelectionKey key : selector.keys()) {
            close(key);
        }
        while (!closing) {
            for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
                task.run();
            }
            LockSupport.parkNanos(1_000_000);
        }
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
        try {
            selector.close();
        } catch (IOException e) {
            fail(e.toString());
        }
    }

    private void open(int index) throws IOException {
        Stream stream = new Stream(plan.conversation().apply(index), listener);
        streams.add(stream);
        opening++;
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        if (plan.count() > STREAMS_PER_ADDRESS) {
            channel.bind(new InetSocketAddress("127.0.0." + (1 + index / STREAMS_PER_ADDRESS), 0));
        }
        channel.connect(new InetSocketAddress("127.0.0.1", port));
        channel.register(selector, SelectionKey.OP_CONNECT, stream);
    }

    private void ready(SelectionKey key) {
        Stream stream = (Stream) key.attachment();
        SocketChannel channel = (SocketChannel) key.channel();
        try {
            if (key.isConnectable()) {
                channel.finishConnect();
                String request = request(port, messages, stream.conversation, plan.lastEventId());
                channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
                key.interestOps(SelectionKey.OP_READ);
                return;
            }
            input.clear().position(stream.begin(bytes));
            if (channel.read(input) < 0) {
                throw new EOFException("ended by the server");
            }
            now = System.nanoTime();
            stream.read(bytes, input.position());
            if (stream.hasEnded()) {
                throw new EOFException("ended by the server, in order");
            }
        } catch (IOException e) {
            fail(e.getMessage());
            close(key);
        }
    }

    private void fail(String message) {
        broken++;
        problem = message;
    }

    private static void close(SelectionKey key) {
        try {
            key.channel().close();
        } catch (IOException e) {
            key.cancel();
        }
    }

    /** @param lastEventId null: what comes from now on */
    static String request(int port, Messages messages, int conversation, String lastEventId) {
        String query = conversation < 0 ? "" : "?conversationId=" + messages.conversationId(conversation);
        String resume = lastEventId == null ? "" : "Last-Event-ID: " + lastEventId + "\r\n";
        return "GET /api/realtime/stream" + query + " HTTP/1.1\r\nHost: 127.0.0.1:" + port
                + "\r\nAccept: text/event-stream\r\n" + resume + "\r\n";
    }

    private final class Listener implements Stream.Listener {
        @Override
        public void greeted(Stream stream, boolean reset) {
            opening--;
            greeted++;
            resets += reset ? 1 : 0;
            greetings.countDown();
        }

        @Override
        public void event(Stream stream, byte[] payload, int from) {
            if (stream.events() == eventsWanted) {
                streamsThatHaveThem++;
            }
            deliveries.add(
                    Messages.number(payload, from), Messages.sentNanos(payload, from, from + Messages.LENGTH), now);
        }
    }
}
