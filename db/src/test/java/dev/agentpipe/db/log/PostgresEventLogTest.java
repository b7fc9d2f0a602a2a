package dev.agentpipe.db.log;

import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.EventLogContract;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.TestPostgres;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

final class PostgresEventLogTest extends EventLogContract {

    private static String url;
    private static Database database;

    @BeforeAll
    static void open() {
        url = TestPostgres.newDatabase();
        database = Database.open(TestPostgres.settings(url));
    }

    @AfterAll
    static void close() {
        database.close();
    }

    @Override
    protected EventLog log() {
        return database.eventLog();
    }

    /** As between two steps of retention: the rows are still there, most of them. */
    @Override
    protected void trim(long through) {
        try (TestRows rows = new TestRows(url)) {
            rows.run("update event_log set floor = " + through);
            rows.run("delete from events where position = " + through);
        }
    }
}
