package dev.agentpipe.db;

import java.util.Set;

/** The types of this module that others may use. Its other public types are for its own rooms. */
public final class OfferedTypes {

    /** By their names after {@code dev.agentpipe.db.} */
    public static final Set<String> NAMES = Set.of(
            "Backups",
            "Database",
            "DatabaseInspection",
            "DatabaseStatistics",
            "IdleConversation",
            "backup.BackupException",
            "backup.BackupForm",
            "backup.BackupManifest",
            "backup.Restore",
            "SchemaState",
            "conversations.Conversation",
            "conversations.ConversationFilter",
            "conversations.ConversationOrder",
            "conversations.ConversationPlace",
            "conversations.Conversations",
            "conversations.Message",
            "conversations.MessagePlace",
            "export.Transcript",
            "export.Transcripts",
            "keys.ApiKeys",
            "keys.KeyTokens",
            "keys.StoredKey",
            "local.LocalPostgres",
            "log.Retention",
            "postgres.DatabaseSettings",
            "postgres.DatabaseStartException",
            "postgres.DatabaseTelemetry",
            "search.Search",
            "search.SearchIndex",
            "search.text.SearchQuery",
            "search.text.Snippet",
            "usage.Usage",
            "usage.UsageRange",
            "usage.UsageSummary",
            "web.WebDatabase",
            "web.WebDatabaseException",
            "web.WebRow");

    private OfferedTypes() {}
}
