package dev.agentpipe.server.faults;

import dev.agentpipe.server.RawStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;
import java.util.regex.Pattern;

/**
 * A reader of a stream that keeps the positions it was given, and comes back with its last id whenever the connection ends,
 * as a browser does. A position that does not grow, or a reset, is a failure that {@link #received} throws.
 */
final class RecordingReader implements AutoCloseable {

    private static final Pattern FAREWELL = Pattern.compile("retry: \\d+\n\n");
    private static final long PAUSE_NANOS = 20_000_000;

    private final String name;
    private final IntSupplier port;
    private final String path;
    private final Thread thread;

    // Guarded by this.
    private final List<Long> positions = new ArrayList<>();
    private String lastId;
    private int connections;
    private int heartbeats;
    private int farewells;
    private String failure;
    private RawStream stream;
    private boolean closed;

    /**
     * @param port where to connect, asked each time
     * @param query of the stream, or empty
     * @param lastId where to begin; null: with what comes next
     */
    RecordingReader(String name, IntSupplier port, String query, String lastId) {
        this.name = name;
        this.port = port;
        this.path = "/api/realtime/stream" + query;
        this.lastId = lastId;
        this.thread = new Thread(this::run, "reader-" + name);
        thread.setDaemon(true);
        thread.start();
    }

    /** Returns when the stream is open. */
    RecordingReader connected() {
        Await.until("open: " + this, Duration.ofSeconds(20), () -> connections() > 0);
        return this;
    }

    private void run() {
        while (!isClosed()) {
            try (RawStream opened = open()) {
                if (begin(opened)) {
                    read(opened);
                }
            } catch (IOException cut) {
                // It comes back below.
            } catch (RuntimeException | Error e) {
                fail(e.toString());
                return;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private RawStream open() throws IOException {
        String id = lastId();
        return id == null
                ? RawStream.open(port.getAsInt(), "HTTP/1.1", path, "Accept", "text/event-stream")
                : RawStream.open(port.getAsInt(), "HTTP/1.1", path, "Accept", "text/event-stream", "Last-Event-ID", id);
    }

    private synchronized boolean begin(RawStream opened) {
        stream = opened;
        return !closed && opened.status() == 200;
    }

    private void read(RawStream opened) throws IOException {
        String last = "";
        for (String block = opened.block(); block != null; block = opened.block()) {
            take(block);
            last = block;
        }
        if (FAREWELL.matcher(last).matches()) {
            synchronized (this) {
                farewells++;
            }
        }
    }

    private synchronized void take(String block) {
        String event = RawStream.field(block, "event");
        if ("overloaded".equals(event)) {
            return; // a server that is stopping, or has no database: it comes back
        }
        if (event != null) {
            throw new IllegalStateException(block);
        }
        String data = RawStream.data(block);
        if (data == null) {
            heartbeats++;
        } else if (data.startsWith("{\"type\":\"connected\"")) {
            connections++;
        } else {
            positions.add(RawStream.position(block));
        }
        String id = RawStream.id(block);
        if (id != null) {
            checkOrder(block, id);
            lastId = id;
        }
    }

    /** An id repeats what was seen only where nothing was delivered with it. */
    private void checkOrder(String block, String id) {
        boolean event = RawStream.data(block) != null && !block.startsWith("retry: ");
        boolean grows = lastId == null || position(id) > position(lastId);
        if (!grows && (event || !id.equals(lastId))) {
            throw new IllegalStateException("after " + lastId + " came " + block);
        }
    }

    private static long position(String id) {
        return Long.parseLong(id.substring(id.lastIndexOf('-') + 1));
    }

    private synchronized void fail(String what) {
        failure = what;
    }

    /** Cuts the connection; the reader comes back with its last id. */
    void cut() {
        RawStream current;
        synchronized (this) {
            current = stream;
        }
        if (current != null) {
            try {
                current.close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    synchronized String lastId() {
        return lastId;
    }

    /** How often a stream began. */
    synchronized int connections() {
        return connections;
    }

    synchronized int heartbeats() {
        return heartbeats;
    }

    /** How often a stream was ended by the server in order: with when to come back, and the last chunk. */
    synchronized int farewells() {
        return farewells;
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    /** The positions so far, in the order of their coming. */
    synchronized List<Long> received() {
        if (failure != null) {
            throw new AssertionError("reader " + name + ": " + failure);
        }
        return List.copyOf(positions);
    }

    synchronized int count() {
        return positions.size();
    }

    private synchronized boolean hasFailed() {
        return failure != null;
    }

    /** What it received, once that is at least so many. */
    List<Long> awaitCount(int count, Duration patience) {
        Await.until(() -> count + " events, so far: " + this, patience, () -> hasFailed() || count() >= count);
        return received();
    }

    @Override
    public synchronized String toString() {
        return name + " has " + positions.size() + " events, last id " + lastId + ", " + connections + " connections"
                + (failure == null ? "" : ", failed: " + failure);
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        cut();
        try {
            thread.join(5_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
