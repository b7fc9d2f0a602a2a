package dev.agentpipe.server.browser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.IOException;
import java.io.StringReader;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.HtmlBlock;
import org.commonmark.node.HtmlInline;
import org.commonmark.node.Image;
import org.commonmark.node.Link;
import org.commonmark.parser.Parser;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What was said, and who said it, comes back as the text that it is, in every answer, export and stream. */
final class StoredTextTest {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        Hostile.TEXTS.forEach(text -> {
            Hostile.store(server, text);
            Hostile.upload(server, text);
        });
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static List<String> texts() {
        return Hostile.TEXTS;
    }

    private static void assertIsNoPage(Answer answer) {
        String type = answer.header("Content-Type");
        assertFalse(type.matches("(?i).*(html|xml|svg|script).*"), type);
        assertTrue(type.contains("; charset=utf-8"), type);
        assertEquals("nosniff", answer.header("X-Content-Type-Options"));
        assertTrue(answer.header("Content-Security-Policy").startsWith("default-src 'none'; "));
    }

    /** All strings in it, names and values. */
    private static Set<String> strings(JsonNode node, Set<String> found) {
        if (node.isString()) {
            found.add(node.stringValue());
        }
        found.addAll(node.propertyNames());
        node.forEach(child -> strings(child, found));
        return found;
    }

    private static Answer assertJsonWith(String text, Answer answer) {
        assertEquals(200, answer.status(), answer::toString);
        assertEquals("application/json; charset=utf-8", answer.header("Content-Type"));
        assertIsNoPage(answer);
        Set<String> strings = strings(answer.json(), new TreeSet<>());
        assertTrue(strings.contains(text), answer::toString);
        return answer;
    }

    @ParameterizedTest
    @MethodSource("texts")
    void json_hasTheText(String text) {
        for (String id : List.of(text, "s" + text)) {
            String path = "/api/conversations/" + Hostile.encoded(id);
            JsonNode detail = assertJsonWith(text, server.get(path)).json();
            assertEquals(id, detail.get("id").stringValue());
            assertEquals(text, detail.get("mode").stringValue());
            assertEquals(text, detail.at("/messages/0/content").stringValue());
            assertJsonWith(text, server.get(path + "/messages"));
            assertJsonWith(text, server.get(path + "/export?format=json"));
        }
        assertJsonWith(text, server.get("/api/conversations?limit=100"));
        assertJsonWith(text, server.get("/api/messages/recent?limit=50&status=ERROR"));
        assertJsonWith(text, server.get("/api/search?type=agents"));
        assertJsonWith(text, server.get("/api/search?type=models"));
        assertJsonWith(text, server.get("/api/metrics/summary?startDate=2026-01-01&interval=day&endDate=2026-12-31"));
    }

    @Test
    void search_hasTheTexts_andNoMarkupOfItsOwn() {
        Answer answer = server.send(HttpRequest.newBuilder(server.uri("/api/search"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"query\":\"owned\",\"limit\":100}"))
                .build());

        Set<String> strings =
                strings(assertJsonWith(Hostile.TEXTS.get(0), answer).json(), new TreeSet<>());
        for (String text : Hostile.TEXTS) {
            assertTrue(strings.contains(text), text);
        }
        assertFalse(answer.response().body().contains("<mark"));
    }

    @Test
    void list_filteredByTheText_hasIt() {
        for (String text : Hostile.TEXTS) {
            for (String name : Stream.of("agentType", "model", "mode").toList()) {
                Answer answer = server.get("/api/conversations?" + name + "=" + Hostile.encoded(text));
                assertIsNoPage(answer);
                assertTrue(answer.status() == 200 || answer.status() == 400, answer::toString);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("texts")
    void jsonLines_areLinesOfJson(String text) {
        for (String id : List.of(text, "s" + text)) {
            Answer answer = export(id, "jsonl");
            for (String line : answer.response().body().split("\n")) {
                JsonNode event = JSON.readTree(line);
                assertEquals(id, event.at("/data/conversation_id").stringValue());
            }
        }
    }

    private static Answer export(String id, String format) {
        Answer answer = server.get("/api/conversations/" + Hostile.encoded(id) + "/export?format=" + format);
        assertEquals(200, answer.status(), answer::toString);
        assertIsNoPage(answer);
        assertTrue(answer.header("Content-Disposition").startsWith("attachment; "), "never shown in its place");
        return answer;
    }

    @ParameterizedTest
    @MethodSource("texts")
    void csv_isOfTextsAndNumbers(String text) throws IOException {
        for (String id : List.of(text, "s" + text)) {
            String body = export(id, "csv").response().body();
            List<CSVRecord> records =
                    CSVFormat.RFC4180.parse(new StringReader(body)).getRecords();
            assertEquals(2, records.size());
            for (String cell : records.get(1)) {
                assertFalse(cell.matches("(?s)[=+@|%\\t\\r\\n-].*"), cell);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("texts")
    void markdown_hasNoMarkupOfTheText(String text) {
        for (String id : List.of(text, "s" + text)) {
            Parser.builder()
                    .build()
                    .parse(export(id, "markdown").response().body())
                    .accept(new AbstractVisitor() {
                        @Override
                        public void visit(Link link) {
                            throw new AssertionError(link);
                        }

                        @Override
                        public void visit(Image image) {
                            throw new AssertionError(image);
                        }

                        @Override
                        public void visit(HtmlInline html) {
                            throw new AssertionError(html.getLiteral());
                        }

                        @Override
                        public void visit(HtmlBlock html) {
                            throw new AssertionError(html.getLiteral());
                        }
                    });
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "&named=true"})
    void stream_isOfItsOwnFieldsAlone(String named) throws IOException {
        int events = 0;
        int texts = 0;
        try (RawStream stream = server.stream("/api/realtime/stream?replay=1000" + named)) {
            stream.block();
            for (int count = 6 * Hostile.TEXTS.size(); events < count; events++) {
                String block = stream.event();
                for (String line : block.split("\r\n|\r|\n")) { // whatever an EventSource takes for the end of a line
                    assertTrue(
                            line.matches("(?s)(id: [a-z0-9]+-\\d+|event: [a-z.]+|data: \\{.*\\}|:heartbeat|)"), line);
                }
                assertEquals(
                        1,
                        block.lines().filter(line -> line.startsWith("data: ")).count());
                JsonNode event = JSON.readTree(RawStream.data(block));
                assertFalse(event.get("data").has("command"));
                String id = event.at("/data/conversation_id").stringValue();
                texts += event.get("data").has(id) ? 1 : 0; // the name that nobody knows
                assertTrue(Hostile.TEXTS.contains(id) || Hostile.TEXTS.contains(id.substring(1)), id);
            }
        }
        assertEquals(5 * Hostile.TEXTS.size(), texts);
    }

    /** Sent in lines, which JSON allows between its tokens. */
    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r", "\r\n", "\r\ndata:\r\n\r\n", "\n\n"})
    void stream_ofAnEventInManyLines_isOneLine(String lineEnd) throws IOException {
        try (RawStream stream = server.stream("/api/realtime/stream")) {
            stream.block();
            String blank = lineEnd.replace("data:", " ");
            Answer answer = server.ingest("{" + blank + "\"type\":" + blank + "\"bridge.test\"," + blank + "\"data\":{"
                    + blank + "\"x\":" + blank + "[1," + blank + "2]" + blank + "}" + blank + "}");
            assertEquals(201, answer.status(), answer::toString);
            String block = stream.event();
            assertEquals(List.of("id", "data", ""), names(block), block);
        }
    }

    private static List<String> names(String block) {
        return Stream.of(block.substring(0, block.length() - 1).split("\r\n|\r|\n", -1))
                .map(line -> line.replaceFirst(":.*", ""))
                .toList();
    }

    /** What is wrong is told with the caller's own words in it, which are as little a page. */
    @ParameterizedTest
    @MethodSource("texts")
    void error_isNoPageEither(String text) {
        String encoded = Hostile.encoded(text);
        for (String path : List.of(
                "/api/" + encoded,
                "/" + encoded,
                "/api/conversations/none" + encoded,
                "/api/conversations?limit=" + encoded,
                "/api/conversations?" + encoded + "=x&sort=" + encoded,
                "/api/conversations?cursor=" + encoded,
                "/api/conversations/none/export?format=" + encoded,
                "/api/search?type=" + encoded,
                "/api/stream?types=" + encoded,
                "/api/docs/" + encoded)) {
            Answer answer = server.get(path);
            assertTrue(answer.status() == 404 || answer.status() == 400, () -> path + answer);
            assertEquals("application/problem+json; charset=utf-8", answer.header("Content-Type"));
            assertIsNoPage(answer);
            answer.json();
        }
        String event = JSON.writeValueAsString(
                Map.of("type", text, "timestamp", text, "data", Map.of("conversation_id", List.of(text), text, text)));
        Answer refused = server.ingest(event);
        assertEquals(400, refused.status());
        assertIsNoPage(refused);
        refused.json();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a/b",
                "a//b",
                "/a",
                "a/",
                "//",
                "a/b/messages",
                "a/export",
                "a;b=c",
                ";",
                "a?b",
                "a#b",
                "a%2Fb",
                "%",
                "+ +",
                "a\\b",
                "..",
                "../..",
                "a/../b",
                "./a",
                "http://x/y",
                "a:b@c",
                "\u00fc/\u65e5",
                "*",
                "a\rb\nc\td"
            })
    void id_ofAnyCharacters_isFoundAlike(String id) throws IOException {
        assertEquals(
                201,
                server.ingest(JSON.writeValueAsString(Map.of(
                                "type",
                                "message.created",
                                "data",
                                Map.of("conversation_id", id, "agent_type", "a", "content", "x"))))
                        .status());
        String path = "/api/conversations/" + Hostile.encoded(id);
        List<String> wrong = new ArrayList<>();
        for (String more : List.of("", "?x=y", "/messages", "/messages?limit=1", "/export", "/export?format=csv")) {
            String head = RawHttp.head("GET " + path + more + " HTTP/1.1", 0);
            int status = RawHttp.ask(
                            server.port(), head.replace("Host: localhost", "Host: localhost\r\nConnection: close"))
                    .status();
            if (status != 200) {
                wrong.add(more + " " + status);
            }
        }
        assertEquals(List.of(), wrong, id);
        String delete = RawHttp.head("DELETE " + path + "/export HTTP/1.1", 0);
        assertEquals(405, RawHttp.ask(server.port(), delete).status(), "it names no conversation called export");
    }

    @Test
    void pages_haveNothingOfIt() {
        for (String path : List.of("/api/docs", "/api/openapi.json")) {
            assertFalse(server.get(path).response().body().contains("owned"), path);
        }
    }
}
