package dev.agentpipe.db.backup;

import dev.agentpipe.db.backup.BackupManifest.Table;
import dev.agentpipe.db.postgres.PostgresUrl;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Writes one moment of a database into a file, while servers go on working on it. Counts and contents are of the same
 * snapshot. For one thread.
 */
public final class BackupWriter {

    private static final String IS_LOG =
            "select count(*) = 2 from pg_tables where schemaname = current_schema() and tablename in ('event_log', 'flyway_schema_history')";

    /** What the contents take, without indexes: about twice of what they take when they are compressed. */
    private static final String BYTES = """
            select sum(pg_table_size(c.oid)) from pg_class as c where c.relkind = 'r'
                and c.relnamespace = (select oid from pg_namespace where nspname = current_schema())
            """;

    private BackupWriter() {}

    /**
     * @param file an existing, empty one, whose permissions it keeps
     * @param form empty: pg_dump's if there is one that fits the server, else COPY's
     * @param program this program's version
     * @throws BackupException if it cannot be done; the file may then hold anything
     */
    public static BackupManifest write(PostgresUrl database, Path file, Optional<BackupForm> form, String program) {
        Instant at = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        try (Snapshot snapshot = new Snapshot(database)) {
            if (!snapshot.value(IS_LOG).equals("t")) {
                throw new BackupException("There is no log of events at " + database.target() + ": nothing to back up");
            }
            refuseFullDisk(Long.parseLong(snapshot.value(BYTES)), file);
            int server = Integer.parseInt(snapshot.value("select current_setting('server_version_num')")) / 10_000;
            Optional<PostgresTools> tools = tools(form, server);
            List<Table> tables = new ArrayList<>();
            for (Table table : snapshot.tables()) {
                tables.add(snapshot.counted(table));
            }
            BackupManifest manifest = new BackupManifest(
                    tools.isPresent() ? BackupForm.PG_DUMP : BackupForm.COPY,
                    tools.map(PostgresTools::version).orElse(0),
                    at,
                    program,
                    snapshot.value("select current_setting('server_version')"),
                    snapshot.value("select coalesce(max(version), '') from flyway_schema_history where success"),
                    snapshot.value(
                            "select installed_by from flyway_schema_history order by installed_rank desc limit 1"),
                    snapshot.value("select epoch from event_log"),
                    Long.parseLong(snapshot.value("select log_head()")),
                    tables);
            if (tools.isPresent()) {
                tools.get().dump(database, snapshot.exported(), file);
            } else {
                CopyArchive.write(snapshot.connection(), tables, manifest, file);
            }
            return manifest;
        } catch (SQLException failed) {
            throw new BackupException("The backup of " + database.target() + " failed: " + failed.getMessage(), failed);
        } catch (IOException failed) {
            throw new BackupException("The backup cannot be written: " + failed.getMessage(), failed);
        }
    }

    /** Asked by the file: a FileStore fails where the folder's mount point is not seen, as in a chroot. */
    private static void refuseFullDisk(long bytes, Path file) {
        File disk = file.toFile();
        long free = disk.getUsableSpace();
        if (free < bytes / 2 && disk.getTotalSpace() > 0) { // 0: it does not tell
            throw new BackupException("%d MB are free for the backup, and it may need %d (half of what the tables take)"
                    .formatted(free >> 20, bytes >> 21));
        }
    }

    private static Optional<PostgresTools> tools(Optional<BackupForm> form, int server) {
        if (form.equals(Optional.of(BackupForm.COPY))) {
            return Optional.empty();
        }
        Optional<PostgresTools> tools = PostgresTools.from(server);
        if (tools.isEmpty() && form.isPresent()) {
            throw new BackupException("PostgreSQL is version " + server + ", and pg_dump must not be older; here are "
                    + PostgresTools.versions());
        }
        return tools;
    }

    /**
     * Reads a file from beginning to end, as a restore would, and holds it against its manifest.
     *
     * @throws BackupException if something is missing or broken
     */
    public static void readThrough(Path file, BackupManifest manifest) {
        try {
            if (manifest.form() == BackupForm.COPY) {
                CopyArchive.readThrough(file, manifest);
                return;
            }
            var found = Restore.tools(manifest).readThrough(file);
            for (Table table : manifest.tables()) {
                if (!found.contains(table.name())) {
                    throw new BackupException("The file lacks table " + table.name());
                }
            }
        } catch (IOException broken) {
            throw new BackupException(file + " is broken: " + broken.getMessage(), broken);
        }
    }
}
