package dev.agentpipe.db.web;

import dev.agentpipe.db.postgres.PostgresUrl;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * The database of an agentpipe-web, as it was at one moment: everything is read in one transaction that changes nothing.
 * One thread at a time. All methods throw {@link WebDatabaseException} when PostgreSQL fails.
 */
public final class WebDatabase implements AutoCloseable {

    private static final Duration CONNECT_MAX = Duration.ofSeconds(10);
    private static final Duration LOGIN_MAX = Duration.ofSeconds(30);
    private static final Duration STATEMENT_MAX = Duration.ofMinutes(5);

    /** What the import cannot do without; all others may be missing. */
    private static final Map<String, List<String>> REQUIRED = Map.of(
            "conversations", List.of("id", "name", "mode", "initialPrompt", "status", "startedAt"),
            "messages", List.of("id", "conversationId", "agentType", "agentName", "content", "timestamp"),
            "conversation_agents", List.of("id", "conversationId", "agentId", "agentType", "agentName"));

    private static final Map<String, String> COUNTS_OF_A_CONVERSATION = countsOfAConversation();

    private final Connection connection;
    private final WebTable conversations;
    private final WebTable messages;
    private final WebTable participants;
    private final WebTable events;

    /** How many there are in all. */
    public record Counts(long conversations, long messages, long participants) {}

    /**
     * How many events there are of a kind.
     *
     * @param isOfConversation whether they name one
     * @param isKnown whether that one is there
     */
    public record EventCount(String type, boolean isOfConversation, boolean isKnown, long count) {}

    private WebDatabase(Connection connection) throws SQLException {
        this.connection = connection;
        conversations = WebTable.of(connection, "conversations");
        messages = WebTable.of(connection, "messages");
        participants = WebTable.of(connection, "conversation_agents");
        events = WebTable.of(connection, "events");
    }

    private static Map<String, String> countsOfAConversation() {
        Map<String, String> counts = new LinkedHashMap<>();
        counts.put("messageCount", "(select count(*) from \"messages\" where \"conversationId\" = t.\"id\")");
        counts.put(
                "participantCount",
                "(select count(*) from \"conversation_agents\" where \"conversationId\" = t.\"id\")");
        return counts;
    }

    /**
     * @param url as agentpipe-web has it in {@code DATABASE_URL}
     * @throws IllegalArgumentException a sentence that says what is wrong with the URL, without any part of it
     * @throws WebDatabaseException if it cannot be reached, or is no database of agentpipe-web
     */
    public static WebDatabase open(String url) {
        PostgresUrl parsed = PostgresUrl.parse(url);
        Connection connection = null;
        try {
            connection = DriverManager.getConnection(parsed.jdbcUrl(), properties(parsed));
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.execute("set transaction isolation level repeatable read, read only");
                // Between two statements the server may be waited for.
                statement.execute("set local idle_in_transaction_session_timeout = 0");
                statement.execute("set local statement_timeout = " + STATEMENT_MAX.toMillis());
                statement.execute("set local time zone 'UTC'");
            }
            WebDatabase database = new WebDatabase(connection);
            database.check(parsed);
            return database;
        } catch (SQLException failed) {
            close(connection);
            throw new WebDatabaseException(
                    "the old database at " + parsed.target() + " cannot be read: " + failed.getMessage(), failed);
        } catch (WebDatabaseException failed) {
            close(connection);
            throw failed;
        }
    }

    private static Properties properties(PostgresUrl url) {
        Properties properties = new Properties();
        if (url.user() != null) {
            properties.setProperty("user", url.user());
        }
        if (url.password() != null) {
            properties.setProperty("password", url.password());
        }
        properties.setProperty("ApplicationName", "agentpipe-server import");
        properties.setProperty("connectTimeout", Long.toString(CONNECT_MAX.toSeconds()));
        properties.setProperty("loginTimeout", Long.toString(LOGIN_MAX.toSeconds()));
        properties.setProperty(
                "socketTimeout", Long.toString(STATEMENT_MAX.plusSeconds(30).toSeconds()));
        properties.setProperty("tcpKeepAlive", "true");
        // PostgreSQL's details quote rows: what somebody said to an agent must not get into an error.
        properties.setProperty("logServerErrorDetail", "false");
        return properties;
    }

    private void check(PostgresUrl url) {
        Map<String, WebTable> tables =
                Map.of("conversations", conversations, "messages", messages, "conversation_agents", participants);
        for (String name : REQUIRED.keySet().stream().sorted().toList()) {
            if (!tables.get(name).has(REQUIRED.get(name))) {
                throw new WebDatabaseException(
                        "the database at " + url.target() + " is none of agentpipe-web: it has no table \"" + name
                                + "\" with the columns " + String.join(", ", REQUIRED.get(name)),
                        null);
            }
        }
    }

    public Counts counts() {
        return read(() -> new Counts(count("conversations"), count("messages"), count("conversation_agents")));
    }

    private long count(String table) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select count(*) from \"" + table + "\"")) {
            row.next();
            return row.getLong(1);
        }
    }

    /** The next ones by their ids, with {@code messageCount} and {@code participantCount}. */
    public List<WebRow> conversations(String afterId, int rowsMax, long bytesMax) {
        return read(() -> conversations.page(
                COUNTS_OF_A_CONVERSATION, "\"id\" > ?", List.of(afterId), List.of("id"), rowsMax, bytesMax));
    }

    /** In the order in which they were made. */
    public List<WebRow> participants(String conversationId, int rowsMax, long bytesMax) {
        return read(() -> participants.page(
                Map.of(), "\"conversationId\" = ?", List.of(conversationId), List.of("id"), rowsMax, bytesMax));
    }

    /** Those after this one, by their times; from the first if it is null. */
    public List<WebRow> messages(String conversationId, WebRow after, int rowsMax, long bytesMax) {
        return read(() -> messages.page(
                Map.of(),
                "\"conversationId\" = ? and \"timestamp\" >= ? and (\"timestamp\", \"id\") > (?, ?)",
                keyOf(conversationId, after, "timestamp"),
                List.of("timestamp", "id"),
                rowsMax,
                bytesMax));
    }

    /** Of these types; those after this one, by their times. Null for those of no conversation. */
    public List<WebRow> events(String conversationId, List<String> types, WebRow after, int rowsMax, long bytesMax) {
        if (!hasEvents()) {
            return List.of();
        }
        return read(() -> {
            List<Object> parameters = new ArrayList<>();
            if (conversationId != null) {
                parameters.add(conversationId);
            }
            parameters.add(connection.createArrayOf("text", types.toArray()));
            parameters.addAll(keyOf(conversationId, after, "createdAt").subList(1, 4));
            return events.page(
                    Map.of(),
                    (conversationId == null ? "\"conversationId\" is null" : "\"conversationId\" = ?")
                            + " and \"type\" = any (?) and \"createdAt\" >= ? and (\"createdAt\", \"id\") > (?, ?)",
                    parameters,
                    List.of("createdAt", "id"),
                    rowsMax,
                    bytesMax);
        });
    }

    private static List<Object> keyOf(String conversationId, WebRow after, String timeColumn) {
        List<Object> key = new ArrayList<>();
        key.add(conversationId);
        LocalDateTime time =
                after == null ? LocalDateTime.MIN : LocalDateTime.ofInstant(after.instant(timeColumn), ZoneOffset.UTC);
        key.add(time);
        key.add(time);
        key.add(after == null ? "" : after.id());
        return key;
    }

    /** All of them, by kind; the most frequent first. */
    public List<EventCount> eventCounts(int max) {
        if (!hasEvents()) {
            return List.of();
        }
        String sql = """
                select left(e."type", 100), e."conversationId" is not null, c."id" is not null, count(*)
                from "events" as e left join "conversations" as c on c."id" = e."conversationId"
                group by 1, 2, 3 order by 4 desc, 1 limit ?
                """;
        return read(() -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                statement.setInt(1, max);
                List<EventCount> counts = new ArrayList<>();
                try (ResultSet rows = statement.executeQuery()) {
                    while (rows.next()) {
                        counts.add(new EventCount(
                                rows.getString(1), rows.getBoolean(2), rows.getBoolean(3), rows.getLong(4)));
                    }
                }
                return counts;
            }
        });
    }

    private boolean hasEvents() {
        return events.has(List.of("id", "createdAt", "type", "conversationId", "data"));
    }

    private interface Reading<T> {
        T read() throws SQLException;
    }

    private static <T> T read(Reading<T> reading) {
        try {
            return reading.read();
        } catch (SQLException failed) {
            throw new WebDatabaseException("the old database cannot be read any more: " + failed.getMessage(), failed);
        }
    }

    @Override
    public void close() {
        close(connection);
    }

    private static void close(Connection connection) {
        try {
            if (connection != null) {
                connection.close();
            }
        } catch (SQLException alreadyLost) {
            // Nothing was changed.
        }
    }
}
