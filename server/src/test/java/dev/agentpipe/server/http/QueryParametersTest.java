package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.agentpipe.core.event.Violation;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class QueryParametersTest {

    @Test
    void integer_atItsLimits_isTakenAndBeyondNamed() {
        assertEquals(1, of("limit", "1").integer("limit", 20, 1, 100));
        assertEquals(100, of("limit", "100").integer("limit", 20, 1, 100));
        assertEquals(20, of().integer("limit", 20, 1, 100));
        for (String bad : List.of("0", "101", "1000000000", "99999999999", "1.0", "ten", "-1", "0x1")) {
            QueryParameters parameters = of("limit", bad);
            parameters.integer("limit", 20, 1, 100);
            assertEquals(List.of("limit"), refused(parameters), bad);
        }
    }

    @Test
    void names_ofOneParameter_theFirstThatIsPresentCounts() {
        QueryParameters both = of("pageSize", "7", "limit", "0");

        assertEquals(7, both.integer(List.of("pageSize", "limit"), 20, 1, 100));
        both.check();
        assertEquals(List.of("limit"), refusedInteger(of("limit", "0")));
    }

    private static List<String> refusedInteger(QueryParameters parameters) {
        parameters.integer(List.of("pageSize", "limit"), 20, 1, 100);
        return refused(parameters);
    }

    @Test
    void instants_areTakenInAllForms_andDatesAsWholeDays() {
        assertEquals(
                Optional.of(Instant.parse("2026-01-31T00:00:00Z")),
                of("at", "2026-01-31").instant("at"));
        assertEquals(
                Optional.of(Instant.parse("2026-01-31T23:59:59.999999Z")),
                of("at", "2026-01-31").endInstant("at"));
        assertEquals(
                Optional.of(Instant.parse("2026-01-31T10:00:00Z")),
                of("at", "2026-01-31T12:00:00 02:00").instant("at"),
                "a plus that was not encoded");
        assertEquals(
                Optional.of(Instant.parse("2026-01-31T12:00:00.5Z")),
                of("at", "2026-01-31T12:00:00.5Z").endInstant("at"));
        for (String bad :
                List.of("2026-02-30", "yesterday", "2026-01-31T12:00:00", "1769860800", "+99999-01-01T00:00:00Z")) {
            QueryParameters parameters = of("at", bad);
            parameters.instant("at");
            assertEquals(List.of("at"), refused(parameters), bad);
        }
    }

    @Test
    void everythingWrong_isToldAtOnce() {
        QueryParameters parameters = of("page", "0", "sort", "colour", "named", "yes", "mode", "x".repeat(11));
        parameters.integer("page", 1, 1, 9);
        parameters.choice("sort", Map.of("createdAt", 1), 1);
        parameters.flag("named", false);
        parameters.text("mode", 10);

        assertEquals(List.of("page", "sort", "named", "mode"), refused(parameters));
    }

    @Test
    void text_thatNothingStoredCanEqual_isRefused() {
        for (String bad : List.of("a\0b", "\ud800")) {
            QueryParameters parameters = of("mode", bad);
            parameters.text("mode", 10);
            assertEquals(List.of("mode"), refused(parameters));
        }
        assertEquals(Optional.of("\ud83d\ude80"), of("mode", "\ud83d\ude80").text("mode", 10));
    }

    @Test
    void list_takesCommasAndRepeats_upToItsLimit() {
        Map<String, Deque<String>> query = Map.of("status", new ArrayDeque<>(List.of("A, B,,", "C")));

        assertEquals(List.of("A", "B", "C"), new QueryParameters(query).list("status", 3, 5));
        QueryParameters tooMany = new QueryParameters(query);
        tooMany.list("status", 2, 5);
        assertEquals(List.of("status"), refused(tooMany));
    }

    private static List<String> refused(QueryParameters parameters) {
        BadRequest refused = assertThrows(BadRequest.class, parameters::check);
        return refused.violations().stream().map(Violation::pointer).toList();
    }

    private static QueryParameters of(String... namesAndValues) {
        Map<String, Deque<String>> query = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            query.put(namesAndValues[i], new ArrayDeque<>(List.of(namesAndValues[i + 1])));
        }
        return new QueryParameters(query);
    }
}
