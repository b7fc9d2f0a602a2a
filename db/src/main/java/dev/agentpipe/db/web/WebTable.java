package dev.agentpipe.db.web;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A table that Prisma made, and how to read it in pages that are bounded in rows and bytes. Which columns it has is asked:
 * agentpipe-web's versions differ in them, and not all came by migrations.
 *
 * <p>Plain SQL, since there is no generated code for another program's tables.
 */
final class WebTable {

    /** Twice as much as the server takes of anything. What is larger is not even read. */
    static final int TEXT_BYTES_MAX = 2 << 20;

    private static final Set<String> TEXTS = Set.of("text", "varchar", "bpchar", "json", "jsonb");
    private static final Set<String> INTEGERS = Set.of("int2", "int4", "int8");
    private static final Set<String> FLOATS = Set.of("float4", "float8", "numeric");
    private static final Set<String> TIMES = Set.of("timestamp", "timestamptz");

    private final Connection connection;
    private final String name;
    private final Map<String, String> typesByColumn;

    private WebTable(Connection connection, String name, Map<String, String> typesByColumn) {
        this.connection = connection;
        this.name = name;
        this.typesByColumn = typesByColumn;
    }

    /** Without columns if there is no such table. */
    static WebTable of(Connection connection, String name) throws SQLException {
        Map<String, String> types = new LinkedHashMap<>();
        String columns = """
                select attname, typname from pg_attribute join pg_type on pg_type.oid = atttypid
                where attrelid = to_regclass(?) and attnum > 0 and not attisdropped order by attnum
                """;
        try (PreparedStatement statement = connection.prepareStatement(columns)) {
            statement.setString(1, '"' + name + '"');
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    types.put(rows.getString(1), rows.getString(2));
                }
            }
        }
        return new WebTable(connection, name, types);
    }

    boolean has(List<String> columns) {
        return typesByColumn.keySet().containsAll(columns);
    }

    /**
     * Some rows, in the order of the columns given.
     *
     * @param more SQL of further columns, by their names
     * @param where SQL with a "?" for each parameter
     * @param bytesMax the page ends before it has more, but has one row at least
     */
    List<WebRow> page(
            Map<String, String> more, String where, List<?> parameters, List<String> order, int rowsMax, long bytesMax)
            throws SQLException {
        String orderBy = order.stream().map(WebTable::quoted).collect(Collectors.joining(", "));
        String sql = """
                select * from (
                    select %s, %s as "tooLarge", row_number() over (order by %s) as "rowNumber",
                        sum(%s) over (order by %s) as "bytesSoFar"
                    from (select t.*%s from %s as t where %s order by %s limit %d) as page) as page
                where "rowNumber" = 1 or "bytesSoFar" <= %d
                order by "rowNumber"
                """.formatted(
                        columns(more.keySet()),
                        tooLarge(),
                        orderBy,
                        bytes(),
                        orderBy,
                        more.entrySet().stream()
                                .map(column -> ", " + column.getValue() + " as " + quoted(column.getKey()))
                                .collect(Collectors.joining()),
                        quoted(name),
                        where,
                        orderBy,
                        rowsMax,
                        bytesMax);
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.size(); i++) {
                statement.setObject(i + 1, parameters.get(i));
            }
            try (ResultSet rows = statement.executeQuery()) {
                List<WebRow> page = new ArrayList<>();
                while (rows.next()) {
                    page.add(row(rows, more.keySet()));
                }
                return page;
            }
        }
    }

    private String columns(Set<String> more) {
        return typesByColumn.entrySet().stream()
                        .map(column -> {
                            String quoted = quoted(column.getKey());
                            String type = column.getValue();
                            if (TEXTS.contains(type)) {
                                return "case when octet_length(%s::text) <= %d then %s::text end as %s"
                                        .formatted(quoted, TEXT_BYTES_MAX, quoted, quoted);
                            }
                            boolean asItIs = INTEGERS.contains(type) || FLOATS.contains(type) || TIMES.contains(type);
                            return asItIs ? quoted : quoted + "::text as " + quoted;
                        })
                        .collect(Collectors.joining(", "))
                + more.stream().map(column -> ", " + quoted(column)).collect(Collectors.joining());
    }

    private String tooLarge() {
        return texts().map(column -> "case when octet_length(%s::text) > %d then '%s' end"
                        .formatted(quoted(column), TEXT_BYTES_MAX, column.replace("'", "''")))
                .collect(Collectors.joining(", ", "concat_ws(',', null, ", ")"));
    }

    private String bytes() {
        return texts().map(column -> "coalesce(octet_length(%s::text), 0)::bigint".formatted(quoted(column)))
                .collect(Collectors.joining(" + "));
    }

    private Stream<String> texts() {
        return typesByColumn.entrySet().stream()
                .filter(column -> TEXTS.contains(column.getValue()))
                .map(Map.Entry::getKey);
    }

    private WebRow row(ResultSet rows, Set<String> more) throws SQLException {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Map.Entry<String, String> column : typesByColumn.entrySet()) {
            values.put(column.getKey(), value(rows, column.getKey(), column.getValue()));
        }
        for (String column : more) {
            values.put(column, rows.getLong(column));
        }
        String tooLarge = rows.getString("tooLarge");
        return new WebRow(values, tooLarge.isEmpty() ? List.of() : List.of(tooLarge.split(",")));
    }

    private static Object value(ResultSet rows, String column, String type) throws SQLException {
        if (INTEGERS.contains(type)) {
            long number = rows.getLong(column);
            return rows.wasNull() ? null : number;
        }
        if (FLOATS.contains(type)) {
            double number = rows.getDouble(column);
            return rows.wasNull() ? null : number;
        }
        if (type.equals("timestamp")) { // Prisma's are in UTC
            LocalDateTime time = rows.getObject(column, LocalDateTime.class);
            return time == null ? null : time.toInstant(ZoneOffset.UTC);
        }
        if (type.equals("timestamptz")) {
            OffsetDateTime time = rows.getObject(column, OffsetDateTime.class);
            return time == null ? null : time.toInstant();
        }
        return rows.getString(column);
    }

    private static String quoted(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }
}
