package dev.agentpipe.db.backup;

/** One step of the schema, as this program knows it. */
public record MigrationScript(String version, String sql) {}
