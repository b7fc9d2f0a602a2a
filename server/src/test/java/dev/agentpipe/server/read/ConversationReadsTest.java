package dev.agentpipe.server.read;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** What is read back of conversations that came by ingest, over HTTP. */
final class ConversationReadsTest {

    private static TestServer server;

    /**
     * c0 to c4 began one hour after the other, with 1 to 5 messages of 100 tokens each, sent in reverse; c0 to c2 are
     * completed, c1 with reported totals, c3 has failed, c4 is active.
     */
    @BeforeAll
    static void start() {
        server = TestServer.start();
        for (int i = 0; i < 5; i++) {
            String id = "c" + i;
            for (int m = i; m >= 0; m--) {
                ingest(
                        "message.created",
                        i,
                        m + 1,
                        "\"conversation_id\":\"" + id + "\",\"message_id\":\"" + id + "m" + m
                                + "\",\"agent_type\":\"claude\",\"agent_name\":\"Alice\",\"content\":\"says " + m
                                + "\",\"sequence_number\":" + (m + 1)
                                + ",\"tokens_used\":100,\"cost\":0.0000001,\"duration_ms\":5");
            }
            ingest(
                    "conversation.started",
                    i,
                    0,
                    "\"conversation_id\":\"" + id + "\",\"mode\":\"" + (i % 2 == 0 ? "round-robin" : "reactive")
                            + "\",\"initial_prompt\":\"\\n  Prompt of " + id
                            + ".\\nMore.\",\"max_turns\":7,\"participants\":[{\"agent_id\":\"claude-0\",\"agent_type\":\"claude\","
                            + "\"name\":\"Alice\",\"model\":\"opus\",\"prompt\":\"Be brief.\"},{\"agent_type\":\"gemini\",\"name\":\"Bob\","
                            + "\"model\":\"m" + i
                            + "\"}],\"system_info\":{\"agentpipe_version\":\"0.7.0\",\"os\":\"linux\",\"arch\":\"amd64\",\"zero\":\"\\u0000\"},"
                            + "\"command\":{\"full_command\":\"agentpipe run --secret\"}");
        }
        ingest("conversation.completed", 0, 30, "\"conversation_id\":\"c0\",\"status\":\"completed\"");
        ingest(
                "conversation.completed",
                1,
                30,
                "\"conversation_id\":\"c1\",\"status\":\"completed\",\"total_messages\":9,\"total_tokens\":999,"
                        + "\"total_cost\":0.10,\"duration_seconds\":4.3444,\"summary\":{\"short_text\":\"Short\",\"text\":\"Long\","
                        + "\"agent_type\":\"gemini\",\"input_tokens\":11,\"cost\":0.00000002}");
        ingest("conversation.interrupted", 2, 30, "\"conversation_id\":\"c2\"");
        ingest("conversation.error", 3, 30, "\"conversation_id\":\"c3\",\"error_message\":\"Too many requests\"");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static void ingest(String type, int hour, int minute, String data) {
        Answer answer = server.ingest("{\"type\":\"" + type + "\",\"timestamp\":\"2026-11-22T1" + hour
                + String.format(":%02d", minute) + ":00+02:00\",\"data\":{" + data + "}}");
        assertEquals(201, answer.status(), answer::toString);
    }

    private static JsonNode get(String path) {
        Answer answer = server.get(path);
        assertEquals(200, answer.status(), answer::toString);
        return answer.json();
    }

    private static List<String> ids(JsonNode body) {
        return body.get("conversations")
                .valueStream()
                .map(one -> one.get("id").stringValue())
                .toList();
    }

    private static List<String> list(String query) {
        return ids(get("/api/conversations?" + query));
    }

    @Test
    void list_withoutParameters_isTheNewestFirstInAgentpipeWebsShape() {
        JsonNode body = get("/api/conversations");

        assertEquals(List.of("c4", "c3", "c2", "c1", "c0"), ids(body));
        assertEquals(
                "{\"page\":1,\"pageSize\":20,\"totalCount\":5,\"totalPages\":1,\"isTotalExact\":true,\"hasNextPage\":false,"
                        + "\"hasPreviousPage\":false,\"nextCursor\":null}",
                body.get("pagination").toString());
        assertTrue(body.get("streamPosition").stringValue().matches("[0-9a-z]{6}-\\d+"), body::toString);
        JsonNode reported = body.get("conversations").get(3);
        assertEquals("Prompt of c1.", reported.get("name").stringValue());
        assertEquals("reactive", reported.get("mode").stringValue());
        assertEquals("COMPLETED", reported.get("status").stringValue());
        assertEquals("cli-stream", reported.get("source").stringValue());
        assertEquals("2026-11-22T09:00:00Z", reported.get("startedAt").stringValue());
        assertEquals("2026-11-22T09:30:00Z", reported.get("completedAt").stringValue());
        assertEquals("Long", reported.get("summaryText").stringValue());
        assertEquals("gemini", reported.get("summaryAgentType").stringValue());
        assertTrue(reported.get("summaryModel").isNull());
        assertEquals(9, reported.get("totalMessages").asInt());
        assertEquals(2, reported.get("messageCount").asInt());
        assertEquals(4344, reported.get("totalDuration").asInt());
        assertEquals(
                "[{\"agentType\":\"claude\",\"agentName\":\"Alice\",\"agentId\":\"claude-0\",\"model\":\"opus\"},"
                        + "{\"agentType\":\"gemini\",\"agentName\":\"Bob\",\"agentId\":\"gemini-1\",\"model\":\"m1\"}]",
                reported.get("participants").toString());
        assertFalse(body.toString().contains("--secret"), body::toString);
    }

    @Test
    void costs_arePlainNumbersToTheirLastDigit() {
        String text = server.get("/api/conversations").response().body();
        assertTrue(text.contains("\"totalCost\":0.0000005,"), text);
        assertTrue(text.contains("\"totalCost\":0.10,"), text);
        String detail = server.get("/api/conversations/c1").response().body();
        assertTrue(detail.contains("\"summaryCost\":0.00000002,"), detail);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sort=totalMessages                          | c1 c4 c3 c2 c0",
                "sort=totalTokens&order=asc                  | c0 c2 c3 c4 c1",
                "sortBy=totalCost&sortOrder=desc             | c1 c4 c3 c2 c0",
                "sort=totalDuration                          | c1 c4 c3 c2 c0",
                "sort=startedAt&order=asc&limit=3            | c0 c1 c2",
                "sort=totalTokens&page=2&pageSize=2          | c3 c2",
                "page=3&pageSize=2                           | c0",
                "page=4&pageSize=2                           |",
                "status=COMPLETED                            | c1 c0",
                "status=COMPLETED,INTERRUPTED&status=ERROR   | c3 c2 c1 c0",
                "status=ACTIVE&sort=totalCost                | c4",
                "status=ERROR&sort=totalCost                 | c3",
                "mode=reactive                               | c3 c1",
                "source=cli-upload                           |",
                "agentType=gemini                            | c4 c3 c2 c1 c0",
                "agentType=codex                             |",
                "model=m2                                    | c2",
                "model=opus&agentType=claude                 | c4 c3 c2 c1 c0",
                "model=opus&agentType=gemini                 |",
                "startDate=2026-11-22T11:00:00%2B02:00       | c4 c3 c2 c1",
                "endDate=2026-11-22T09:00:00Z                | c1 c0",
                "startDate=2026-11-22&endDate=2026-11-22     | c4 c3 c2 c1 c0",
                "startDate=2026-11-23                        |",
                "endDate=2026-11-21                          |",
                "unknown=parameter&status=                   | c4 c3 c2 c1 c0"
            })
    void list_filtersAndSorts(String query, String ids) {
        assertEquals(ids == null ? List.of() : List.of(ids.split(" ")), list(query));
    }

    @ParameterizedTest
    @CsvSource({"createdAt", "startedAt", "totalCost", "totalTokens", "totalDuration", "totalMessages"})
    void cursor_walksThroughAllOfAnyOrder(String sort) {
        for (String order : List.of("asc", "desc")) {
            String query = "sort=" + sort + "&order=" + order + "&agentType=claude";
            List<String> walked = new ArrayList<>();
            String cursor = "";
            for (int pages = 0; cursor != null; pages++) {
                JsonNode body = get("/api/conversations?limit=2&" + query + (pages == 0 ? "" : "&cursor=" + cursor));
                walked.addAll(ids(body));
                assertEquals(pages > 0, body.get("pagination").get("totalCount").isNull());
                assertEquals(
                        pages < 2, body.get("pagination").get("hasNextPage").booleanValue());
                cursor = body.get("pagination").get("nextCursor").stringValue(null);
            }
            assertEquals(list(query), walked);
        }
    }

    @Test
    void cursor_ofAnotherQueryOrDamaged_isRefused() {
        String cursor = get("/api/conversations?limit=2")
                .get("pagination")
                .get("nextCursor")
                .stringValue();
        assertEquals(3, list("cursor=" + cursor).size());
        assertRefused("cursor=" + cursor + "&order=asc", "cursor");
        assertRefused("cursor=" + cursor + "&sort=totalCost", "cursor");
        assertRefused("cursor=" + cursor + "&status=ERROR", "cursor");
        assertRefused("cursor=" + cursor + "&page=2", "page");
        for (int i = 0; i < cursor.length(); i++) {
            String damaged = cursor.substring(0, i) + (cursor.charAt(i) == 'B' ? 'C' : 'B') + cursor.substring(i + 1);
            assertRefused("cursor=" + damaged, "cursor");
        }
        assertRefused("cursor=" + cursor.substring(0, 12), "cursor");
        assertEquals(
                400,
                server.get("/api/conversations/c4/messages?cursor=" + cursor).status());
    }

    @ParameterizedTest
    @CsvSource({
        "sort=name, sort",
        "sortBy=totalcost, sortBy",
        "order=down, order",
        "page=0, page",
        "page=-1, page",
        "page=1.5, page",
        "page=502, page",
        "page=99999999999999999999, page",
        "limit=0, limit",
        "limit=101, limit",
        "limit=1000000000, limit",
        "pageSize=x, pageSize",
        "status=active, status",
        "status=ACTIVE&status=DONE, status",
        "startDate=yesterday, startDate",
        "endDate=2026-02-30, endDate",
        "startDate=2026-11-22T10:00:00, startDate",
        "mode=%00, mode",
        "cursor=%F0%9F%9A%80, cursor",
        "cursor=, ''"
    })
    void list_badParameter_isNamed(String query, String name) {
        if (name.isEmpty()) {
            assertEquals(5, list(query).size());
        } else {
            assertRefused(query, name);
        }
    }

    private static void assertRefused(String query, String name) {
        assertRefused("/api/conversations?", query, name);
    }

    private static void assertRefused(String path, String query, String name) {
        Answer answer = server.get(path + query);
        assertEquals(400, answer.status(), () -> query + ": " + answer);
        assertEquals("invalid_parameter", answer.json().get("code").stringValue());
        assertEquals(
                List.of(name),
                answer.json()
                        .get("errors")
                        .valueStream()
                        .map(one -> one.get("pointer").stringValue())
                        .toList());
    }

    @Test
    void badParameters_areAllNamed() {
        Answer answer = server.get("/api/conversations?sort=x&limit=0&startDate=z&model=" + "m".repeat(120));
        assertEquals(4, answer.json().get("errors").size(), answer::toString);
    }

    @Test
    void detail_hasAllInTheOrderInWhichItWasHeld() {
        JsonNode body = get("/api/conversations/c1");

        assertEquals("\n  Prompt of c1.\nMore.", body.get("initialPrompt").stringValue());
        assertEquals(7, body.get("maxTurns").asInt());
        assertEquals("0.7.0", body.get("agentpipeVersion").stringValue());
        assertEquals("linux", body.get("systemOS").stringValue());
        assertEquals("amd64", body.get("systemArchitecture").stringValue());
        assertEquals("\u0000", body.get("systemInfo").get("zero").stringValue());
        assertEquals(11, body.get("summaryInputTokens").asInt());
        assertEquals("Short", body.get("summaryData").get("short_text").stringValue());
        assertEquals("2026-11-22T09:30:00Z", body.get("summaryGeneratedAt").stringValue());
        assertEquals("Be brief.", body.get("participants").get(0).get("prompt").stringValue());
        assertEquals(
                List.of("says 0", "says 1"),
                body.get("messages")
                        .valueStream()
                        .map(one -> one.get("content").stringValue())
                        .toList());
        assertEquals(
                "{\"id\":\"c1m0\",\"agentId\":null,\"agentName\":\"Alice\",\"agentType\":\"claude\",\"content\":\"says 0\","
                        + "\"role\":\"agent\",\"timestamp\":\"2026-11-22T09:01:00Z\",\"sequenceNumber\":1,\"turnNumber\":null,\"duration\":5,"
                        + "\"inputTokens\":null,\"outputTokens\":null,\"totalTokens\":100,\"model\":null,\"cost\":1.0E-7}",
                body.get("messages").get(0).toString());
        assertFalse(body.get("messagesTruncated").booleanValue());
        assertEquals(
                "Too many requests",
                get("/api/conversations/c3").get("errorMessage").stringValue());
        assertNull(get("/api/conversations/c1?includeMessages=false").get("messages"));
    }

    @Test
    void command_isForAdministratorsAlone_whoeverAsksFirst() {
        for (int i = 0; i < 2; i++) {
            Answer open = server.get("/api/conversations/c2");
            Answer client = server.get("/api/conversations/c2", "Authorization", "Bearer " + TestServer.KEY);
            Answer admin = server.get("/api/conversations/c2", "Authorization", "Bearer " + TestServer.ADMIN_KEY);

            assertFalse(open.response().body().contains("--secret"));
            assertFalse(client.response().body().contains("--secret"));
            assertEquals(
                    "agentpipe run --secret",
                    admin.json().get("command").get("full_command").stringValue());
            assertNotEquals(open.header("ETag"), admin.header("ETag"));
        }
    }

    @Test
    void conversation_unknown_is404() {
        for (String path : List.of("/api/conversations/nobody", "/api/conversations/nobody/messages")) {
            Answer answer = server.get(path);
            assertEquals(404, answer.status());
            assertEquals("not_found", answer.json().get("code").stringValue());
        }
    }

    @Test
    void id_ofTenKilobytes_isRefusedByItsName() {
        assertRefused("/api/conversations/" + "x".repeat(10_240), "", "id");
        assertRefused("/api/conversations/" + "x".repeat(256) + "/messages", "", "id");
        assertEquals(404, server.get("/api/conversations/" + "x".repeat(255)).status());
    }

    @Test
    void messages_pagesAndCursor_haveAll() {
        JsonNode body = get("/api/conversations/c4/messages?page=2&limit=2");
        assertEquals(List.of("c4m2", "c4m3"), messageIds(body.get("data")));
        JsonNode pagination = body.get("pagination");
        assertEquals(2, pagination.get("page").asInt());
        assertEquals(5, pagination.get("total").asInt());
        assertEquals(3, pagination.get("pages").asInt());

        body = get("/api/conversations/c4/messages?limit=2&cursor="
                + pagination.get("nextCursor").stringValue());
        assertEquals(List.of("c4m4"), messageIds(body.get("data")));
        assertTrue(body.get("pagination").get("nextCursor").isNull());
        assertEquals(
                List.of(),
                messageIds(get("/api/conversations/c4/messages?page=4&limit=2").get("data")));
        assertEquals(5, get("/api/conversations/c4/messages").get("data").size());
    }

    @ParameterizedTest
    @CsvSource({
        "limit=0, limit",
        "limit=1001, limit",
        "page=0, page",
        "page=1000002&limit=1, page",
        "cursor=abc, cursor"
    })
    void messages_badParameter_isNamed(String query, String name) {
        assertRefused("/api/conversations/c4/messages?", query, name);
    }

    @Test
    void recent_isTheNewestThatArrived_ofTheStatus() {
        JsonNode active = get("/api/messages/recent?limit=2");
        assertEquals(List.of("c4m0", "c4m1"), messageIds(active.get("messages")));
        assertEquals(2, active.get("count").asInt());
        JsonNode first = active.get("messages").get(0);
        assertEquals("c4", first.get("conversationId").stringValue());
        assertEquals("Prompt of c4.", first.get("conversationName").stringValue());
        assertEquals("ACTIVE", first.get("conversationStatus").stringValue());
        assertEquals("says 0", first.get("content").stringValue());

        assertEquals(
                List.of("c1m0", "c1m1", "c0m0"),
                messageIds(get("/api/messages/recent?status=COMPLETED").get("messages")));
        assertRefused("/api/messages/recent?", "limit=51", "limit");
        assertRefused("/api/messages/recent?", "status=all", "status");
    }

    private static List<String> messageIds(JsonNode messages) {
        return messages.valueStream().map(one -> one.get("id").stringValue()).toList();
    }

    @Test
    void reads_areAnsweredWith304_untilSomethingHappens() {
        for (String path : List.of("/api/conversations?sort=totalCost", "/api/conversations/c2/messages")) {
            String tag = server.get(path).header("ETag");
            assertEquals(304, server.get(path, "If-None-Match", tag).status());
        }
    }

    @Test
    void list_longTexts_areCut_andIdsOfAnyKindWork() {
        String id = "odd/id ü\uD83D\uDE80?&";
        String encoded = URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20");
        try {
            ingest(
                    "conversation.started",
                    9,
                    0,
                    "\"conversation_id\":\"" + id + "\",\"mode\":\"free-form\",\"initial_prompt\":\""
                            + "x".repeat(500_000)
                            + "\",\"participants\":["
                            + IntStream.range(0, 150)
                                    .mapToObj(i -> "{\"agent_type\":\"odd\",\"name\":\"" + i + "\"}")
                                    .collect(Collectors.joining(","))
                            + "]");
            JsonNode listed = get("/api/conversations?mode=free-form")
                    .get("conversations")
                    .get(0);
            assertEquals(id, listed.get("id").stringValue());
            assertEquals("x".repeat(60) + "…", listed.get("name").stringValue());
            assertEquals(10_000, listed.get("initialPrompt").stringValue().length());
            assertEquals(100, listed.get("participants").size());
            JsonNode detail = get("/api/conversations/" + encoded);
            assertEquals(500_000, detail.get("initialPrompt").stringValue().length());
            assertEquals(150, detail.get("participants").size());
        } finally {
            server.send(HttpRequest.newBuilder(server.uri("/api/conversations/" + encoded))
                    .setHeader("Authorization", "Bearer " + TestServer.ADMIN_KEY)
                    .DELETE()
                    .build());
        }
        assertEquals(404, server.get("/api/conversations/" + encoded).status());
        assertEquals(List.of("c4", "c3", "c2", "c1", "c0"), list(""));
    }
}
