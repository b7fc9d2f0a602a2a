package dev.agentpipe.server.http;

import java.math.BigDecimal;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * What the row of a conversation must hold after these bodies: the contract's rules once more, by folding JSON trees in
 * memory instead of SQL. Bodies are taken once each, in any order.
 */
final class ExpectedConversation {

    private static final Map<String, Integer> RANKS = Map.of(
            "conversation.started", 0,
            "message.created", 1,
            "conversation.error", 2,
            "conversation.completed", 3);
    private static final List<String> TOTALS =
            List.of("total_messages", "total_turns", "total_tokens", "total_cost", "duration_seconds", "summary");

    private final List<JsonNode> events;

    ExpectedConversation(List<JsonNode> events) {
        this.events =
                events.stream().filter(event -> RANKS.containsKey(type(event))).toList();
    }

    static String type(JsonNode event) {
        return event.get("type").stringValue();
    }

    static Instant at(JsonNode event) {
        return Instant.parse(event.get("timestamp").stringValue()).truncatedTo(ChronoUnit.MICROS);
    }

    /** Values by column; a {@link JsonNode} is JSON, all else what its class says. */
    Map<String, Object> columns() {
        Map<String, Object> columns = new LinkedHashMap<>();
        Stream<JsonNode> byTime = events.stream().sorted(Comparator.comparing(ExpectedConversation::at));
        List<JsonNode> sorted = byTime.toList();
        columns.put("first_event_at", at(sorted.get(0)));
        columns.put("last_event_at", at(sorted.get(sorted.size() - 1)));
        columns.put("status", status());
        columns.put("completed_at", newest("conversation.completed", event -> true, ExpectedConversation::at));
        addStart(columns);
        addMessages(columns);
        addReport(columns);
        addErrors(columns);
        return columns;
    }

    private String status() {
        JsonNode last = events.stream()
                .max(Comparator.comparing(ExpectedConversation::at).thenComparing(event -> RANKS.get(type(event))))
                .get();
        return switch (type(last)) {
            case "conversation.error" -> "ERROR";
            case "conversation.completed" ->
                switch (last.at("/data/status").stringValue()) {
                    case "completed" -> "COMPLETED";
                    case "interrupted" -> "INTERRUPTED";
                    default -> "ERROR";
                };
            default -> "ACTIVE";
        };
    }

    private void addStart(Map<String, Object> columns) {
        Function<String, Object> start =
                name -> newest("conversation.started", event -> true, event -> event.at("/data/" + name));
        columns.put("mode", start.apply("mode"));
        columns.put("initial_prompt", start.apply("initial_prompt"));
        columns.put("max_turns", start.apply("max_turns"));
        columns.put("system_info", start.apply("system_info"));
        columns.put("command", start.apply("command"));
        columns.put("started_at", newest("conversation.started", event -> true, ExpectedConversation::at));
    }

    private void addMessages(Map<String, Object> columns) {
        BigDecimal count = BigDecimal.ZERO;
        BigDecimal tokens = BigDecimal.ZERO;
        BigDecimal cost = BigDecimal.ZERO;
        BigDecimal duration = BigDecimal.ZERO;
        for (JsonNode event : events) {
            if (type(event).equals("message.created")) {
                JsonNode data = event.get("data");
                count = count.add(BigDecimal.ONE);
                tokens = tokens.add(
                        data.has("tokens_used")
                                ? number(data, "tokens_used")
                                : number(data, "input_tokens").add(number(data, "output_tokens")));
                cost = cost.add(number(data, "cost"));
                duration = duration.add(number(data, "duration_ms"));
            }
        }
        BigDecimal most = BigDecimal.valueOf(Long.MAX_VALUE);
        columns.put("message_count", count);
        columns.put("message_tokens", tokens.min(most));
        columns.put("message_cost", cost);
        columns.put("message_duration_ms", duration.min(most));
        columns.put("total_messages", count);
        columns.put("total_tokens", tokens.min(most));
        columns.put("total_cost", cost);
        columns.put("total_duration_ms", duration.min(most));
    }

    private static BigDecimal number(JsonNode data, String name) {
        return data.has(name) ? data.get(name).decimalValue() : BigDecimal.ZERO;
    }

    private void addReport(Map<String, Object> columns) {
        JsonNode report = (JsonNode) newest(
                "conversation.completed",
                event -> TOTALS.stream().anyMatch(event.get("data")::has),
                event -> event.get("data"));
        if (report == null) {
            for (String name : List.of("at", "messages", "turns", "tokens", "cost", "duration_ms")) {
                columns.put("reported_" + name, null);
            }
            columns.put("summary", null);
            return;
        }
        columns.put("reported_messages", report.path("total_messages"));
        columns.put("reported_turns", report.path("total_turns"));
        columns.put("reported_tokens", report.path("total_tokens"));
        columns.put("reported_cost", report.path("total_cost"));
        columns.put("total_messages", report.path("total_messages"));
        columns.put("total_tokens", report.path("total_tokens"));
        columns.put("total_cost", report.path("total_cost"));
        BigDecimal millis = report.get("duration_seconds").decimalValue().movePointRight(3);
        columns.put("reported_duration_ms", millis);
        columns.put("total_duration_ms", millis);
        columns.put("summary_short_text", report.at("/summary/short_text"));
        columns.put("summary_text", report.at("/summary/text"));
    }

    private void addErrors(Map<String, Object> columns) {
        columns.put(
                "error_count",
                BigDecimal.valueOf(events.stream()
                        .filter(event -> type(event).equals("conversation.error"))
                        .count()));
        columns.put("error_at", newest("conversation.error", event -> true, ExpectedConversation::at));
        columns.put(
                "error_message", newest("conversation.error", event -> true, event -> event.at("/data/error_message")));
        columns.put("error_type", newest("conversation.error", event -> true, event -> event.at("/data/error_type")));
    }

    private Object newest(String type, Function<JsonNode, Boolean> which, Function<JsonNode, Object> value) {
        return events.stream()
                .filter(event -> type(event).equals(type) && which.apply(event))
                .max(Comparator.comparing(ExpectedConversation::at))
                .map(value)
                .orElse(null);
    }
}
