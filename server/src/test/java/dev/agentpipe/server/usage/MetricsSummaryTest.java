package dev.agentpipe.server.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class MetricsSummaryTest {

    private static final JsonMapper EXACT = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private static TestServer server;

    /** Two conversations on two days: Claude costs 0.3 in both together, Gemini 0.2 in the first. */
    @BeforeAll
    static void start() {
        server = TestServer.start();
        started("a", "2026-03-01T10:00:00Z");
        message("a", "a1", "2026-03-01T10:05:00Z", "claude", "opus", 100, 20, "0.1");
        message("a", "a2", "2026-03-01T11:10:00Z", "gemini", "flash", 10, 2, "0.2");
        message("a", "a3", "2026-03-01T23:59:59.999Z", "gemini", "flash", 0, 0, null);
        ingest(
                "conversation.completed",
                "2026-03-01T23:59:59.999Z",
                "\"conversation_id\":\"a\",\"status\":\"completed\","
                        + "\"duration_seconds\":90.0005,\"total_cost\":99");
        started("b", "2026-03-02T00:00:00Z");
        message("b", "b1", "2026-03-02T00:00:00Z", "claude", "opus", 1, 2, "0.2");
        message("b", "b2", "2026-03-02T00:00:01Z", "amp", null, 1, 2, null);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static void ingest(String type, String at, String data) {
        Answer answer =
                server.ingest("{\"type\":\"" + type + "\",\"timestamp\":\"" + at + "\",\"data\":{" + data + "}}");
        assertEquals(201, answer.status(), answer::toString);
    }

    private static void started(String conversation, String at) {
        ingest(
                "conversation.started",
                at,
                "\"conversation_id\":\"" + conversation
                        + "\",\"mode\":\"reactive\",\"initial_prompt\":\"\",\"participants\":[]");
    }

    private static void message(
            String conversation, String id, String at, String agent, String model, int input, int output, String cost) {
        ingest(
                "message.created",
                at,
                "\"conversation_id\":\"" + conversation + "\",\"message_id\":\"" + id
                        + "\",\"agent_type\":\"" + agent + "\",\"content\":\"x\",\"input_tokens\":" + input
                        + ",\"output_tokens\":" + output + (model == null ? "" : ",\"model\":\"" + model + "\"")
                        + (cost == null ? "" : ",\"cost\":" + cost));
    }

    private static JsonNode summary(String query) {
        Answer answer = server.get("/api/metrics/summary" + query);
        assertEquals(200, answer.status(), answer::toString);
        return EXACT.readTree(answer.response().body());
    }

    private static List<String> lines(JsonNode parts, String... members) {
        return StreamSupport.stream(parts.spliterator(), false)
                .map(part -> {
                    StringBuilder line = new StringBuilder();
                    for (String member : members) {
                        line.append(line.isEmpty() ? "" : " ")
                                .append(part.get(member).asString("null"));
                    }
                    return line.toString();
                })
                .toList();
    }

    @Test
    void summary_isThatOfAgentpipeWeb_butWithEachAgentsOwnCost() {
        JsonNode summary = summary("");
        assertEquals(2, summary.get("totalConversations").intValue());
        assertEquals(1, summary.get("activeConversations").intValue());
        assertEquals(5, summary.get("totalMessages").intValue());
        assertEquals(138, summary.get("totalTokens").intValue());
        assertEquals(new BigDecimal("0.5"), summary.get("totalCost").decimalValue());
        assertEquals(90_001, summary.get("averageConversationDuration").intValue());
        assertEquals(
                List.of("claude 2 0.3", "gemini 1 0.2", "amp 1 0"),
                lines(summary.get("topAgents"), "type", "count", "totalCost"));
        assertEquals(
                List.of("claude 2 101 22 123 0.3", "gemini 2 10 2 12 0.2", "amp 1 1 2 3 0"),
                lines(
                        summary.get("agents"),
                        "agentType",
                        "messages",
                        "inputTokens",
                        "outputTokens",
                        "totalTokens",
                        "cost"));
        assertEquals(
                List.of("flash 2 0.2", "opus 2 0.3", "null 1 0"),
                lines(summary.get("models"), "model", "messages", "cost"));
        assertFalse(summary.has("series"));
        assertTrue(summary.get("startDate").isNull());
    }

    @Test
    void dates_areWholeDays_andBothAreInIt() {
        assertEquals(
                5,
                summary("?startDate=2026-03-01&endDate=2026-03-02")
                        .get("totalMessages")
                        .intValue());
        JsonNode first = summary("?startDate=2026-03-01&endDate=2026-03-01");
        assertEquals(3, first.get("totalMessages").intValue());
        assertEquals(1, first.get("totalConversations").intValue());
        assertEquals("2026-03-01T00:00:00Z", first.get("startDate").stringValue());
        assertEquals("2026-03-02T00:00:00Z", first.get("endDate").stringValue());
        assertEquals(2, summary("?startDate=2026-03-02").get("totalMessages").intValue());
        JsonNode zoned = summary("?startDate=2026-03-01T16:52:00%2B05:45&endDate=2026-03-01T17:00:00%2B05:45");
        assertEquals("2026-03-01T11:00:00Z", zoned.get("startDate").stringValue(), "widened to quarters of an hour");
        assertEquals("2026-03-01T11:15:00Z", zoned.get("endDate").stringValue());
        assertEquals(1, zoned.get("totalMessages").intValue());
    }

    @Test
    void series_hasABucketForEachHour_withoutGaps() {
        JsonNode series = summary("?interval=hour&startDate=2026-03-01&endDate=2026-03-02T00:30:00Z")
                .get("series");
        assertEquals(25, series.size());
        assertEquals("2026-03-01T00:00:00Z", series.get(0).get("start").stringValue());
        assertEquals(0, series.get(0).get("messages").intValue());
        assertEquals(1, series.get(11).get("messages").intValue());
        assertEquals(List.of("flash 0.2"), lines(series.get(11).get("models"), "model", "cost"));
        assertEquals(2, series.get(24).get("messages").intValue());
        JsonNode days =
                summary("?interval=day&startDate=2026-02-28&endDate=2026-03-03").get("series");
        assertEquals(
                List.of(
                        "2026-02-28T00:00:00Z 0 0",
                        "2026-03-01T00:00:00Z 3 0.3",
                        "2026-03-02T00:00:00Z 2 0.2",
                        "2026-03-03T00:00:00Z 0 0"),
                lines(days, "start", "messages", "cost"));
        assertEquals(List.of("gemini 0.2", "claude 0.1"), lines(days.get(1).get("agents"), "agentType", "cost"));
    }

    @Test
    void series_withoutDates_isTheLastMonthOrDay() {
        JsonNode days = summary("?interval=day");
        JsonNode hours = summary("?interval=hour");

        assertEquals(31, days.get("series").size());
        assertEquals(25, hours.get("series").size());
        assertTrue(Duration.between(
                                Instant.parse(days.get("startDate").asString()),
                                Instant.parse(days.get("endDate").asString()))
                        .compareTo(Duration.ofDays(31))
                < 0);
    }

    @ParameterizedTest
    @CsvSource({
        "interval=week,interval",
        "interval=hour&startDate=2026-01-01&endDate=2026-03-01,interval",
        "interval=day&startDate=0001-01-01,interval",
        "startDate=yesterday,startDate",
        "endDate=2026-02-30,endDate",
        "startDate=2026-03-02&endDate=2026-03-01,endDate"
    })
    void parameters_thatCannotBeUsed_are400(String query, String name) {
        Answer answer = server.get("/api/metrics/summary?" + query);
        assertEquals(400, answer.status(), answer::toString);
        assertEquals(name, answer.json().get("errors").get(0).get("pointer").stringValue());
    }

    @Test
    void stats_tellWhatTheStreamsDo() throws Exception {
        JsonNode before = server.get("/api/realtime/stats").json();
        RawStream all = server.stream("/api/realtime/stream");
        RawStream one = server.stream("/api/realtime/stream?conversationId=a");
        try {
            JsonNode stats = server.get("/api/realtime/stats").json();
            assertEquals(
                    before.get("totalListeners").intValue() + 2,
                    stats.get("totalListeners").intValue());
            assertEquals(1, stats.get("conversationListeners").intValue());
            assertEquals(
                    stats.get("totalListeners").intValue(),
                    stats.get("globalListeners").intValue() + 1);
            assertEquals(1_000, stats.get("maxConnections").intValue());
            assertEquals(stats.get("head").longValue(), stats.get("position").longValue());
            assertEquals(0, stats.get("lag").longValue());
            assertEquals(8, stats.get("bufferedEvents").intValue());
            assertTrue(stats.get("bufferBytes").longValue() > 1_000);
            assertTrue(stats.get("bufferCapacity").intValue()
                    >= stats.get("bufferedEvents").intValue());
            assertEquals(0, stats.get("replays").get("inUse").intValue());
            assertTrue(stats.get("streamPosition").stringValue().endsWith("-" + stats.get("head")));
            assertEquals(before.get("instanceId"), stats.get("instanceId"));
            assertNull(stats.get("ended").get("nobody"));
            assertTrue(stats.get("ended").has("stalled"));
        } finally {
            all.close();
            one.close();
        }
    }
}
