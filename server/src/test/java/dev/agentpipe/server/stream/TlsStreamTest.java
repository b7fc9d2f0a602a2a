package dev.agentpipe.server.stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Await;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.SettingsBuilder;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.tls.RawHttp2;
import dev.agentpipe.server.tls.RawHttp2.Frame;
import dev.agentpipe.server.tls.TestTls;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Streams over TLS, byte by byte: readers that stop, slow down, leave, or are sent away. */
final class TlsStreamTest {

    private static final String STREAM = "/api/realtime/stream";
    private static final String CONTENT = "x".repeat(50_000);
    private static final Pattern ID = Pattern.compile("^id: [a-z0-9]+-(\\d+)$", Pattern.MULTILINE);

    private TestServer server;
    private final List<Long> positions = new ArrayList<>();

    private void start(UnaryOperator<SettingsBuilder> settings) {
        server = TestServer.start(given -> settings.apply(TestTls.on().apply(given)));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private void pass(int count) {
        for (int i = 0; i < count; i++) {
            positions.add(server.message("c", "m" + positions.size(), CONTENT));
        }
    }

    private RawStream open(String... headers) throws IOException {
        SSLSocket socket = TestTls.socket();
        socket.setReceiveBufferSize(4 << 10);
        RawStream stream = RawStream.open(socket, server.port(), "HTTP/1.1", STREAM, headers);
        stream.block();
        return stream;
    }

    private long ended(String reason) {
        return server.get("/api/health")
                .json()
                .at("/checks/stream/ended/" + reason)
                .asLong();
    }

    private int streams() {
        return server.get("/api/health").json().at("/checks/stream/connections").asInt();
    }

    @Test
    void http1_readerThatPauses_getsEverythingInOrder() throws Exception {
        start(settings -> settings.streamStallMax(Duration.ofMinutes(1)));
        try (RawStream paused = open();
                RawStream quick = open()) {
            pass(60);
            for (RawStream stream : List.of(quick, paused)) {
                List<Long> received = new ArrayList<>();
                while (received.size() < positions.size()) {
                    received.add(RawStream.position(stream.event()));
                }
                assertEquals(positions, received);
            }
            assertEquals(2, streams());
        }
    }

    /** The end of a record that the socket did not take comes without another event to push it. */
    @Test
    void http1_lastEvent_comesWholeThroughAFullSocket() throws Exception {
        start(settings -> settings.streamHeartbeat(Duration.ofMinutes(10)));
        try (RawStream paused = open()) {
            positions.add(server.message("c", "large", "y".repeat(700_000)));
            assertEquals(positions.get(0), RawStream.position(paused.event()));
        }
    }

    @Test
    void http1_readerThatStops_isDisconnectedAndResumes() throws Exception {
        start(settings -> settings.streamStallMax(Duration.ofSeconds(1)));
        String lastId = null;
        List<Long> received = new ArrayList<>();
        try (RawStream stopped = open()) {
            pass(60);
            Await.until("disconnected", () -> ended("stalled") == 1);
            try {
                for (String block = stopped.block(); block != null; block = stopped.block()) {
                    lastId = RawStream.id(block);
                    received.add(RawStream.position(block));
                }
            } catch (IOException expected) {
                // Within a record, or a frame.
            }
        }
        assertTrue(received.size() < positions.size(), "its buffers took everything");
        try (RawStream again = open("Last-Event-ID", lastId)) {
            while (received.size() < positions.size()) {
                received.add(RawStream.position(again.event()));
            }
        }
        assertEquals(positions, received);
        Await.until("nobody is left", () -> streams() == 0);
    }

    @Test
    void http1_shutdown_endsInOrder() throws Exception {
        start(settings -> settings);
        try (RawStream stream = open()) {
            server.close();
            assertTrue(stream.block().matches("retry: \\d+\n\n"));
            assertNull(stream.block());
        }
    }

    /** What comes on a stream of HTTP/2, until so many events have. */
    private static List<Long> read(RawHttp2 http, int stream, int count) throws IOException {
        StringBuilder text = new StringBuilder();
        List<Long> received = new ArrayList<>();
        while (received.size() < count) {
            Frame frame = http.await(RawHttp2.DATA, stream);
            if (frame.payload().length > 0) {
                http.openWindow(0, frame.payload().length);
                http.openWindow(stream, frame.payload().length);
            }
            text.append(frame.text());
            int end = text.lastIndexOf("\n\n");
            if (end >= 0) {
                Matcher ids = ID.matcher(text.substring(0, end));
                ids.results().forEach(id -> received.add(Long.parseLong(id.group(1))));
                text.delete(0, end + 2);
            }
        }
        return received;
    }

    private static int open(RawHttp2 http) throws IOException {
        int stream = http.get(STREAM, "accept", "text/event-stream");
        assertEquals(200, http.statusOf(stream));
        assertEquals("text/event-stream; charset=utf-8", http.headOf(stream).get("content-type"));
        assertFalse(http.headOf(stream).containsKey("transfer-encoding"));
        return stream;
    }

    @Test
    void http2_readerThatStops_isEndedAloneAndTheOthersGoOn() throws Exception {
        start(settings -> settings.streamStallMax(Duration.ofSeconds(1)));
        try (RawHttp2 http = RawHttp2.open(server.port())) {
            http.openWindow(0, 100_000_000);
            int stopped = open(http);
            int quick = open(http);
            http.openWindow(quick, 100_000_000);
            pass(20);

            List<Long> received = read(http, quick, positions.size() + 1);
            assertEquals(positions, received.subList(1, received.size()), "after the greeting");
            assertEquals(
                    RawHttp2.CANCEL, http.await(RawHttp2.RST_STREAM, stopped).code());
            assertEquals(1, ended("stalled"));
            assertEquals(1, streams());

            pass(1);
            assertEquals(positions.get(20), read(http, quick, 1).get(0));
        }
        Await.until("nobody is left", () -> streams() == 0);
        assertEquals(1, ended("gone"));
    }

    @Test
    void http2_readerThatPauses_getsEverythingInOrder() throws Exception {
        start(settings -> settings.streamStallMax(Duration.ofMinutes(1)));
        try (RawHttp2 http = RawHttp2.open(server.port())) {
            int stream = open(http);
            pass(60);
            List<Long> received = read(http, stream, positions.size() + 1);
            assertEquals(positions, received.subList(1, received.size()));
        }
    }

    /** Undertow takes back what of a frame the window did not let go, and sends it only if somebody asks. */
    @Test
    void http2_restOfAFrame_comesWithTheWindowAndWithoutAnotherEvent() throws Exception {
        start(settings -> settings.streamHeartbeat(Duration.ofMinutes(10)));
        try (RawHttp2 http = RawHttp2.open(server.port(), RawHttp2.SETTING_INITIAL_WINDOW_SIZE, 100)) {
            int stream = open(http);
            assertEquals(1, read(http, stream, 1).size(), "the greeting");
            http.openWindow(stream, 700); // more than the greeting took: a part of the event goes at once

            pass(1);
            assertEquals(positions, read(http, stream, 1));
        }
    }

    @Test
    void http2_readersThatLeave_giveTheirPlaces() throws Exception {
        start(settings -> settings.streamConnectionsMax(3));
        try (RawHttp2 http = RawHttp2.open(server.port())) {
            for (int i = 0; i < 10; i++) {
                int first = open(http);
                int second = open(http);
                http.reset(first);
                http.reset(second);
                Await.until("their places are free", () -> streams() == 0);
            }
            assertEquals(20, ended("gone"));
        }
    }

    @Test
    void http2_aged_endsItsStreamAlone() throws Exception {
        start(settings -> settings.streamAgeMax(Duration.ofSeconds(1)));
        try (RawHttp2 http = RawHttp2.open(server.port())) {
            assertEndsInOrder(http, open(http));
            assertEquals(200, http.statusOf(http.get("/api/health")));
            assertEquals(0, streams());
        }
    }

    @Test
    void http2_shutdown_endsInOrder() throws Exception {
        start(settings -> settings);
        try (RawHttp2 http = RawHttp2.open(server.port())) {
            int stream = open(http);
            server.close();
            assertEndsInOrder(http, stream);
            assertEquals(0, http.awaitEnd());
        }
    }

    private static void assertEndsInOrder(RawHttp2 http, int stream) throws IOException {
        StringBuilder text = new StringBuilder();
        Frame frame = http.await(RawHttp2.DATA, stream);
        while (!frame.isLast()) {
            text.append(frame.text());
            frame = http.await(RawHttp2.DATA, stream);
        }
        text.append(frame.text());
        assertTrue(text.toString().matches("(?s).*\nretry: \\d+\n\n"), text.toString());
    }
}
