package dev.agentpipe.db;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the schema to this program's version, and refuses what it cannot work with. Flyway takes a lock in the database,
 * so several servers may start at once.
 */
final class Schema {

    private static final Logger log = LoggerFactory.getLogger(Schema.class);
    private static final int POSTGRES_VERSION_MIN = 14;

    private final DataSource direct;
    private final PostgresUrl url;

    Schema(PostgresUrl direct) {
        this.url = direct;
        this.direct = ConnectionPool.unpooled(direct);
    }

    void migrate() {
        try (Connection connection = direct.getConnection();
                Statement statement = connection.createStatement()) {
            checkServer(statement);
        } catch (SQLException away) {
            throw new DatabaseStartException(
                    "PostgreSQL at " + url.target() + " cannot be used (see DATABASE_URL): " + away.getMessage(), away);
        }
        try {
            Flyway flyway = Flyway.configure(Schema.class.getClassLoader())
                    .dataSource(direct)
                    .locations("classpath:db/migration")
                    .validateMigrationNaming(true)
                    .load();
            refuseNewer(flyway);
            flyway.migrate();
        } catch (FlywayException failed) {
            throw new DatabaseStartException(
                    "The schema at " + url.target() + " cannot be brought up to date: " + failed.getMessage(), failed);
        }
    }

    private void checkServer(Statement statement) throws SQLException {
        int version = Integer.parseInt(show(statement, "server_version_num")) / 10_000;
        if (version < POSTGRES_VERSION_MIN) {
            throw new DatabaseStartException("PostgreSQL at " + url.target() + " is version " + version + "; "
                    + POSTGRES_VERSION_MIN + " or newer is needed");
        }
        String encoding = show(statement, "server_encoding");
        if (!encoding.equals("UTF8")) {
            throw new DatabaseStartException("The database at " + url.target() + " has the encoding " + encoding
                    + "; make one with the encoding UTF8");
        }
        for (String setting : List.of("fsync", "synchronous_commit")) {
            if (show(statement, setting).equals("off")) {
                log.warn("PostgreSQL's {} is off: events that were acknowledged can be lost in a crash", setting);
            }
        }
    }

    private static String show(Statement statement, String setting) throws SQLException {
        try (ResultSet row = statement.executeQuery("show " + setting)) {
            row.next();
            return row.getString(1);
        }
    }

    /** Flyway itself would go on, and so would this program, not knowing what the newer schema expects of it. */
    private void refuseNewer(Flyway flyway) {
        List<String> unknown = Arrays.stream(flyway.info().applied())
                .filter(migration -> migration.getState() == MigrationState.FUTURE_SUCCESS
                        || migration.getState() == MigrationState.FUTURE_FAILED)
                .map(MigrationInfo::getVersion)
                .map(version -> version == null ? "repeatable" : version.getVersion())
                .toList();
        if (!unknown.isEmpty()) {
            throw new DatabaseStartException("The schema at " + url.target() + " was made by a newer version of this"
                    + " program (migration " + String.join(", ", unknown) + "): start that one");
        }
    }
}
