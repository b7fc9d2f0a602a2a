package dev.agentpipe.db;

import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.EventLogContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

final class PostgresEventLogTest extends EventLogContract {

    private static Database database;

    @BeforeAll
    static void open() {
        database = Database.open(TestPostgres.settings(TestPostgres.newDatabase()));
    }

    @AfterAll
    static void close() {
        database.close();
    }

    @Override
    protected EventLog log() {
        return database.eventLog();
    }
}
