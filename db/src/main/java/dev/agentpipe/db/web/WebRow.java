package dev.agentpipe.db.web;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A row of an agentpipe-web database, with the columns that its version of the schema has.
 *
 * @param values by column: String (also for JSON and enums), Long, Double, Instant, or null
 * @param tooLarge columns whose text was not read because of its size; their value is null
 */
public record WebRow(Map<String, Object> values, List<String> tooLarge) {

    public WebRow {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        tooLarge = List.copyOf(tooLarge);
    }

    /** Null if there is no such column, too; so do all of these. */
    public String text(String column) {
        return (String) values.get(column);
    }

    public Long number(String column) {
        return (Long) values.get(column);
    }

    /** May be negative, infinite or no number. */
    public Double decimal(String column) {
        return (Double) values.get(column);
    }

    public Instant instant(String column) {
        return (Instant) values.get(column);
    }

    public String id() {
        return text("id");
    }
}
