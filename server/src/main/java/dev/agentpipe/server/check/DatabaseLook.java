package dev.agentpipe.server.check;

import dev.agentpipe.db.DatabaseInspection;
import dev.agentpipe.db.DatabaseInspection.Index;
import dev.agentpipe.db.DatabaseInspection.Server;
import dev.agentpipe.db.DatabaseInspection.Table;
import dev.agentpipe.db.SchemaState;
import dev.agentpipe.db.local.LocalPostgres;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.check.Group.NotThereException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The database that the settings name; what several items need is asked once. One thread at a time. */
final class DatabaseLook implements AutoCloseable {

    private final DatabaseSettings database;
    private final DatabaseInspection inspection;
    private final boolean isEmbedded;
    private final boolean isPooled;
    private Server server;
    private Map<String, String> settings;
    private SchemaState schema;
    private List<Index> indexes;
    private List<Table> tables;

    private DatabaseLook(DatabaseSettings database, boolean isEmbedded, boolean isPooled) {
        this.database = database;
        this.inspection = DatabaseInspection.open(database);
        this.isEmbedded = isEmbedded;
        this.isPooled = isPooled;
    }

    static DatabaseLook open(Subject subject) throws NotThereException {
        Settings.Database given = subject.settings().database();
        if (given.url().isPresent()) {
            String url = given.url().get();
            String direct = given.directUrl().orElse(url);
            return new DatabaseLook(
                    DatabaseSettings.of(url, direct, given.poolMin(), given.poolMax(), given.timeout()),
                    false,
                    !direct.equals(url));
        }
        Path folder = subject.settings().dataDir().resolve("postgres");
        Optional<DatabaseSettings> running = LocalPostgres.running(folder);
        return new DatabaseLook(
                running.orElseThrow(() -> new NotThereException(
                        "the built-in PostgreSQL does not run in " + folder + ", and nothing is started here")),
                true,
                false);
    }

    DatabaseInspection inspection() {
        return inspection;
    }

    Server server() {
        if (server == null) {
            server = inspection.server();
        }
        return server;
    }

    Map<String, String> settings() {
        if (settings == null) {
            settings = inspection.settings();
        }
        return settings;
    }

    SchemaState schema() {
        if (schema == null) {
            schema = inspection.schema();
        }
        return schema;
    }

    /** @throws NotThereException if there are no tables yet */
    DatabaseInspection withSchema() throws NotThereException {
        if (!schema().pending().isEmpty()) {
            throw new NotThereException("the schema is not this version's, see migrations");
        }
        return inspection;
    }

    List<Index> indexes() throws NotThereException {
        if (indexes == null) {
            indexes = withSchema().indexes();
        }
        return indexes;
    }

    List<Table> tables() {
        if (tables == null) {
            tables = inspection.tables();
        }
        return tables;
    }

    /** @throws NotThereException for the built-in PostgreSQL, whose settings nobody chooses */
    DatabaseLook external() throws NotThereException {
        if (isEmbedded) {
            throw new NotThereException("the built-in PostgreSQL has none: set DATABASE_URL");
        }
        return this;
    }

    /** The log's epoch by the way that the pool takes. */
    String pooledEpoch() throws NotThereException {
        if (!isPooled) {
            throw new NotThereException("DIRECT_URL is not set, or the same");
        }
        try (DatabaseInspection pooled = DatabaseInspection.openPooled(database)) {
            return pooled.log().epoch();
        }
    }

    @Override
    public void close() {
        inspection.close();
    }
}
