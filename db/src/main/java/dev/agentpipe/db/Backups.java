package dev.agentpipe.db;

import dev.agentpipe.db.backup.BackupForm;
import dev.agentpipe.db.backup.BackupManifest;
import dev.agentpipe.db.backup.BackupWriter;
import dev.agentpipe.db.backup.MigrationScript;
import dev.agentpipe.db.backup.Restore;
import dev.agentpipe.db.postgres.DatabaseSettings;
import java.nio.file.Path;
import java.util.Optional;

/** Backups of a database, by this program's migrations. Thread-safe. */
public final class Backups {

    private Backups() {}

    /**
     * Writes one moment of a database, while servers work on it.
     *
     * @param file an existing, empty one
     * @param form empty: pg_dump's, if there is one that fits the server
     * @param program this program's version
     */
    public static BackupManifest write(
            DatabaseSettings database, Path file, Optional<BackupForm> form, String program) {
        return BackupWriter.write(database.directUrl(), file, form, program);
    }

    /** Reads a file from beginning to end, as a restore would, and holds it against its manifest. */
    public static void readThrough(Path file, BackupManifest manifest) {
        BackupWriter.readThrough(file, manifest);
    }

    /** Replaces or fills a database: all or nothing. The schema is the backup's; {@link Database#open} brings it up to date. */
    public static Restore.Restored restore(
            DatabaseSettings database, Path file, Optional<BackupManifest> manifest, Restore.Options options) {
        return new Restore(
                        database.directUrl(),
                        Migrations.NAMES.stream()
                                .map(name -> new MigrationScript(Migrations.version(name), Migrations.sql(name)))
                                .toList())
                .run(file, manifest, options);
    }
}
