package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.RawStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** All that the program writes when its logs are JSON, at the lowest level, and every URL is asked for with marked words. */
final class LogProcessTest {

    private static final String SAID = "Zwetschgendatschi";
    private static final String KEY = "ap_test_a-writer-key-of-the-log-test";
    private static final String ADMIN_KEY = "ap_test_an-admin-key-of-the-log-test";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private static Path dataDir;

    private final HttpClient client = HttpClient.newHttpClient();
    private URI base;

    private int send(String method, String path, String key, String body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path))
                .timeout(PATIENCE)
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (body != null) {
            request.setHeader("Content-Type", "application/json");
        }
        if (key != null) {
            request.setHeader("Authorization", "Bearer " + key);
        }
        for (int i = 0; i < headers.length; i += 2) {
            request.setHeader(headers[i], headers[i + 1]);
        }
        HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
        return response.statusCode();
    }

    private static String message(String id, String content) {
        return "{\"type\":\"message.created\",\"data\":{\"conversation_id\":\"c-1\",\"message_id\":\"" + id
                + "\",\"agent_type\":\"claude\",\"agent_name\":\"" + SAID + "\",\"content\":\"" + content + "\"}}";
    }

    private void askForEverything() throws Exception {
        String started = "{\"type\":\"conversation.started\",\"data\":{\"conversation_id\":\"c-1\",\"mode\":\"" + SAID
                + "\",\"initial_prompt\":\"" + SAID + "\",\"participants\":[],\"command\":{\"full_command\":\"" + SAID
                + "\"}}}";
        assertEquals(201, send("POST", "/api/ingest", KEY, started));
        assertEquals(201, send("POST", "/api/ingest", KEY, message("m-1", SAID), "X-Request-Id", "the-first"));
        assertEquals(200, send("POST", "/api/ingest", KEY, message("m-1", SAID)));
        assertEquals(409, send("POST", "/api/ingest", KEY, message("m-1", SAID + SAID)));
        assertEquals(400, send("POST", "/api/ingest", KEY, "{\"type\":\"" + SAID + "\"}"));
        assertEquals(400, send("POST", "/api/ingest", KEY, "{\"" + SAID));
        assertEquals(401, send("POST", "/api/ingest", KEY + "x", message("m-2", SAID)));
        assertEquals(
                201,
                send(
                        "POST",
                        "/api/sessions/upload",
                        KEY,
                        message("m-3", SAID),
                        "Content-Type",
                        "application/x-ndjson"));
        assertEquals(400, send("POST", "/api/sessions/upload", KEY, "{\"conversation\":{\"name\":\"" + SAID + "\"}}"));
        try (RawStream stream = RawStream.open(base.getPort(), "HTTP/1.1", "/api/stream?replay=5")) {
            stream.block();
        }
        for (String path : List.of(
                "/api/conversations?mode=" + SAID,
                "/api/conversations?sort=" + SAID,
                "/api/conversations/c-1?x=" + SAID,
                "/api/conversations/c-1/messages",
                "/api/conversations/c-1/export?format=csv",
                "/api/messages/recent",
                "/api/search?type=" + SAID,
                "/api/metrics/summary?startDate=" + SAID,
                "/api/realtime/stats",
                "/api/health",
                "/api/openapi.json",
                "/api/stream?types=" + SAID,
                "/" + SAID + "?" + SAID)) {
            send("GET", path, KEY, null, "User-Agent", SAID, "Referer", "http://" + SAID + "/", "Cookie", SAID + "=1");
        }
        assertEquals(400, send("GET", "/api/conversations?key=" + KEY, null, null));
        assertEquals(200, send("POST", "/api/search", KEY, "{\"query\":\"" + SAID + "\"}"));
        assertEquals(201, send("POST", "/api/session", ADMIN_KEY, null));
        assertEquals(201, send("POST", "/api/realtime/ticket", KEY, null));
        assertEquals(
                400,
                send(
                        "PUT",
                        "/api/admin/log-level",
                        ADMIN_KEY,
                        "{\"level\":\"" + SAID + "\",\"logger\":\"" + SAID + "\"}"));
        assertEquals(204, send("DELETE", "/api/conversations/c-1", ADMIN_KEY, null));
    }

    @Test
    void output_isLinesOfJson_withoutContentAndKeys_toTheLast() throws Exception {
        Map<String, String> environment = Map.of(
                "DATABASE_URL",
                TestPostgres.newDatabase(),
                "AGENTPIPE_BRIDGE_API_KEY",
                KEY,
                "AGENTPIPE_ADMIN_API_KEY",
                ADMIN_KEY,
                "LOG_FORMAT",
                "json",
                "LOG_LEVEL",
                "trace");
        List<JsonNode> lines = new ArrayList<>();
        try (ServerProcess process = new ServerProcess(dataDir, environment)) {
            base = process.awaitReady();
            askForEverything();
            process.terminate();
            assertEquals(0, process.awaitExit(PATIENCE), process::output);
            List<String> output = process.output().lines().toList();
            for (String line : output) {
                assertTrue(line.startsWith("{"), "not JSON: " + line);
                lines.add(JsonMapper.shared().readTree(line));
                assertFalse(line.contains(SAID), line);
            }
            assertCommandsWork(output);
        }

        Set<String> messages = new TreeSet<>();
        Set<String> members = new TreeSet<>();
        for (JsonNode line : lines) {
            List<String> all = List.copyOf(line.propertyNames());
            assertEquals(List.of("@timestamp", "level", "logger", "thread", "message"), all.subList(0, 5));
            assertEquals(24, line.get("@timestamp").asString().length());
            messages.add(line.get("message").asString());
            members.addAll(all);
        }
        assertTrue(messages.contains("POST /api/sessions/upload 201"), messages::toString);
        assertTrue(messages.contains("GET (no route) 404"), messages::toString);
        assertTrue(lines.get(lines.size() - 1).get("message").asString().startsWith("Stopped in "), messages::toString);
        JsonNode first = lines.stream()
                .filter(line -> line.path("message").asString().equals("POST /api/ingest 201"))
                .filter(line -> line.get("requestId").asString().equals("the-first"))
                .findFirst()
                .orElseThrow();
        assertEquals(new ApiKey(KEY).toString(), first.get("keyId").asString());
        assertDocumented(members);
    }

    /** The examples and the commands of the document name members that lines have, and no others. */
    private static void assertDocumented(Set<String> members) throws Exception {
        String document = Files.readString(Path.of("../docs/logs.md"));
        Set<String> documented = new TreeSet<>();
        for (String line : document.lines().filter(line -> line.startsWith("{")).toList()) {
            documented.addAll(JsonMapper.shared().readTree(line).propertyNames());
        }
        Matcher used = Pattern.compile("(?<=[ (])\\.([a-zA-Z]+)").matcher(document);
        while (used.find()) {
            documented.add(used.group(1));
        }
        documented.remove("stackTrace"); // nothing has failed
        documented.removeAll(members);
        assertEquals(Set.of(), documented, "in the document, and in no line");
    }

    /** Each does something with what this server has logged. */
    private static void assertCommandsWork(List<String> lines) throws Exception {
        boolean there =
                Stream.of("/usr/bin/jq", "/usr/local/bin/jq").anyMatch(file -> Files.isExecutable(Path.of(file)));
        assertTrue(there || !"true".equals(System.getenv("CI")), "CI needs jq");
        if (!there) {
            System.out.println("The commands of docs/logs.md are not tried: there is no jq");
            return;
        }
        Path file = Files.write(dataDir.resolve("lines"), lines);
        List<String> commands = Files.readAllLines(Path.of("../docs/logs.md")).stream()
                .filter(line -> line.startsWith("log | jq"))
                .map(line -> line.replace("1y2p0ij32e8e7", "the-first").replace("> 500", "> 0"))
                .toList();
        assertTrue(commands.size() > 5, commands::toString);
        for (String command : commands) {
            Process process = new ProcessBuilder(
                            "bash", "-c", "set -o pipefail; log() { cat '" + file + "'; }; " + command)
                    .redirectErrorStream(true)
                    .start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor(), command + ": " + out);
            assertFalse(out.isBlank(), command);
        }
    }
}
