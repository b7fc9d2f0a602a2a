package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.fuzz.Damage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Damaged bodies of the real client, the same ones in each run: whatever comes, the fault is never the server's. */
final class IngestFuzzTest {

    /** Requests sent before their answers are read. */
    private static final int PIPELINED = 20;

    private static TestServer server;

    private final Random random = new Random(20261122);
    private final Damage damage = new Damage(random);
    private final List<byte[]> seeds = Fixtures.all().stream()
            .map(request -> request.body().getBytes(StandardCharsets.UTF_8))
            .filter(body -> body.length < 3_000)
            .toList();

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @ParameterizedTest
    @CsvSource({"1500,1,application/json", "200,8,application/json", "200,8,application/x-ndjson"})
    void bodies_damaged_areNeverTheServersFault(int requests, int events, String type) throws IOException {
        Map<Integer, Integer> statuses = new TreeMap<>();
        byte[][] bodies = new byte[PIPELINED][];
        try (RawHttp http = RawHttp.open(server.port())) {
            for (int sent = 0; sent < requests; sent += PIPELINED) {
                for (int i = 0; i < PIPELINED; i++) {
                    bodies[i] = body(events, type.endsWith("ndjson"));
                    http.write(RawHttp.head("POST /api/ingest HTTP/1.1", bodies[i].length, "Content-Type", type));
                    http.write(bodies[i]);
                }
                for (byte[] body : bodies) {
                    RawHttp.Answer answer = http.read();
                    statuses.merge(answer.status(), 1, Integer::sum);
                    assertTrue(answer.status() < 500, () -> answer + " to " + new String(body, StandardCharsets.UTF_8));
                    assertTrue(answer.status() == 200
                            || answer.status() == 201
                            || answer.json().has("code"));
                }
            }
        }
        int taken = statuses.getOrDefault(200, 0) + statuses.getOrDefault(201, 0);
        assertTrue(taken > requests / 20, "neither harmless nor always fatal: " + statuses);
        assertTrue(events > 1 || statuses.get(400) > requests / 20, statuses::toString);
        assertEquals(200, server.get("/api/health").status());
    }

    private byte[] body(int events, boolean lines) {
        if (events == 1) {
            return damaged();
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (int i = 0; i < events; i++) {
            body.write(lines ? '\n' : i == 0 ? '[' : ',');
            // Damage to the syntax of one spoils the whole array.
            body.writeBytes(lines || random.nextInt(10) == 0 ? damaged() : changed());
        }
        if (!lines) {
            body.write(']');
        }
        return body.toByteArray();
    }

    private byte[] seed() {
        return seeds.get(random.nextInt(seeds.size()));
    }

    private byte[] damaged() {
        return damage.bytes(seed());
    }

    /** With another value somewhere: still JSON. */
    private byte[] changed() {
        String body = new String(seed(), StandardCharsets.UTF_8);
        String[] values = {"null", "-1", "1e308", "9223372036854775807", "\"\\u0000\"", "[]", "{}", "\"\\ud800\"", "0.5"
        };
        return body.replaceFirst(
                        "\"(conversation_id|content|cost|tokens_used|status|participants|summary|total_[a-z]+)\":[^,{}\\[\\]]*",
                        "\"$1\":" + values[random.nextInt(values.length)].replace("\\", "\\\\"))
                .getBytes(StandardCharsets.UTF_8);
    }
}
