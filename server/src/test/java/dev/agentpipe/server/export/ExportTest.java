package dev.agentpipe.server.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.StringReader;
import java.math.BigDecimal;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.HtmlBlock;
import org.commonmark.node.HtmlInline;
import org.commonmark.node.Image;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.node.Text;
import org.commonmark.parser.Parser;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class ExportTest {

    private static final JsonMapper EXACT = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    /** Said to break out of a file of any format. */
    private static final List<String> HOSTILE = List.of(
            "```\n# A heading of my own\n```js\nalert(1)\n````\n~~~\n",
            "---\ntitle: front matter\n---\n\n[x]: javascript:alert(1)\n[x]\n<script>alert(1)</script>\n<!-- ",
            "> quoted\n\n### 1. Mallory (root)\n\n</pre></code></div>",
            "`".repeat(40) + "\r\n" + "`".repeat(41) + "\n\n\tindented\n",
            "=HYPERLINK(\"http://evil\",\"x\")",
            " \u00A0\u200B+1",
            "\"=1+1",
            "\t=1",
            "\r-1",
            "@SUM(A1)",
            "\uFF1D1+1",
            "-1",
            "|calc",
            "a,\"b\"\r\nc,\"\"\n",
            "",
            "日本語 🚀 \u202Egnp.exe \u0001\u007F\uFFFD",
            "\\u0000 \\n </textarea> &amp; {\"a\":[1]}");

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String event(String type, Map<String, Object> data) {
        return EXACT.writeValueAsString(Map.of("type", type, "timestamp", "2026-11-22T14:34:25.5Z", "data", data));
    }

    private static void ingest(TestServer at, String event) {
        Answer answer = at.ingest(event);
        assertEquals(201, answer.status(), answer::toString);
    }

    private static void startOf(String conversation, String name) {
        ingest(
                server,
                event(
                        "conversation.started",
                        Map.of(
                                "conversation_id",
                                conversation,
                                "mode",
                                "round-robin",
                                "initial_prompt",
                                HOSTILE.get(0),
                                "participants",
                                List.of(Map.of("agent_id", "a-0", "agent_type", "claude", "name", name)),
                                "system_info",
                                Map.of("os", "li\nnux"),
                                "command",
                                Map.of("full_command", "SECRET"))));
    }

    /** Says what is hostile, one message each, in an order that is not that of their numbers. */
    private static String hostileConversation(String conversation) {
        startOf(conversation, "# [Alice](javascript:alert(1)) <b>`x`*\n---");
        for (int i = HOSTILE.size() - 1; i >= 0; i--) {
            Map<String, Object> data = new LinkedHashMap<>();
            data.put("conversation_id", conversation);
            data.put("message_id", conversation + "-" + i);
            data.put(
                    "agent_type",
                    HOSTILE.get(i).isBlank() ? "claude" : HOSTILE.get(i).strip());
            data.put("agent_name", HOSTILE.get(i));
            data.put("content", HOSTILE.get(i));
            data.put("sequence_number", i + 1);
            data.put("tokens_used", 10 * i);
            data.put("cost", new BigDecimal("0.000123456789012345678901234567890"));
            data.put("model", HOSTILE.get(i));
            ingest(server, event("message.created", data));
        }
        return conversation;
    }

    private static Answer export(String conversation, String format, String... headers) {
        String id = URLEncoder.encode(conversation, StandardCharsets.UTF_8).replace("+", "%20");
        return server.get("/api/conversations/" + id + "/export?format=" + format, headers);
    }

    @Test
    void json_hasWhatWasSaid_inOrder() {
        Answer answer = export(hostileConversation("json"), "json");

        assertEquals(200, answer.status());
        assertEquals("application/json; charset=utf-8", answer.header("Content-Type"));
        JsonNode json = EXACT.readTree(answer.response().body());
        assertEquals(HOSTILE, texts(json.get("messages"), "content"));
        assertEquals(HOSTILE, texts(json.get("messages"), "agentName"));
        JsonNode first = json.get("messages").get(0);
        assertEquals(
                new BigDecimal("0.000123456789012345678901234567890"),
                first.get("cost").decimalValue());
        assertEquals("2026-11-22T14:34:25.500Z", first.get("timestamp").stringValue());
        assertEquals("json", json.get("conversation").get("id").stringValue());
        assertEquals(
                HOSTILE.get(0), json.get("conversation").get("initial_prompt").stringValue());
        assertEquals(
                "li\nnux", json.get("conversation").get("system_info").get("os").stringValue());
        assertEquals("claude", json.get("agents").get(0).get("agent_type").stringValue());
        assertEquals("ACTIVE", json.get("status").stringValue());
        assertEquals(HOSTILE.size(), json.get("totalMessages").intValue());
        assertFalse(answer.response().body().contains("SECRET"));
    }

    @Test
    void times_meanWhatTheyMeanInTheReadApi() {
        startOf("times", "Alice");
        server.message("times", "earlier", "sent before its start said that it began");
        JsonNode read = server.get("/api/conversations/times").json();
        Instant created = Instant.parse(read.get("createdAt").stringValue());
        Instant started = Instant.parse(read.get("startedAt").stringValue());
        assertEquals(Instant.parse("2026-11-22T14:34:25.5Z"), started);
        assertNotEquals(started, created, "this server heard of it later");

        JsonNode json = export("times", "json").json();
        assertEquals(created, Instant.parse(json.get("createdAt").stringValue()));
        assertEquals(started, Instant.parse(json.get("startedAt").stringValue()));
        assertEquals(
                started,
                Instant.parse(json.get("conversation").get("started_at").stringValue()));

        Answer markdown = export("times", "markdown");
        List<String> lines = markdown.response().body().lines().toList();
        assertTrue(lines.contains("- Created: " + created), markdown::toString);
        assertTrue(lines.contains("- Started: " + started), markdown::toString);

        try (Stored stored = new Stored(server)) {
            stored.execute("update event_log set floor = log_head()"); // so that the start is made anew
            String start = export("times", "jsonl")
                    .response()
                    .body()
                    .lines()
                    .findFirst()
                    .orElseThrow();
            assertEquals(
                    started,
                    Instant.parse(EXACT.readTree(start).get("timestamp").stringValue()));
            stored.execute("update event_log set floor = 0");
        }
    }

    private static List<String> texts(JsonNode array, String name) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(element -> element.get(name).stringValue())
                .toList();
    }

    @Test
    void csv_isReadBackByAParser_andNoCellIsAFormula() throws Exception {
        Answer answer = export(hostileConversation("csv"), "csv");

        assertEquals("text/csv; charset=utf-8; header=present", answer.header("Content-Type"));
        String body = answer.response().body();
        assertTrue(body.startsWith("\uFEFFTimestamp,Agent,Type,Model,"), "agentpipe-web's columns, for spreadsheets");
        List<CSVRecord> records = CSVFormat.RFC4180
                .builder()
                .setHeader()
                .setSkipHeaderRecord(true)
                .build()
                .parse(new StringReader(body.substring(1)))
                .getRecords();
        assertEquals(HOSTILE.size(), records.size());
        for (int i = 0; i < HOSTILE.size(); i++) {
            CSVRecord record = records.get(i);
            assertTrue(record.isConsistent());
            String content = record.get("Content");
            boolean defused = content.startsWith("'");
            assertEquals(HOSTILE.get(i), defused ? content.substring(1) : content);
            assertEquals(i >= 4 && i <= 12 || i == 1, defused, HOSTILE.get(i));
            assertEquals("0.00012345678901234567890123456789", record.get("Cost"), "a number stays a number");
            assertEquals(Integer.toString(10 * i), record.get("Total Tokens"));
            assertEquals("2026-11-22T14:34:25.500Z", record.get("Timestamp"));
            for (String cell : record) {
                assertFalse(cell.matches("(?s)[=+@\\t\\r].*|-.*"), cell);
            }
        }
    }

    @Test
    void markdown_cannotBeBrokenOutOf() {
        Answer answer = export(hostileConversation("markdown"), "markdown");

        assertEquals("text/markdown; charset=utf-8", answer.header("Content-Type"));
        Node document = Parser.builder().build().parse(answer.response().body());
        List<String> headings = new ArrayList<>();
        List<String> fences = new ArrayList<>();
        document.accept(new AbstractVisitor() {
            @Override
            public void visit(Heading heading) {
                headings.add(heading.getLevel() + text(heading));
            }

            @Override
            public void visit(FencedCodeBlock block) {
                fences.add(block.getLiteral());
            }

            @Override
            public void visit(Link link) {
                throw new AssertionError("a link to " + link.getDestination());
            }

            @Override
            public void visit(Image image) {
                throw new AssertionError("an image of " + image.getDestination());
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
        List<String> sections = headings.stream()
                .filter(heading -> !heading.startsWith("3"))
                .map(heading -> heading.substring(1))
                .toList();
        assertEquals(List.of("Participants", "Prompt", "Messages"), sections.subList(1, sections.size()));
        assertEquals(HOSTILE.size() + 4, headings.size());
        for (int i = 0; i < HOSTILE.size(); i++) {
            assertTrue(headings.get(i + 4).startsWith("3" + (i + 1) + ". "), headings.get(i + 4));
        }
        assertEquals(HOSTILE.size() + 1, fences.size(), "the prompt and each message");
        for (int i = 0; i < HOSTILE.size(); i++) {
            assertEquals(lines(HOSTILE.get(i)), lines(fences.get(i + 1)));
        }
        assertFalse(answer.response().body().contains("SECRET"));
    }

    /** A parser gives all line ends as \n, and one at the end. */
    private static List<String> lines(String text) {
        return text.lines().toList();
    }

    private static String text(Node node) {
        StringBuilder text = new StringBuilder();
        node.accept(new AbstractVisitor() {
            @Override
            public void visit(Text part) {
                text.append(part.getLiteral());
            }
        });
        return text.toString();
    }

    @Test
    void jsonLines_elsewhere_makeTheSameRows() {
        String conversation = hostileConversation("lines");
        ingest(
                server,
                event(
                        "conversation.error",
                        Map.of("conversation_id", conversation, "error_message", "e", "error_type", "timeout")));
        ingest(
                server,
                event(
                        "conversation.completed",
                        Map.of(
                                "conversation_id",
                                conversation,
                                "status",
                                "interrupted",
                                "total_turns",
                                3,
                                "total_cost",
                                new BigDecimal("1.5"),
                                "duration_seconds",
                                2.5,
                                "summary",
                                Map.of("short_text", "s", "text", HOSTILE.get(1)))));
        assertSameRowsElsewhere(conversation);
        Answer again =
                server.ingest(export(conversation, "jsonl").response().body(), "Content-Type", "application/x-ndjson");
        assertEquals(0, again.json().get("accepted").intValue(), "here, all of it is known");

        try (Stored stored = new Stored(server)) {
            stored.execute("update event_log set floor = log_head()"); // as if old events had gone
            assertSameRowsElsewhere(conversation);
            stored.execute("update event_log set floor = 0");
        }
    }

    @Test
    void json_elsewhere_isUploaded() {
        String conversation = hostileConversation("uploaded");
        server.message(conversation, "nameless", "no name, no number"); // the last one
        try (TestServer elsewhere = TestServer.start()) {
            HttpRequest upload = HttpRequest.newBuilder(elsewhere.uri("/api/sessions/upload"))
                    .header("Authorization", "Bearer " + TestServer.KEY)
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(
                            export(conversation, "json").response().body()))
                    .build();
            Answer answer = elsewhere.send(upload);
            assertEquals(201, answer.status(), answer::toString);
            assertEquals(
                    HOSTILE.size() + 1, answer.json().get("messages_created").intValue());
            assertEquals(200, elsewhere.send(upload).status(), "the same again");
            JsonNode there = EXACT.readTree(elsewhere
                    .get("/api/conversations/" + conversation + "/export")
                    .response()
                    .body());
            JsonNode here =
                    EXACT.readTree(export(conversation, "json").response().body());
            assertEquals(texts(here.get("messages"), "message_id"), texts(there.get("messages"), "message_id"));
            assertEquals(texts(here.get("messages"), "content"), texts(there.get("messages"), "content"));
            assertEquals(here.get("totalCost"), there.get("totalCost"));
            assertEquals(here.get("status"), there.get("status"));
            assertEquals(here.get("agents"), there.get("agents"));
            assertEquals(
                    here.get("conversation").get("started_at"),
                    there.get("conversation").get("started_at"));
        }
    }

    private static void assertSameRowsElsewhere(String conversation) {
        Answer lines = export(conversation, "jsonl");
        assertEquals("application/x-ndjson; charset=utf-8", lines.header("Content-Type"));
        assertFalse(lines.response().body().contains("SECRET"));
        try (TestServer elsewhere = TestServer.start()) {
            Answer answer = elsewhere.ingest(lines.response().body(), "Content-Type", "application/x-ndjson");
            assertEquals(200, answer.status(), answer::toString);
            assertEquals(
                    List.of(),
                    StreamSupport.stream(answer.json().get("rejected").spliterator(), false)
                            .toList());
            assertEquals(
                    String.join("\n", rows(server, conversation)), String.join("\n", rows(elsewhere, conversation)));
        }
    }

    private static List<String> rows(TestServer of, String conversation) {
        try (Stored stored = new Stored(of)) {
            List<JsonNode> rows = new ArrayList<>();
            rows.addAll(stored.rows(
                    "(select *, trim_scale(message_cost), null as command, null as created_at,"
                            + " null as last_received_at, null as reported_identity, null as error_identity"
                            + " from conversations where id = '" + conversation + "')",
                    "true"));
            rows.addAll(stored.rows("conversation_agents", "conversation_id = ? order by ordinal", conversation));
            rows.addAll(stored.rows(
                    "(select *, null as position from messages)",
                    "conversation_id = ? order by sequence_number, message_id",
                    conversation));
            return rows.stream().map(JsonNode::toString).toList();
        }
    }

    @Test
    void headers_nameTheFile() throws Exception {
        server.message("a:..:b\\\"\\r\\n;=%20 ü日", "m", "x"); // as it stands in JSON

        Answer answer = export("a:..:b\"\r\n;=%20 ü日", "csv");
        assertEquals(200, answer.status(), answer::toString);
        assertEquals(
                "attachment; filename=\"conversation-a____b______20___-2026-11-22.csv\";"
                        + " filename*=UTF-8''conversation-a____b______20_%C3%BC%E6%97%A5-2026-11-22.csv",
                answer.header("Content-Disposition"));
        assertEquals("nosniff", answer.header("X-Content-Type-Options"));
        assertEquals("private, no-cache", answer.header("Cache-Control"));
    }

    @Test
    void head_and_etag() throws Exception {
        server.message("tagged", "t1", "x");
        Answer answer = export("tagged", "json");
        String tag = answer.header("ETag");
        assertEquals(304, export("tagged", "json", "If-None-Match", tag).status());
        assertEquals(200, export("tagged", "csv", "If-None-Match", tag).status());
        Answer head = server.send(HttpRequest.newBuilder(server.uri("/api/conversations/tagged/export"))
                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                .build());
        assertEquals(200, head.status());
        assertEquals(tag, head.header("ETag"));
        assertNotNull(head.header("Content-Disposition"));
        assertNull(head.header("Content-Length"), "which is not known before all is read");
        server.message("tagged", "t2", "x");
        assertEquals(200, export("tagged", "json", "If-None-Match", tag).status());
        try (RawHttp http = RawHttp.open(server.port())) { // the connection can be used again
            http.write(RawHttp.head("HEAD /api/conversations/tagged/export HTTP/1.1", 0));
            assertEquals(200, http.read(false).status());
            http.write(RawHttp.head("GET /api/health/live HTTP/1.1", 0));
            assertEquals(200, http.read().status());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"xml", "JSON", "json,csv", "%00"})
    void format_unknown_is400(String format) {
        Answer answer = export("nobody", format);
        assertEquals(400, answer.status());
        assertEquals("format", answer.json().get("errors").get(0).get("pointer").stringValue());
    }

    @Test
    void conversation_unknown_is404() {
        assertEquals(404, export("nobody", "csv").status());
        assertEquals(400, export("x".repeat(256), "csv").status());
        assertEquals("not_found", export("nobody", "jsonl").json().get("code").stringValue());
    }
}
