package dev.agentpipe.server.keys;

import static dev.agentpipe.server.keys.KeyMaker.bearer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two nodes on one database; keys change in the database alone. */
final class KeysTest {

    private static final String STREAM = "/api/realtime/stream";
    private static final String EVENT = "{\"type\":\"bridge.test\",\"data\":{}}";

    private final String url = TestPostgres.newDatabase();
    private final TestServer a = TestServer.on(url, UnaryOperator.identity());
    private final TestServer b = TestServer.on(url, UnaryOperator.identity());
    private final KeyMaker keys = new KeyMaker(url);

    @AfterEach
    void stop() {
        a.close();
        b.close();
    }

    private static Answer ingest(TestServer server, ApiKey key) {
        return server.ingest(EVENT, bearer(key));
    }

    private void awaitStatus(int status, ApiKey key) {
        for (TestServer server : List.of(a, b)) {
            Await.until("ingest answers " + status, () -> ingest(server, key).status() / 100 == status / 100);
        }
    }

    private void awaitReading(boolean open) {
        for (TestServer server : List.of(a, b)) {
            Await.until("reading is open: " + open, () -> isReadingOpen(server) == open);
        }
    }

    private static boolean isReadingOpen(TestServer server) {
        return server.get("/api/session").json().get("readingOpen").booleanValue();
    }

    @Test
    void key_madeAndRevoked_isEffectiveOnAllNodes() {
        ApiKey key = keys.make("ingest");
        awaitStatus(201, key);
        assertTrue(isReadingOpen(a), "it is no read key");

        keys.revoke(key);
        awaitStatus(401, key);
        awaitStatus(201, new ApiKey(TestServer.KEY));
    }

    @Test
    void key_rotated_livesOnBesideTheNewOneForTheOverlap() {
        ApiKey old = keys.make("ingest");
        awaitStatus(201, old);
        ApiKey next = ApiKey.generate(new SecureRandom());
        assertTrue(keys.store.rotate(old.id(), KeyMaker.newKey(next, null, "ingest"), Duration.ofSeconds(3)));

        awaitStatus(201, next);
        awaitStatus(401, old);
        awaitStatus(201, next);
    }

    @Test
    void key_refused_isAnsweredAlikeWhateverItIs() {
        ApiKey expired = keys.make(Duration.ofMillis(1), "ingest");
        ApiKey revoked = keys.make("ingest");
        ApiKey wrongScope = keys.make("upload");
        keys.revoke(revoked);
        for (TestServer server : List.of(a, b)) {
            Await.until("known", () -> ingest(server, wrongScope).status() == 403);
            Await.until("unknown", () -> ingest(server, revoked).status() == 401);
            Set<String> answers = new HashSet<>();
            for (String header : new String[] {
                null,
                "Bearer",
                "Bearer ",
                "Basic " + TestServer.KEY,
                TestServer.KEY,
                "Bearer " + "ü".repeat(20),
                "Bearer " + ApiKey.generate(new SecureRandom()).value(),
                "Bearer " + expired.value(),
                "Bearer " + revoked.value(),
                "Bearer " + TestServer.KEY + "x"
            }) {
                answers.add(refusal(server, header));
            }
            assertEquals(1, answers.size(), answers::toString);
            assertTrue(answers.iterator().next().startsWith("401 Bearer realm=\"agentpipe\" "), answers::toString);
        }
    }

    private static String refusal(TestServer server, String authorization) {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.uri("/api/ingest"))
                .header("Content-Type", "application/json")
                .header("X-Request-Id", "x")
                .POST(BodyPublishers.ofString(EVENT));
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        Answer answer = server.send(request.build());
        return answer.status() + " " + answer.header("WWW-Authenticate") + " "
                + answer.response().body();
    }

    @Test
    void readKey_madeAndRevoked_closesReadingAndEndsStreamsOfAllNodes() throws Exception {
        List<RawStream> anonymous = new ArrayList<>();
        for (TestServer server : List.of(a, b)) {
            anonymous.add(server.stream(STREAM));
            anonymous.get(anonymous.size() - 1).block();
        }
        ApiKey reader = keys.make("read");
        for (RawStream stream : anonymous) {
            awaitEnd(stream);
            stream.close();
        }
        awaitReading(false);

        for (TestServer server : List.of(a, b)) {
            assertEquals(401, server.stream(STREAM).status());
            assertEquals(
                    401, server.stream(STREAM, "Accept", "text/event-stream").status());
            assertEquals(401, server.stream("/api/stream").status());
            try (RawStream environment = server.stream(STREAM, "Authorization", "Bearer " + TestServer.KEY)) {
                assertEquals(200, environment.status(), "keys of the environment may read");
            }
        }
        ApiKey writer = keys.make("ingest");
        awaitStatus(201, writer);
        assertEquals(403, a.stream(STREAM, bearer(writer)).status());

        try (RawStream onA = a.stream(STREAM, bearer(reader));
                RawStream onB = b.stream(STREAM, bearer(reader));
                RawStream other = a.stream(STREAM, "Authorization", "Bearer " + TestServer.KEY)) {
            onA.block();
            onB.block();
            other.block();
            a.message("c", "m1", "x");
            onA.event();
            onB.event();
            other.event();
            keys.revoke(reader);
            awaitEnd(onA);
            awaitEnd(onB);
            a.message("c", "m2", "x");
            other.event();
        }
        awaitReading(false);
        assertEquals(401, b.stream(STREAM, bearer(reader)).status(), "without a read key it still is not open");

        keys.store.setReadingClosed(false);
        awaitReading(true);
        assertEquals(200, b.stream(STREAM).status());
    }

    /** With a farewell that tells when to come back. */
    private static void awaitEnd(RawStream stream) throws Exception {
        String last = "";
        for (String block = stream.block(); block != null; block = stream.block()) {
            last = block;
        }
        assertTrue(last.startsWith("retry: "), last);
    }
}
