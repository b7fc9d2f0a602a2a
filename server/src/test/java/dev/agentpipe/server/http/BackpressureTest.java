package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.spi.ILoggingEvent;
import dev.agentpipe.core.log.GroupCommit;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.RawHttp.Answer;
import dev.agentpipe.server.TestServer;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What ingest answers when it cannot take more, or when something breaks, and that it then holds on to nothing. */
final class BackpressureTest {

    private IngestOnly server = new IngestOnly();

    @AfterEach
    void close() {
        server.close();
    }

    private static String message(String id, String content, String... headers) {
        return RawHttp.post(TestServer.messageBody("c", id, content), headers);
    }

    private Answer send(String id) throws IOException {
        return RawHttp.ask(server.port(), message(id, "x"));
    }

    private static void assertRetried(Answer answer, String code) {
        assertEquals(503, answer.status());
        assertEquals("application/problem+json; charset=utf-8", answer.header("Content-Type"));
        assertEquals(code, answer.json().get("code").stringValue());
        assertEquals(
                answer.header("X-Request-Id"), answer.json().get("requestId").stringValue());
        int seconds = Integer.parseInt(answer.header("Retry-After"));
        assertTrue(seconds >= 1 && seconds <= 5, answer::toString);
    }

    private void awaitNothingHeld() {
        Await.until(() -> server.ingest.bodyBytes() + " bytes are held", () -> server.ingest.bodyBytes() == 0);
    }

    @Test
    void queue_full_refusesAtOnceAndLosesNothingOfWhatItTook() throws Exception {
        server.log.hang();
        List<RawHttp> taken = new ArrayList<>();
        for (int i = 0; i < 3; i++) { // one is being written, two fit into the queue
            taken.add(RawHttp.open(server.port()).write(message("taken-" + i, "x")));
            int queued = i;
            Await.until("queued " + i, () -> server.groupCommit.queuedEvents() == queued);
            if (i == 0) {
                server.log.begun.acquire();
            }
        }

        assertRetried(send("refused"), "queue_full");
        assertTrue(server.ingest.bodyBytes() > 0, "what waits for the log counts");

        server.log.release();
        for (RawHttp http : taken) {
            assertEquals(201, http.read().status());
            http.close();
        }
        assertEquals(201, send("refused").status());
        awaitNothingHeld();
    }

    @Test
    void log_away_isToldAtOnceUntilItIsBack() throws IOException {
        try (CapturedLog lines = new CapturedLog(GroupCommit.class.getName())) {
            server.log.away(true);
            assertRetried(send("first"), "database_unavailable");
            assertRetried(send("second"), "database_unavailable");

            server.log.away(false);
            Await.until("available", server.groupCommit::available);
            assertEquals(201, send("first").status());
            assertEquals(2, lines.events().size(), "away, and back");
        }
        awaitNothingHeld();
    }

    @Test
    void events_thatAreNotStored_doNotCountForALimit() throws IOException {
        AtomicInteger counted = new AtomicInteger();
        server.close();
        server = new IngestOnly((exchange, events, append) -> {
            counted.addAndGet(events.size());
            append.accept(() -> counted.addAndGet(-events.size()));
        });
        assertEquals(201, send("stored").status());
        server.log.away(true);
        assertRetried(send("refused"), "database_unavailable");
        assertRetried(send("refused"), "database_unavailable");

        assertEquals(1, counted.get());
    }

    @Test
    void log_hanging_isToldAfterTheDeadline() throws IOException {
        server.log.hang();
        try (RawHttp http = RawHttp.open(server.port()).write(message("hanging", "x"))) {
            Await.until("late", () -> {
                server.groupCommit.expire();
                return !server.groupCommit.available();
            });
            assertRetried(http.read(), "database_unavailable");
        }
        server.log.release();
        Await.until("available", server.groupCommit::available);
        assertEquals(200, send("hanging").status(), "it was stored after all");
        awaitNothingHeld();
    }

    @Test
    void log_closed_saysThatTheServerStops() throws IOException {
        server.groupCommit.close();

        Answer answer = send("late");

        assertRetried(answer, "shutting_down");
        assertEquals("close", answer.header("Connection"));
    }

    @Test
    void log_refusingAnEvent_is500AndItsLogLineNamesTheRequest() throws IOException {
        server.log.result(appended -> {
            throw new IllegalStateException("secret of the inside");
        });
        try (CapturedLog lines = new CapturedLog(GroupCommit.class.getName())) {
            Answer answer = RawHttp.ask(server.port(), message("poison", "x", "X-Request-Id", "mine-1"));

            assertBroken(answer, "mine-1");
            ILoggingEvent line = lines.events().get(0);
            assertEquals("mine-1", line.getMDCPropertyMap().get("requestId"));
        }
        server.log.result(appended -> appended);
        assertEquals(200, send("poison").status());
    }

    private static void assertBroken(Answer answer, String requestId) {
        assertEquals(500, answer.status());
        assertEquals("internal_error", answer.json().get("code").stringValue());
        assertEquals(requestId, answer.json().get("requestId").stringValue());
        assertTrue(!answer.body().contains("secret"), answer.body());
        assertNull(answer.header("Retry-After"));
    }

    /** On the I/O thread, at once and after a pause, and on a worker. */
    @ParameterizedTest
    @ValueSource(ints = {0, 20_000, 200_000})
    void parsing_thatFails_is500AndNotSilence(int contentLength) throws IOException {
        server.close();
        server = new IngestOnly(() -> {
            throw new IllegalStateException("secret of the inside");
        });
        String body = "{\"type\":\"message.created\",\"data\":{\"conversation_id\":\"c\",\"agent_type\":\"a\","
                + "\"content\":\"" + "x".repeat(contentLength) + "\"}}";
        try (CapturedLog lines = new CapturedLog(RequestScope.class.getName());
                RawHttp http = RawHttp.open(server.port())) {
            for (int i = 0; i < 2; i++) {
                http.write(RawHttp.head("POST /api/ingest HTTP/1.1", body.length(), "X-Request-Id", "mine-3"));
                assertBroken(http.write(body).read(), "mine-3");
                assertEquals("mine-3", lines.events().get(i).getMDCPropertyMap().get("requestId"));
            }
        }
        awaitNothingHeld();
    }

    @Test
    void bodies_together_haveABudgetThatComesBack() throws IOException {
        String part = "x".repeat(IngestOnly.REQUEST_BYTES_MAX - 1);
        List<RawHttp> stalled = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            stalled.add(RawHttp.open(server.port())
                    .write(RawHttp.head("POST /api/ingest HTTP/1.1", part.length() + 1))
                    .write(part));
        }
        Await.until("16 bodies", () -> server.ingest.bodyBytes() == 16L * IngestOnly.REQUEST_BYTES_MAX);
        assertRetried(send("no-room"), "queue_full");

        assertEquals(400, stalled.get(0).write("x").read().status());
        assertEquals(201, send("room").status());

        stalled.get(1).reset();
        stalled.get(2).close();
        stalled.get(3).endOutput();
        Await.until("12 bodies", () -> server.ingest.bodyBytes() == 12L * IngestOnly.REQUEST_BYTES_MAX);

        awaitNothingHeld(); // those that stall are cut off
        for (RawHttp http : stalled.subList(4, 16)) {
            assertCutOff(http);
        }
        for (RawHttp http : stalled) {
            http.close();
        }
    }

    private static void assertCutOff(RawHttp http) {
        try {
            throw new AssertionError(http.read().toString());
        } catch (IOException cut) {
            assertTrue(cut instanceof EOFException || cut instanceof SocketException, cut::toString);
        }
    }

    @Test
    void body_refusedAndNeverFinished_isCutOff() throws IOException {
        try (RawHttp http = RawHttp.open(server.port())) {
            http.write(RawHttp.head("POST /api/ingest HTTP/1.1", 1_000, "Authorization", "none"));
            assertEquals(401, http.read().status());
            assertCutOff(http);
        }
    }

    @Test
    void body_atItsLimit_isTakenAndOneByteMoreIsNot() throws IOException {
        int around = TestServer.messageBody("c", "most", "").length();
        String most = "x".repeat(IngestOnly.REQUEST_BYTES_MAX - around);
        try (RawHttp http = RawHttp.open(server.port())) {
            assertEquals(201, http.write(message("most", most)).read().status());
            Answer more = http.write(message("more", most + "x")).read();
            assertEquals(413, more.status());
            assertTrue(more.json().get("detail").stringValue().contains("262144"), more.body());

            http.write(RawHttp.head(
                    "POST /api/ingest HTTP/1.1", 0, "Content-Length", null, "Transfer-Encoding", "chunked"));
            String body = TestServer.messageBody("c", "more", most + "x");
            http.write(Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n");
            assertEquals(413, http.read().status());
            assertEquals(200, http.write(message("most", most)).read().status());
        }
        awaitNothingHeld();
    }
}
