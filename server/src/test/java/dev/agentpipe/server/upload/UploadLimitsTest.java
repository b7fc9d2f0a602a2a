package dev.agentpipe.server.upload;

import static dev.agentpipe.server.upload.Uploading.EVENT_FILE;
import static dev.agentpipe.server.upload.Uploading.SESSION;
import static dev.agentpipe.server.upload.Uploading.gzip;
import static dev.agentpipe.server.upload.Uploading.request;
import static dev.agentpipe.server.upload.Uploading.upload;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.UploadLimits;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Both sides of the limits of an upload, and many at once. */
final class UploadLimitsTest {

    private static final int BYTES_MAX = 1 << 20;
    private static final UploadLimits LIMITS = new UploadLimits(BYTES_MAX, 50, 60, 5_000, 10);

    private static TestServer server;
    private static Stored stored;

    @BeforeAll
    static void start() {
        server = TestServer.start(settings -> settings.uploadLimits(LIMITS));
        stored = new Stored(server);
    }

    @AfterAll
    static void stop() {
        stored.close();
        server.close();
    }

    @AfterEach
    void empty() {
        stored.execute("truncate events, event_identities, conversations, messages, conversation_agents");
    }

    private static String messages(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> TestServer.messageBody("c", "m" + i, "x"))
                .collect(Collectors.joining("\n"));
    }

    private static String session(int messages) {
        String message = "{\"agent_type\":\"a\",\"agent_name\":\"A\",\"timestamp\":\"2026-11-22T10:00:00Z\","
                + "\"content\":\"x\",\"sequence_number\":";
        return "{\"conversation\":{\"id\":\"s\",\"name\":\"n\",\"mode\":\"m\",\"initial_prompt\":\"\",\"started_at\":"
                + "\"2026-11-22T10:00:00Z\",\"status\":\"ACTIVE\"},\"agents\":[],\"messages\":["
                + IntStream.range(0, messages).mapToObj(i -> message + i + "}").collect(Collectors.joining(","))
                + "]}";
    }

    private static void assertTooLarge(String limit, Answer answer) {
        assertEquals(413, answer.status(), answer::toString);
        assertEquals("upload_too_large", answer.json().get("code").asString());
        assertTrue(answer.json().get("detail").asString().contains(limit), answer::toString);
        assertEquals(0, stored.count("event_identities", "true"));
    }

    @Test
    void messages_asManyAsMayBe_andOneMore() {
        assertTooLarge("50 messages", upload(server, EVENT_FILE, messages(51)));
        assertTooLarge("50 messages", upload(server, SESSION, session(51)));
        assertEquals(201, upload(server, EVENT_FILE, messages(50)).status());
        assertEquals(201, upload(server, SESSION, session(50)).status());
        assertEquals(100, stored.count("messages", "true"));
    }

    @Test
    void events_asManyAsMayBe_andOneMore() {
        String entry = "{\"type\":\"log.entry\",\"timestamp\":\"2026-11-22T10:00:00Z\",\"data\":"
                + "{\"conversation_id\":\"c\",\"level\":\"info\",\"content\":\"%d\"}}%n";
        String entries = IntStream.range(0, 10).mapToObj(entry::formatted).collect(Collectors.joining());
        assertTooLarge("60 events", upload(server, EVENT_FILE, entries + messages(50) + "\n" + entry.formatted(11)));
        assertEquals(201, upload(server, EVENT_FILE, entries + messages(50)).status());
    }

    @Test
    void bytesOfRareEvents_tooMany_areRefused() {
        String error =
                "{\"type\":\"conversation.error\",\"data\":{\"conversation_id\":\"c\",\"error_message\":\"%s\"}}";
        assertTooLarge("5000 bytes", upload(server, EVENT_FILE, error.formatted("x".repeat(5_000))));
        assertEquals(
                201,
                upload(server, EVENT_FILE, error.formatted("x".repeat(4_000))).status());
    }

    @Test
    void bytes_asManyAsMayBe_andOneMore() {
        String file = messages(2);
        String full = file + "\n".repeat(BYTES_MAX - file.length());
        assertEquals(BYTES_MAX, full.length());
        assertTooLarge("1048576 bytes", upload(server, EVENT_FILE, full + "\n"));
        assertTooLarge("1048576 bytes", upload(server, SESSION, full + "\n"));
        byte[] packed = gzip((full + "\n").getBytes(StandardCharsets.UTF_8));
        assertTooLarge("1048576 bytes", upload(server, EVENT_FILE, packed, "Content-Encoding", "gzip"));
        assertTooLarge("1048576 bytes", chunked((full + "\n").getBytes(StandardCharsets.UTF_8)));
        assertEquals(201, chunked(full.getBytes(StandardCharsets.UTF_8)).status());
        packed = gzip(full.getBytes(StandardCharsets.UTF_8));
        assertEquals(
                200,
                upload(server, EVENT_FILE, packed, "Content-Encoding", "gzip").status());
    }

    /** Without a Content-Length. */
    private static Answer chunked(byte[] body) {
        HttpRequest request = HttpRequest.newBuilder(request(server, EVENT_FILE, body), (name, value) -> true)
                .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)))
                .build();
        return server.send(request);
    }

    /** Whoever is told to continue counts. */
    @Test
    void uploadsUnderWay_asManyAsMayBe_andOneMore() throws IOException {
        String file = messages(1);
        String head = RawHttp.head(
                "POST /api/sessions/upload HTTP/1.1",
                file.length(),
                "Content-Type",
                EVENT_FILE,
                "Expect",
                "100-continue");
        List<RawHttp> underWay = new ArrayList<>();
        try {
            for (int i = 0; i < UploadHandler.AT_A_TIME; i++) {
                RawHttp one = RawHttp.open(server.port());
                underWay.add(one);
                assertEquals(100, one.write(head).read().status());
            }
            RawHttp.Answer refused = RawHttp.ask(server.port(), head + file);
            assertEquals(503, refused.status(), refused::toString);
            assertEquals("too_many_uploads", refused.json().get("code").asString());
            assertTrue(Integer.parseInt(refused.header("Retry-After")) > 0);
            assertEquals(0, stored.count("event_identities", "true"));

            assertEquals(201, underWay.get(0).write(file).read().status());
            Await.until(
                    "there is room again",
                    () -> upload(server, EVENT_FILE, file).status() == 200);
        } finally {
            for (RawHttp one : underWay) {
                one.close();
            }
        }
    }

    @Test
    void gzipBomb_isTooLarge() {
        byte[] zeros = gzip(new byte[64 << 20]);
        assertTrue(zeros.length < BYTES_MAX);
        assertTooLarge("1048576 bytes", upload(server, EVENT_FILE, zeros, "Content-Encoding", "gzip"));
        byte[] spaces = gzip(" ".repeat(64 << 20).getBytes(StandardCharsets.UTF_8));
        assertTooLarge("1048576 bytes", upload(server, SESSION, spaces, "Content-Encoding", "gzip"));
    }

    @Test
    void violations_moreThanAreListed_areCounted() {
        Answer answer = upload(server, EVENT_FILE, "x\n".repeat(25));
        assertEquals(400, answer.status());
        assertEquals("invalid_json", answer.json().get("code").asString());
        assertEquals(10, answer.json().get("errors").size());
        assertTrue(answer.json().get("detail").asString().contains(": 25 things"), answer::toString);
    }

    @Test
    void hundredUploadsAtOnce_ofTheSameAndOfOthers_areEachStoredOnce() {
        HttpClient client = HttpClient.newHttpClient();
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            String body = i % 2 == 0 ? messages(40) : session(20).replace("\"s\"", "\"s" + i % 10 + "\"");
            HttpRequest request =
                    request(server, i % 2 == 0 ? EVENT_FILE : SESSION, body.getBytes(StandardCharsets.UTF_8));
            answers.add(client.sendAsync(request, BodyHandlers.ofString()));
        }
        List<Integer> statuses =
                answers.stream().map(answer -> answer.join().statusCode()).toList();
        assertEquals(6, statuses.stream().filter(status -> status == 201).count(), statuses::toString);
        assertEquals(94, statuses.stream().filter(status -> status == 200).count(), statuses::toString);
        assertEquals(40 + 5 * 20, stored.count("messages", "position > 0"));
        assertEquals(40 + 5 * 20, stored.count("messages", "true"));
        assertEquals(40 + 5, stored.count("events", "true"));
    }
}
