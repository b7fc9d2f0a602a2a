package dev.agentpipe.server.hardening;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** SQL in every parameter of every URL, and in every text of a body: it is a text as any other. */
final class InjectionTest {

    private static final List<String> SQL = List.of(
            "'",
            "''",
            "\\'",
            "' or '1'='1",
            "'; drop table conversations; --",
            "') union select secret from api_keys --",
            "1; select pg_sleep(60)",
            "$$; drop table events; $$",
            "\"; drop table events; --",
            "%' escape '%",
            "x' || (select current_user) || '",
            "?::int[1] {fn now()} :name");

    /** As much of a text, and as little. */
    private static final String HARMLESS = "zz-nobody-has-this";

    /** What tells of the inside. */
    private static final Pattern INSIDE = Pattern.compile(
            "exception|jooq|psql|postgres|syntax error|sqlstate|hikari|undertow|at dev\\.agentpipe|java\\.|\\.java:");

    private static TestServer server;
    private static Stored stored;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        stored = new Stored(server);
        server.message("c", "m1", "hello");
    }

    @AfterAll
    static void stop() {
        stored.close();
        server.close();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static Answer send(String method, String path, String body, String key) {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.uri(path))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + key);
        Answer answer = server.send(request.build());
        String told = answer.response().body().toLowerCase(Locale.ROOT);
        assertTrue(answer.status() < 500, () -> path + ": " + answer);
        assertFalse(INSIDE.matcher(told).find(), () -> path + ": " + answer);
        assertEquals(null, answer.header("Server"));
        assertEquals(null, answer.header("X-Powered-By"));
        return answer;
    }

    /** Paths with one parameter each, and {@code <>} in its place. */
    private static List<String> parameters() {
        List<String> paths = new ArrayList<>();
        JsonNode document = server.get("/api/openapi.json").json();
        document.get("paths").properties().forEach(entry -> {
            String path = entry.getKey();
            if (!entry.getValue().has("get") || path.endsWith("/stream")) {
                return;
            }
            for (JsonNode parameter : entry.getValue().at("/get/parameters")) {
                JsonNode one = parameter.has("$ref")
                        ? document.at(parameter.get("$ref").stringValue().substring(1))
                        : parameter;
                String name = one.get("name").stringValue();
                if (one.get("in").stringValue().equals("path")) {
                    paths.add(path.replace("{" + name + "}", "<>"));
                } else if (one.get("in").stringValue().equals("query")) {
                    paths.add(path.replace("{id}", "c") + "?" + name + "=<>");
                }
            }
        });
        assertTrue(paths.size() > 25, paths::toString);
        return paths;
    }

    @Test
    void parameter_withSql_isAnsweredAsAnyOtherText_andChangesNothing() {
        String before = stored.fingerprint();
        for (String path : parameters()) {
            Answer harmless = send("GET", path.replace("<>", HARMLESS), null, TestServer.KEY);
            for (String sql : SQL) {
                Answer answer = send("GET", path.replace("<>", encoded(sql)), null, TestServer.KEY);
                assertEquals(harmless.status(), answer.status(), () -> path + " with " + sql + ": " + answer);
                if (answer.status() == 200) {
                    assertEquals(
                            harmless.json().at("/pagination/totalCount"),
                            answer.json().at("/pagination/totalCount"),
                            path + " with " + sql);
                }
            }
        }
        for (String sql : SQL) {
            assertEquals(
                    404,
                    send("DELETE", "/api/conversations/" + encoded(sql), null, TestServer.ADMIN_KEY)
                            .status());
        }
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void search_withSql_findsWhatAnyOtherTextFinds() {
        String body = "{\"query\":\"%s\",\"filters\":{\"agentTypes\":[\"%s\"],\"models\":[\"%s\"]}}";
        String before = stored.fingerprint();
        for (String sql : SQL) {
            String text = JsonMapper.shared().writeValueAsString(sql);
            String json = body.replace("\"%s\"", text);
            Answer answer = send("POST", "/api/search", json, TestServer.KEY);
            assertEquals(200, answer.status(), answer::toString);
            assertEquals(0, answer.json().get("results").size(), answer::toString);
            for (String member : List.of("sort", "order", "page", "limit", "typing")) {
                assertEquals(
                        400,
                        send("POST", "/api/search", "{\"" + member + "\":" + text + "}", TestServer.KEY)
                                .status());
            }
        }
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void event_withSql_isStoredAndFoundAsItIs() {
        for (int i = 0; i < SQL.size(); i++) {
            String sql = SQL.get(i);
            String text = JsonMapper.shared().writeValueAsString(sql);
            String json = text.substring(1, text.length() - 1);
            server.message("id " + json, "sql-" + i + json, json);
            String path = "/api/conversations/" + encoded("id " + sql);
            assertEquals(sql, server.get(path).json().at("/messages/0/content").stringValue());
            assertEquals(200, server.get(path + "/export?format=csv").status(), path);
            assertEquals(1, stored.count("messages", "content = ?", sql));
            Answer deleted = send("DELETE", path, null, TestServer.ADMIN_KEY);
            assertEquals(204, deleted.status());
        }
        assertEquals(1, stored.count("conversations", "true"));
    }
}
