package dev.agentpipe.db.web;

import dev.agentpipe.db.local.TestPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.Arrays;
import java.util.stream.Collectors;

/** The tables of an agentpipe-web, with the names and types that its migrations give them, and short words to fill them. */
public final class WebTables implements AutoCloseable {

    private static final String TABLES = """
            create type "ConversationStatus" as enum ('ACTIVE', 'COMPLETED', 'INTERRUPTED', 'ERROR');
            create table "conversations" (
                "id" text primary key, "createdAt" timestamp(3) not null default current_timestamp,
                "updatedAt" timestamp(3) not null default current_timestamp,
                "startedAt" timestamp(3) not null default current_timestamp, "completedAt" timestamp(3),
                "status" "ConversationStatus" not null default 'ACTIVE', "name" text not null, "mode" text not null,
                "maxTurns" integer, "initialPrompt" text not null, "source" text not null default 'web',
                "agentpipeVersion" text, "systemOS" text, "systemOSVersion" text, "systemGoVersion" text,
                "systemArchitecture" text, "containerId" text, "containerStatus" text, "errorMessage" text,
                "errorStack" text, "totalMessages" integer not null default 0, "totalTokens" integer not null default 0,
                "totalCost" double precision not null default 0, "totalDuration" integer not null default 0,
                "metadata" jsonb);
            create table "messages" (
                "id" text primary key, "conversationId" text not null references "conversations", "agentId" text not null,
                "agentName" text not null, "agentType" text not null, "agentVersion" text, "content" text not null,
                "role" text not null, "timestamp" timestamp(3) not null default current_timestamp,
                "sequenceNumber" integer, "turnNumber" integer, "duration" integer, "inputTokens" integer,
                "outputTokens" integer, "totalTokens" integer, "model" text, "cost" double precision);
            create index "messages_conversationId_timestamp_idx" on "messages" ("conversationId", "timestamp");
            create table "conversation_agents" (
                "id" text primary key, "conversationId" text not null references "conversations", "agentId" text not null,
                "agentType" text not null, "agentName" text not null, "agentVersion" text, "model" text, "prompt" text,
                "announcement" text, "cliVersion" text, "settings" jsonb, unique ("conversationId", "agentId"));
            create table "events" (
                "id" text primary key, "createdAt" timestamp(3) not null default current_timestamp, "type" text not null,
                "conversationId" text, "data" jsonb not null, "errorMessage" text, "errorStack" text);
            """;

    /** Of the second migration. */
    private static final String SUMMARIES = """
            alter table "conversations" add "summaryText" text, add "summaryAgentType" text, add "summaryModel" text,
                add "summaryInputTokens" integer, add "summaryOutputTokens" integer, add "summaryTotalTokens" integer,
                add "summaryCost" double precision, add "summaryDuration" integer,
                add "summaryGeneratedAt" timestamp(3), add "summaryData" jsonb
            """;

    private final String url;
    private final Connection connection;

    private WebTables(String url, boolean withSummaries) throws SQLException {
        this.url = url;
        connection = TestPostgres.connect(url);
        execute(TABLES);
        if (withSummaries) {
            execute(SUMMARIES);
        }
    }

    /** In a database of their own, empty. */
    public static WebTables create() throws SQLException {
        return new WebTables(TestPostgres.newDatabase(), true);
    }

    /** As the first version had them. */
    public static WebTables createFirstVersion() throws SQLException {
        return new WebTables(TestPostgres.newDatabase(), false);
    }

    public String url() {
        return url;
    }

    /**
     * Inserts a row.
     *
     * @param columns separated by commas
     * @param values texts, as PostgreSQL reads them, or null
     */
    public WebTables insert(String table, String columns, String... values) throws SQLException {
        String names = Arrays.stream(columns.split(", *"))
                .map(name -> '"' + name + '"')
                .collect(Collectors.joining(", "));
        String marks = Arrays.stream(values).map(value -> "?").collect(Collectors.joining(", "));
        String sql = "insert into \"" + table + "\" (" + names + ") values (" + marks + ")";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i], Types.OTHER); // of the column's own type
            }
            statement.execute();
        }
        return this;
    }

    public WebTables execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
        return this;
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
