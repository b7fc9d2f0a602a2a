package dev.agentpipe.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.db.postgres.DatabaseStartException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class MigrationsTest {

    private final String url = TestPostgres.newDatabase();

    @Test
    void names_areTheFilesOfTheFolder() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src", "main", "resources", "db", "migration"))) {
            assertEquals(
                    Migrations.NAMES,
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void allApplied_onlyIfFlywaysHistoryIsExactlyThese() throws SQLException {
        assertFalse(areAllApplied(), "an empty database");

        Database.open(TestPostgres.settings(url)).close();
        assertTrue(areAllApplied(), "what Flyway has just done");

        for (String change : new String[] {
            "set checksum = checksum + 1", "set success = false", "set version = '0'", "set checksum = null"
        }) {
            try (TestRows rows = new TestRows(url)) {
                rows.run("create table kept as select * from flyway_schema_history");
                rows.run("update flyway_schema_history " + change);
                assertFalse(areAllApplied(), change);
                rows.run("delete from flyway_schema_history");
                assertFalse(areAllApplied(), "none");
                rows.run("insert into flyway_schema_history select * from kept");
                rows.run("drop table kept");
            }
            assertTrue(areAllApplied(), "as it was");
        }
    }

    @Test
    void historyInAnotherSchemaOfTheSearchPath_doesNotCount() throws SQLException {
        Database.open(TestPostgres.settings(url)).close();
        try (TestRows rows = new TestRows(url)) {
            rows.run("create schema first");
            rows.run("alter role current_user in database " + database() + " set search_path = first, public");
        }

        assertFalse(areAllApplied());
    }

    @Test
    void editedMigration_isRefusedByFlyway() {
        Database.open(TestPostgres.settings(url)).close();
        try (TestRows rows = new TestRows(url)) {
            rows.run("update flyway_schema_history set checksum = 1 where version = '001'");
        }

        DatabaseStartException refused =
                assertThrows(DatabaseStartException.class, () -> Database.open(TestPostgres.settings(url)));
        assertTrue(refused.getMessage().contains("cannot be brought up to date"), refused.getMessage());
    }

    private String database() {
        return url.substring(url.lastIndexOf('/') + 1);
    }

    private boolean areAllApplied() throws SQLException {
        try (Connection connection = TestPostgres.connect(url);
                Statement statement = connection.createStatement()) {
            return Migrations.areAllApplied(statement);
        }
    }
}
