package dev.agentpipe.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.DatabaseInspection.Index;
import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.db.postgres.DatabaseStartException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What is seen of a real database. */
final class DatabaseInspectionTest {

    private final String url = TestPostgres.newDatabase();

    private <T> T look(Function<DatabaseInspection, T> look) {
        try (DatabaseInspection inspection = DatabaseInspection.open(TestPostgres.settings(url))) {
            return look.apply(inspection);
        }
    }

    private void migrate() {
        Database.migrate(TestPostgres.settings(url));
    }

    private static Index index(List<Index> all, String name) {
        return all.stream().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
    }

    @Test
    void schema_isHeldAgainstThisVersions() {
        SchemaState empty = look(DatabaseInspection::schema);
        assertEquals(Optional.empty(), empty.version());
        assertEquals(Migrations.NAMES.size(), empty.pending().size());
        assertEquals("log and projections", empty.pending().get(0).description());
        assertTrue(empty.pending().get(0).sql().contains("create table events"));
        assertEquals(empty, look(DatabaseInspection::schema), "a look migrates nothing");

        migrate();
        assertEquals(
                new SchemaState(Optional.of(SchemaState.newest()), List.of(), List.of(), List.of()),
                look(DatabaseInspection::schema));

        try (TestRows rows = new TestRows(url)) {
            rows.run("delete from flyway_schema_history where version = '" + SchemaState.newest() + "'");
            assertEquals(1, look(DatabaseInspection::schema).pending().size());
            rows.run("update flyway_schema_history set checksum = 1 where version = '001'");
            rows.run("update flyway_schema_history set success = false where version = '002'");
            rows.run("update flyway_schema_history set version = '900' where version = '003'");
        }
        SchemaState odd = look(DatabaseInspection::schema);
        assertEquals(List.of("900"), odd.newer());
        assertEquals(2, odd.problems().size(), odd::toString);
    }

    @Test
    void indexes_areAllThatTheMigrationsMake() throws SQLException {
        migrate();
        TreeSet<String> made = new TreeSet<>();
        try (Connection connection = TestPostgres.connect(url);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select indexname from pg_indexes where schemaname = 'public'"
                        + " and tablename <> 'flyway_schema_history'")) {
            while (rows.next()) {
                made.add(rows.getString(1));
            }
        }
        assertEquals(made, new TreeSet<>(DatabaseInspection.expectedIndexes().keySet()));
        assertTrue(look(DatabaseInspection::indexes).stream().allMatch(one -> one.isPresent() && one.isValid()));
    }

    @Test
    void indexes_thatAreMissingOrNotValid_areSeen() throws SQLException {
        migrate();
        try (TestRows rows = new TestRows(url)) {
            rows.run("drop index events_rare_type");
        }
        Index missing = index(look(DatabaseInspection::indexes), "events_rare_type");
        assertFalse(missing.isPresent());
        assertEquals("events", missing.table());
        try (TestRows rows = new TestRows(url)) {
            rows.run(missing.definition());
            assertTrue(
                    index(look(DatabaseInspection::indexes), "events_rare_type").isValid());

            // As a "create index concurrently" leaves it that has failed.
            rows.run("drop index key_tokens_expiry");
            rows.run(
                    "insert into events (position, type, event_at, payload) values (1, 'x', now(), ''), (2, 'x', now(), '')");
        }
        try (Connection connection = TestPostgres.connect(url);
                Statement statement = connection.createStatement()) {
            assertThrows(
                    SQLException.class,
                    () -> statement.execute("create unique index concurrently key_tokens_expiry on events (type)"));
        }
        Index half = index(look(DatabaseInspection::indexes), "key_tokens_expiry");
        assertTrue(half.isPresent());
        assertFalse(half.isValid());
    }

    @Test
    void looks_allAnswer() {
        migrate();
        try (DatabaseInspection inspection = DatabaseInspection.open(TestPostgres.settings(url))) {
            DatabaseInspection.Server server = inspection.server();
            assertTrue(server.majorVersion() >= 14, server::toString);
            assertEquals("UTF8", server.encoding());
            assertFalse(server.isStandby() || server.isReadOnly() || server.isSuperuser(), server::toString);
            assertTrue(server.isOnThisMachine(), server::toString);
            assertFalse(server.target().contains("agentpipe:"), "no password");
            assertEquals("off", inspection.settings().get("fsync"));
            assertTrue(inspection.connections().max() > 0);
            assertTrue(inspection.clockAhead().abs().compareTo(Duration.ofMinutes(1)) < 0);
            assertTrue(
                    inspection.tables().stream().anyMatch(table -> table.name().equals("events")));
            assertEquals(0, inspection.archive().replicas());
            assertTrue(inspection.upkeep().bytes() > 0);
            assertTrue(inspection.log().epoch().matches("[a-z0-9]+"));
            assertEquals(0, inspection.managedKeys().usable());
        }
    }

    @Test
    void connections_ofServersAreApart() throws SQLException {
        try (DatabaseInspection inspection = DatabaseInspection.open(TestPostgres.settings(url))) {
            int others = inspection.connections().others();
            try (Connection one = TestPostgres.connect(url)) {
                assertTrue(one.isValid(1));
                assertTrue(inspection.connections().others() > others);
            }
        }
    }

    @Test
    void database_thatIsAway_isToldWithoutItsPassword() {
        DatabaseStartException away = assertThrows(
                DatabaseStartException.class,
                () -> DatabaseInspection.open(TestPostgres.settings("postgresql://own:hush@127.0.0.1:1/x")));
        assertFalse(away.getMessage().contains("hush"), away::getMessage);
    }
}
