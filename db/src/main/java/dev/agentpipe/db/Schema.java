package dev.agentpipe.db;

import dev.agentpipe.db.postgres.ConnectionPool;
import dev.agentpipe.db.postgres.DatabaseStartException;
import dev.agentpipe.db.postgres.PostgresUrl;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the schema to this program's version, and refuses what it cannot work with. Flyway takes a lock in the database,
 * so several servers may start at once; it is not even loaded when there is nothing for it to do.
 */
final class Schema {

    private static final Logger log = LoggerFactory.getLogger(Schema.class);
    private static final int POSTGRES_VERSION_MIN = 14;
    private static final String SERVER = """
            select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
                current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit
            """;

    /** Noted with each migration, so that an older version can tell who was here. */
    private static final String NAME = "agentpipe-server";

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
            if (Migrations.areAllApplied(statement)) {
                return;
            }
            if (ConnectionPool.isPooled(connection)) {
                log.warn(
                        "The schema is made or changed through a connection pooler, where sessions are not one's own: set"
                                + " DIRECT_URL to PostgreSQL itself");
            }
        } catch (SQLException away) {
            throw new DatabaseStartException(
                    "PostgreSQL at " + url.target() + " cannot be used (see DATABASE_URL): " + away.getMessage(), away);
        }
        try {
            Flyway flyway = Flyway.configure(Schema.class.getClassLoader())
                    .dataSource(direct)
                    .resourceProvider(new Migrations())
                    .installedBy(program())
                    .javaMigrationClassProvider(List::of)
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
        try (ResultSet row = statement.executeQuery(SERVER)) {
            row.next();
            int version = row.getInt("version") / 10_000;
            if (version < POSTGRES_VERSION_MIN) {
                throw new DatabaseStartException("PostgreSQL at " + url.target() + " is version " + version + "; "
                        + POSTGRES_VERSION_MIN + " or newer is needed");
            }
            String encoding = row.getString("encoding");
            if (!encoding.equals("UTF8")) {
                throw new DatabaseStartException("The database at " + url.target() + " has the encoding " + encoding
                        + "; make one with the encoding UTF8");
            }
            for (String setting : List.of("fsync", "synchronous_commit")) {
                if (row.getString(setting).equals("off")) {
                    log.warn("PostgreSQL's {} is off: events that were acknowledged can be lost in a crash", setting);
                }
            }
        }
    }

    /** Flyway itself would go on, and so would this program, not knowing what the newer schema expects of it. */
    private void refuseNewer(Flyway flyway) {
        List<MigrationInfo> unknown = Arrays.stream(flyway.info().applied())
                .filter(migration -> migration.getState() == MigrationState.FUTURE_SUCCESS
                        || migration.getState() == MigrationState.FUTURE_FAILED)
                .toList();
        if (!unknown.isEmpty()) {
            String versions = unknown.stream()
                    .map(MigrationInfo::getVersion)
                    .map(version -> version == null ? "repeatable" : version.getVersion())
                    .collect(Collectors.joining(", "));
            String by = unknown.get(unknown.size() - 1).getInstalledBy();
            String writer = by != null && by.startsWith(NAME) ? " by " + by : "";
            throw new DatabaseStartException("The schema at " + url.target() + " was made by a newer version of this"
                    + " program (migration " + versions + writer + "; this is " + program() + "). Start that version"
                    + " again, or restore the backup that was made before the upgrade (UPGRADING.md, \"Going back\")");
        }
    }

    private static String program() {
        String version = Schema.class.getPackage().getImplementationVersion();
        return NAME + " " + (version == null ? "development" : version);
    }
}
