package dev.agentpipe.server.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.fuzz.Wire.Answers;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * Everything that a request can be made of, broken: whatever comes, it is never the server's fault, what is refused leaves
 * nothing behind, neither in the database nor in memory. {@code bin/fuzz} does it for longer, and with any seed.
 */
final class HttpFuzzTest {

    private static final long SEED = Long.getLong("fuzz.seed", 20261123);

    /** Of each kind. */
    private static final int INPUTS = Integer.getInteger("fuzz.inputs", 400);

    private static final int AT_ONCE = 10;
    private static final int THREADS_MORE_MAX = 40;
    private static final long HEAP_MORE_MAX = 48L << 20;

    private static final List<String> VALUES = List.of(
            "c",
            "1",
            "0",
            "ACTIVE",
            "claude",
            "2026-11-22",
            "2026-11-22T14:34:22Z",
            "createdAt",
            "desc",
            "true",
            "agents",
            "json",
            "csv",
            "day",
            "k7f3-41982",
            "eyJhIjoxfQ",
            "");

    private static final List<String> SEARCHES = List.of(
            "{\"query\":\"small job queue\",\"page\":1,\"limit\":5}",
            "{\"query\":\"\\\"job queue\\\" retr* -lease\",\"sort\":\"totalCost\",\"order\":\"asc\"}",
            "{\"query\":\"x\",\"filters\":{\"status\":[\"ACTIVE\"],\"agentTypes\":[\"claude\"],\"models\":[\"m\"],"
                    + "\"startDate\":\"2026-01-01\",\"endDate\":\"2027-01-01T00:00:00Z\",\"minCost\":0,\"maxCost\":9.5,"
                    + "\"minTokens\":0,\"maxTokens\":100000}}");

    private static final String SESSION =
            "{\"conversation\":{\"id\":\"s\",\"name\":\"n\",\"mode\":\"m\",\"initial_prompt\":\"\",\"status\":\"COMPLETED\","
                    + "\"started_at\":\"2026-11-22T14:34:21Z\",\"total_cost\":0.5,\"metadata\":{\"a\":[1]}},"
                    + "\"agents\":[{\"agent_type\":\"a\",\"agent_name\":\"A\"}],\"messages\":[{\"agent_type\":\"a\","
                    + "\"agent_name\":\"A\",\"content\":\"x\",\"timestamp\":\"2026-11-22T14:34:22Z\",\"cost\":0.25}]}";

    private static TestServer server;
    private static Stored stored;
    private static List<String> paths;

    private final Random random = new Random(SEED);
    private final Damage damage = new Damage(random);
    private int threads;
    private long heap;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        stored = new Stored(server);
        for (int i = 0; i < 5; i++) {
            server.message("c", "m" + i, "A small job queue, with leases.");
        }
        paths = new ArrayList<>();
        JsonNode document = server.get("/api/openapi.json").json();
        document.get("paths").properties().forEach(path -> {
            if (path.getValue().has("get") && !path.getKey().endsWith("/stream") && !isDocument(path.getKey())) {
                List<String> names = new ArrayList<>();
                for (JsonNode parameter : path.getValue().at("/get/parameters")) {
                    JsonNode one = parameter.has("$ref")
                            ? document.at(parameter.get("$ref").stringValue().substring(1))
                            : parameter;
                    if (one.get("in").stringValue().equals("query")) {
                        names.add(one.get("name").stringValue());
                    }
                }
                paths.add(path.getKey() + "?" + String.join("&", names));
            }
        });
    }

    /** Large, and without parameters. */
    private static boolean isDocument(String path) {
        return path.equals("/api/docs") || path.equals("/api/openapi.json");
    }

    @AfterAll
    static void stop() {
        stored.close();
        server.close();
    }

    @BeforeEach
    void measure() throws IOException {
        run(INPUTS / 10, this::read); // what is made once is made
        run(INPUTS / 10, this::upload);
        threads = Thread.getAllStackTraces().size();
        heap = heap();
    }

    @AfterEach
    void compare() {
        assertEquals(200, server.get("/api/health").status());
        int threadsNow = Thread.getAllStackTraces().size();
        assertTrue(threadsNow <= threads + THREADS_MORE_MAX, threads + " threads, and then " + threadsNow);
        long heapNow = heap();
        assertTrue(heapNow <= heap + HEAP_MORE_MAX, heap + " bytes, and then " + heapNow);
    }

    private static long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    /** Sends some at a time over a connection; what they get is never the server's fault. */
    private void run(int inputs, Function<Boolean, byte[]> input) throws IOException {
        for (int sent = 0; sent < inputs; sent += AT_ONCE) {
            List<byte[]> requests = new ArrayList<>();
            for (int i = 1; i <= AT_ONCE; i++) {
                requests.add(input.apply(i == AT_ONCE));
            }
            check(requests);
        }
    }

    private static Answers check(List<byte[]> requests) throws IOException {
        String before = stored.fingerprint();
        Answers answers = Wire.exchange(server.port(), requests, false);
        assertNull(answers.fault(requests.size()), () -> "seed " + SEED + ": " + told(requests) + " -> " + answers);
        if (answers.isAllRefused()) {
            assertEquals(before, stored.fingerprint(), () -> "seed " + SEED + ": " + told(requests));
        }
        return answers;
    }

    /** To be sent again. */
    private static String told(List<byte[]> requests) {
        StringBuilder told = new StringBuilder();
        requests.forEach(request -> told.append('\n')
                .append(new String(request, StandardCharsets.UTF_8))
                .append("\nhex ")
                .append(HexFormat.of().formatHex(request)));
        return told.toString();
    }

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private String encoded(String text) {
        return URLEncoder.encode(random.nextInt(3) == 0 ? text : damage.text(text), StandardCharsets.UTF_8);
    }

    private byte[] read(boolean isLast) {
        String[] parts = any(paths).split("\\?", -1);
        StringBuilder line = new StringBuilder("GET ").append(parts[0].replace("{id}", encoded("c")));
        List<String> names = List.of(parts[1].split("&"));
        char separator = '?';
        for (int n = random.nextInt(4); n > 0; n--) {
            line.append(separator).append(any(names)).append('=').append(encoded(any(VALUES)));
            separator = '&';
        }
        return Wire.request(line.toString().replace("{file}", "style.css"), new byte[0], isLast);
    }

    private byte[] search(boolean isLast) {
        return Wire.request("POST /api/search", damage.bytes(any(SEARCHES).getBytes(StandardCharsets.UTF_8)), isLast);
    }

    /** Where none is needed: a wrong key is not held up. */
    private byte[] key(boolean isLast) {
        String value = any(List.of(
                "Bearer " + TestServer.KEY,
                "Basic " + TestServer.KEY,
                "agentpipe_session=abc.def",
                TestServer.ADMIN_KEY));
        String header = any(List.of("Authorization", "Cookie", "X-Api-Key", "Proxy-Authorization"));
        String broken = damage.text(value).replaceAll("[\\p{Cntrl}\\r\\n]", " ");
        return Wire.request("GET /api/session", new byte[0], isLast, "Authorization", null, header, broken);
    }

    private byte[] upload(boolean isLast) {
        boolean isSession = random.nextBoolean();
        String whole = isSession ? SESSION : TestServer.messageBody("u", "u" + random.nextInt(9), "x") + "\n";
        return Wire.request(
                "POST /api/sessions/upload",
                damage.bytes((isSession ? whole : whole.repeat(3)).getBytes(StandardCharsets.UTF_8)),
                isLast,
                "Content-Type",
                isSession ? "application/json" : "application/x-ndjson",
                "Content-Encoding",
                random.nextInt(20) == 0 ? "gzip" : null);
    }

    private byte[] ingest(boolean isLast) {
        return Wire.request(
                "POST /api/ingest",
                damage.bytes(TestServer.messageBody("i", "i" + random.nextInt(9), "x")
                        .getBytes(StandardCharsets.UTF_8)),
                isLast);
    }

    @Test
    void reads_ofAnyParameters_areNeverTheServersFault_andChangeNothing() throws IOException {
        String before = stored.fingerprint();
        run(4 * INPUTS, this::read);
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void searches_ofAnyBody_areNeverTheServersFault_andChangeNothing() throws IOException {
        String before = stored.fingerprint();
        run(INPUTS, this::search);
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void keys_ofAnyKind_areNeverTheServersFault_andLetNobodyIn() throws IOException {
        String before = stored.fingerprint();
        run(INPUTS, this::key);
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void uploads_ofAnyBody_areNeverTheServersFault() throws IOException {
        run(INPUTS, this::upload);
    }

    @Test
    void events_ofAnyBody_areNeverTheServersFault() throws IOException {
        run(INPUTS, this::ingest);
    }

    /** What is left of a damaged head may be valid; so none of them has a key. */
    @Test
    void heads_ofAnyBytes_areNeverTheServersFault_andChangeNothing() throws IOException {
        String before = stored.fingerprint();
        for (int i = 0; i < INPUTS; i++) {
            String head = RawHttp.head(
                    any(List.of(
                                    "GET /api/health/live",
                                    "POST /api/ingest",
                                    "GET /api/conversations/c?limit=1",
                                    "OPTIONS *"))
                            + " HTTP/1.1",
                    0,
                    "Authorization",
                    null,
                    "X-Request-Id",
                    "r",
                    "Transfer-Encoding",
                    random.nextBoolean() ? "chunked" : null,
                    "Content-Length",
                    random.nextBoolean() ? "3" : null);
            byte[] request = damage.bytes((head + "3\r\n{}\n\r\n0\r\n\r\n").getBytes(StandardCharsets.UTF_8));
            Answers answers = Wire.exchange(server.port(), List.of(request), true);
            assertTrue(
                    answers.statuses().stream().allMatch(status -> status < 500),
                    () -> "seed " + SEED + ": " + told(List.of(request)) + " -> " + answers);
        }
        assertEquals(before, stored.fingerprint());
    }

    /** They do not end, so their heads are looked at. */
    @Test
    void streams_ofAnyParameters_areNeverTheServersFault() throws IOException {
        List<String> names = List.of("conversationId", "types", "lastEventId", "replay", "named", "ticket");
        for (int i = 0; i < INPUTS / 4; i++) {
            String path = "/api/stream?" + any(names) + "=" + encoded(any(VALUES)) + "&" + any(names) + "="
                    + encoded(any(VALUES));
            String id = damage.text("k7f3-41982").replaceAll("[\\p{Cntrl}]", " ");
            try (RawHttp http = RawHttp.open(server.port())) {
                http.write("GET " + path + " HTTP/1.1\r\nHost: x\r\nLast-Event-ID: " + id + "\r\n\r\n");
                int status = http.read(false).status();
                assertTrue(status < 500, () -> String.format(Locale.ROOT, "seed %d: %s -> %d", SEED, path, status));
            }
        }
    }
}
