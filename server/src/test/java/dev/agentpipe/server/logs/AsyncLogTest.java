package dev.agentpipe.server.logs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import dev.agentpipe.server.Await;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class AsyncLogTest {

    private static final Duration LONG = Duration.ofSeconds(20);

    private final LoggerContext context = new LoggerContext();
    private final Pipe pipe = new Pipe();
    private AsyncLog log;

    /** A pipe that is full until it is let go. */
    private static final class Pipe extends OutputStream {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final CountDownLatch begun = new CountDownLatch(1);
        private final Semaphore free = new Semaphore(0);
        private int writes;
        private boolean broken;

        @Override
        public void write(int one) {
            throw new AssertionError("byte by byte");
        }

        @Override
        public void write(byte[] some, int from, int length) throws IOException {
            if (length == 0) {
                return;
            }
            begun.countDown();
            free.acquireUninterruptibly();
            free.release();
            synchronized (this) {
                if (broken) {
                    throw new IOException("Broken pipe");
                }
                writes++;
                bytes.write(some, from, length);
            }
        }

        synchronized List<String> messages() {
            List<String> messages = new ArrayList<>();
            bytes.toString(StandardCharsets.UTF_8).lines().forEach(line -> {
                JsonNode json = JsonMapper.shared().readTree(line);
                messages.add(
                        json.get("level").asString() + " " + json.get("message").asString());
            });
            return messages;
        }
    }

    private Logger logger(int waitingMax) {
        context.setMDCAdapter(new LogbackMDCAdapter());
        log = new AsyncLog(JsonLines.encoder(context), pipe, waitingMax);
        log.setContext(context);
        log.start();
        Logger logger = context.getLogger("dev.agentpipe.server.Some");
        logger.addAppender(log);
        logger.setLevel(Level.DEBUG);
        return logger;
    }

    @AfterEach
    void stop() {
        pipe.free.release();
        context.stop();
    }

    @Test
    void fullPipe_keepsNobodyWaiting_andTellsWhatWasDropped() throws Exception {
        Logger logger = logger(10);
        long droppedBefore = Logs.dropped();
        logger.warn("first"); // at once, so the writer hangs with it alone
        assertTrue(pipe.begun.await(20, TimeUnit.SECONDS));

        IntStream.range(0, 100).forEach(i -> logger.info("info {}", i));
        logger.error("error");
        IntStream.range(0, 2 * AsyncLog.RESERVE).forEach(i -> logger.warn("warn {}", i));

        assertEquals(91 + AsyncLog.RESERVE + 1, Logs.dropped() - droppedBefore);
        pipe.free.release();
        log.flush(LONG);
        Await.until("told", () -> pipe.messages().stream().anyMatch(one -> one.contains("were dropped")));
        List<String> messages = pipe.messages();
        assertTrue(messages.remove(
                "WARN " + (91 + AsyncLog.RESERVE + 1) + " log lines were dropped: more came than could be written"));
        assertEquals("WARN first", messages.get(0));
        assertEquals("INFO info 8", messages.get(9));
        assertEquals("ERROR error", messages.get(10));
        assertEquals("WARN warn 0", messages.get(11));
        assertEquals(10 + AsyncLog.RESERVE, messages.size());
        assertTrue(pipe.writes < 10, pipe.writes + " writes");

        logger.info("again");
        log.flush(LONG);
        assertEquals("INFO again", pipe.messages().get(messages.size() + 1));
    }

    @Test
    void stop_writesWhatWaits_inItsOrder() {
        Logger logger = logger(AsyncLog.WAITING_MAX);
        pipe.free.release();
        IntStream.range(0, 5_000).forEach(i -> logger.info("{}", i));

        log.stop();

        assertEquals(IntStream.range(0, 5_000).mapToObj(i -> "INFO " + i).toList(), pipe.messages());
    }

    @Test
    void brokenPipe_endsNothing() {
        Logger logger = logger(10);
        pipe.free.release();
        pipe.broken = true;
        IntStream.range(0, 100).forEach(i -> {
            logger.info("lost");
            log.flush(LONG);
        });
        synchronized (pipe) {
            pipe.broken = false;
        }

        logger.info("found");
        log.flush(LONG);

        assertEquals(List.of("INFO found"), pipe.messages());
    }
}
