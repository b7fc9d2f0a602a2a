package dev.agentpipe.server.logs;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import ch.qos.logback.core.encoder.Encoder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import net.logstash.logback.encoder.StreamingEncoder;

/**
 * Writes lines on a thread of its own, so that nobody who logs waits for a pipe that is full or for a slow disk. Lines wait in
 * a queue; when it is full, what is below warn is dropped and counted, and a line tells how many they were. Warnings, errors
 * and the audit have places in reserve, and are dropped when those are taken as well: to wait would stop the server.
 *
 * <p>Logging costs what it costs to put an event into the queue. The writer sleeps while there is nothing to write; the first
 * line wakes it, and it waits for {@link #LINGER} for those that come with it: an {@code unpark} and a {@code write} are the
 * dear parts, so a hundred lines share one of each. A warning does not linger.
 *
 * <p>Thread-safe.
 */
public final class AsyncLog extends UnsynchronizedAppenderBase<ILoggingEvent> {

    /** A line and its event take some 1 to 2 kB. */
    static final int WAITING_MAX = 8_192;

    /** Places that only warnings, errors and the audit may take. */
    static final int RESERVE = 1_024;

    /** What a line may be late by. */
    private static final Duration LINGER = Duration.ofMillis(10);

    /** More are not written at once; and more are not kept of a buffer that held a long line. */
    private static final int BATCH_BYTES = 64 << 10;

    /** At most so often it is told how many lines were dropped. */
    private static final Duration TELL = Duration.ofSeconds(1);

    private static final Duration END = Duration.ofMillis(500);

    private final Encoder<ILoggingEvent> encoder;
    private final OutputStream out;
    private final boolean isJson;
    private final int waitingMax;
    private final Thread writer;

    private final Queue<ILoggingEvent> queue = new ConcurrentLinkedQueue<>();
    private final AtomicLong taken = new AtomicLong();
    private final LongAdder dropped = new LongAdder();
    private volatile boolean asleep;
    private volatile boolean urgent;
    private volatile boolean ending;

    /** Of the lines that were taken, those that are out. Written by the writer alone. */
    private volatile long done;

    // Owned by the writer.
    private final Buffer buffer = new Buffer();
    private long toldDropped;
    private long toldNanos = System.nanoTime() - TELL.toNanos();

    /** @param out not closed by it, nor flushed: it has no buffer */
    public AsyncLog(Encoder<ILoggingEvent> encoder, OutputStream out) {
        this(encoder, out, WAITING_MAX);
    }

    AsyncLog(Encoder<ILoggingEvent> encoder, OutputStream out, int waitingMax) {
        this.encoder = encoder;
        this.out = out;
        this.isJson = encoder instanceof StreamingEncoder;
        this.waitingMax = waitingMax;
        this.writer = new Thread(this::run, "log");
        writer.setDaemon(true);
    }

    private static final class Buffer extends ByteArrayOutputStream {
        Buffer() {
            super(2 * BATCH_BYTES);
        }

        void cutTo(int size) {
            count = size;
        }
    }

    @Override
    public void start() {
        super.start();
        writer.start();
    }

    @Override
    protected void append(ILoggingEvent event) {
        LogFields fields = fields(event);
        boolean isKept = event.getLevel().isGreaterOrEqual(Level.WARN) || fields != null && fields.isKept();
        if (taken.get() - done >= (isKept ? waitingMax + RESERVE : waitingMax)) {
            drop();
            return;
        }
        if (fields == null || !isJson) {
            event.prepareForDeferredProcessing();
        } else {
            event.getThreadName(); // all else of it stays the same, or is among its fields
        }
        taken.incrementAndGet();
        queue.add(event);
        if (isKept) {
            urgent = true;
            LockSupport.unpark(writer);
        } else if (asleep) {
            asleep = false;
            LockSupport.unpark(writer);
        }
    }

    private void drop() {
        dropped.increment();
        Logs.DROPPED.increment();
    }

    /** Its argument, if that says everything; else null. */
    static LogFields fields(ILoggingEvent event) {
        Object[] arguments = event.getArgumentArray();
        return arguments != null && arguments.length == 1 && arguments[0] instanceof LogFields fields ? fields : null;
    }

    private void run() {
        while (!ending || !queue.isEmpty()) {
            sleep();
            if (!urgent && !ending) {
                LockSupport.parkNanos(this, LINGER.toNanos());
            }
            urgent = false;
            drain();
            tellDropped();
        }
    }

    private void sleep() {
        asleep = true;
        while (asleep && !ending && queue.isEmpty()) { // those who add look at it after they have added
            LockSupport.park(this);
        }
        asleep = false;
    }

    private void drain() {
        long count = 0;
        for (ILoggingEvent event = queue.poll(); event != null; event = queue.poll()) {
            encode(event);
            count++;
            if (buffer.size() >= BATCH_BYTES) {
                write();
                done += count;
                count = 0;
            }
        }
        write();
        done += count;
    }

    private void encode(ILoggingEvent event) {
        int before = buffer.size();
        try {
            if (encoder instanceof StreamingEncoder) {
                @SuppressWarnings("unchecked")
                StreamingEncoder<ILoggingEvent> streaming = (StreamingEncoder<ILoggingEvent>) encoder;
                streaming.encode(event, buffer);
            } else {
                buffer.write(encoder.encode(event));
            }
        } catch (IOException | RuntimeException e) {
            buffer.cutTo(before);
            drop();
            addError("a line of " + event.getLoggerName() + " could not be written", e);
        }
    }

    private void write() {
        try {
            buffer.writeTo(out);
        } catch (IOException e) {
            addError("lines could not be written", e); // nobody reads: a closed pipe, a full disk
        }
        buffer.reset();
    }

    private void tellDropped() {
        long now = dropped.sum();
        if (now > toldDropped && (ending || System.nanoTime() - toldNanos >= TELL.toNanos())) {
            Logger logger = ((LoggerContext) getContext()).getLogger(AsyncLog.class);
            encode(new LoggingEvent(
                    AsyncLog.class.getName(),
                    logger,
                    Level.WARN,
                    "{} log lines were dropped: more came than could be written",
                    null,
                    new Object[] {now - toldDropped}));
            write();
            toldDropped = now;
            toldNanos = System.nanoTime();
        }
    }

    /** Waits until all that was logged before is written, but not for longer. */
    public void flush(Duration patience) {
        long target = taken.get();
        long deadline = System.nanoTime() + patience.toNanos();
        while (done < target && writer.isAlive() && System.nanoTime() - deadline < 0) {
            urgent = true;
            LockSupport.unpark(writer);
            LockSupport.parkNanos(this, 1_000_000);
        }
    }

    /** Writes what there is, unless it takes too long. */
    @Override
    public void stop() {
        if (!isStarted()) {
            return;
        }
        super.stop();
        ending = true;
        LockSupport.unpark(writer);
        try {
            writer.join(END.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
