package dev.agentpipe.db.backup;

import dev.agentpipe.db.backup.BackupManifest.Table;
import dev.agentpipe.db.postgres.ConnectionPool;
import dev.agentpipe.db.postgres.PostgresUrl;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * Brings a backup into a database: in one transaction, which also compares what came in with the manifest and gives the log
 * a new epoch. So a restore that fails, or is killed, has changed nothing, and there is no moment at which a server could
 * take the restored log for the one that its readers know. The price is disk: what is replaced goes when all is there.
 *
 * <p>For one thread.
 */
public final class Restore {

    private static final Duration ENDING = Duration.ofSeconds(2);
    private static final int EPOCH_CHARS = 6;
    private static final String EPOCH_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";

    private static final String CONNECTED = """
            select string_agg(distinct coalesce(nullif(application_name, ''), 'unnamed') || ' of ' || usename, ', ')
            from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and usename is not null
                and coalesce(backend_type, 'client backend') = 'client backend' -- another user's is not shown
            """;

    private static final String END_CONNECTIONS = """
            select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and usename is not null
                and coalesce(backend_type, 'client backend') = 'client backend' -- another user's is not shown
            """;

    private static final String TABLES_AND_LOG = """
            select count(*), count(*) filter (where relname = 'event_log') from pg_class
            where relkind in ('r', 'p', 'v', 'm')
                and relnamespace = (select oid from pg_namespace where nspname = current_schema())
                and oid not in (select objid from pg_depend where deptype = 'e')
            """;

    /** The schema itself stays, which may be another's; and what extensions have brought. */
    private static final String DROP_ALL = """
            do $drop$
            declare
                one record;
                ours constant oid := (select oid from pg_namespace where nspname = %s);
            begin
                for one in
                    select case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                        else 'table' end as kind, format('%%I.%%I', %1$s, relname) as name
                    from pg_class where relnamespace = ours and relkind in ('r', 'p', 'v', 'm', 'S')
                        and oid not in (select objid from pg_depend where deptype = 'e')
                loop
                    execute format('drop %%s if exists %%s cascade', one.kind, one.name);
                end loop;
                for one in
                    select format('%%I.%%I(%%s)', %1$s, proname, pg_get_function_identity_arguments(oid)) as name
                    from pg_proc where pronamespace = ours
                        and oid not in (select objid from pg_depend where deptype = 'e')
                loop
                    execute format('drop routine if exists %%s cascade', one.name);
                end loop;
            end
            $drop$;
            """;

    private static final String ANALYZE = """
            do $analyze$ declare one record; begin
                for one in select relname from pg_class where relkind = 'r'
                    and relnamespace = (select oid from pg_namespace where nspname = current_schema())
                loop
                    execute format('analyze %I', one.relname);
                end loop;
            end $analyze$;
            """;

    private static final String NEWER = """
            do $check$ begin
                if exists (select from flyway_schema_history where version not in (%s)) then
                    raise exception 'the schema of the backup is newer than this program: restore it with the version that made it';
                end if;
            end $check$;
            """;

    private static final String COMPARE = """
            do $check$ declare found record; begin
                execute $query$%s$query$ into found;
                if found.count <> %d or found.coalesce <> %s then
                    raise exception 'table %% did not come in as it was backed up (%% rows)', %s, found.count;
                end if;
            end $check$;
            """;

    /** The seal, too: tokens that were made with the old one are refused unseen. */
    private static final String REVOKE = """
            do $keys$ begin
                if to_regclass('api_keys') is not null then
                    update api_keys set revoked_at = now(), revoked_by = 'restore' where revoked_at is null;
                    delete from key_tokens;
                    update key_state set token_seal = uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
                end if;
            end $keys$;
            """;

    /**
     * @param replace whether what is in the database may go
     * @param force ends the connections of others, rather than refuse because of them
     * @param revokeKeys ends all managed keys, sessions and tickets
     */
    public record Options(boolean replace, boolean force, boolean revokeKeys) {}

    /**
     * @param manifest of what was restored; empty if the file had none beside it, and nothing could be compared
     * @param keys managed ones that are in use now
     * @param tokens sessions and tickets that are in use now
     * @param leftOut tables that are not this program's
     */
    public record Restored(
            Optional<BackupManifest> manifest, String epoch, long head, long keys, long tokens, List<String> leftOut) {
        public Restored {
            leftOut = List.copyOf(leftOut);
        }
    }

    private final PostgresUrl database;
    private final List<MigrationScript> known;

    /** @param known all migrations of this program, in their order */
    public Restore(PostgresUrl database, List<MigrationScript> known) {
        this.database = database;
        this.known = List.copyOf(known);
    }

    /** What kind of file it is, by its first bytes. */
    public static BackupForm form(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            String magic = new String(in.readNBytes(5), StandardCharsets.ISO_8859_1);
            if (magic.equals("PGDMP")) {
                return BackupForm.PG_DUMP;
            }
            if (magic.startsWith("PK\3\4")) {
                return BackupForm.COPY;
            }
        } catch (IOException unreadable) {
            throw new BackupException("The backup cannot be read: " + unreadable, unreadable);
        }
        throw new BackupException(file + " is no backup of this program");
    }

    /** That inside of the file; empty for pg_dump's form, which has none. */
    public static Optional<BackupManifest> manifestInside(Path file) {
        try {
            return form(file) == BackupForm.COPY ? Optional.of(CopyArchive.manifest(file)) : Optional.empty();
        } catch (IOException broken) {
            throw new BackupException(file + " is broken: " + broken.getMessage(), broken);
        }
    }

    /** @throws BackupException if it cannot be done; then the database is as it was */
    public Restored run(Path file, Optional<BackupManifest> manifest, Options options) {
        manifest.ifPresent(this::refuseNewer);
        String epoch = newEpoch();
        try (Connection connection = ConnectionPool.unpooled(database).getConnection();
                Statement statement = connection.createStatement()) {
            prepare(statement, options);
            List<String> leftOut = List.of();
            if (form(file) == BackupForm.COPY) {
                connection.setAutoCommit(false);
                if (options.replace()) {
                    statement.execute(DROP_ALL.formatted("current_schema()"));
                }
                leftOut = CopyArchive.restore(connection, file, manifest.orElseThrow(), upTo(manifest.get()));
                statement.execute(
                        ending(value(statement, "select current_schema()"), manifest, leftOut, epoch, options));
                connection.commit();
                connection.setAutoCommit(true);
            } else {
                String schema = value(statement, "select current_schema()");
                String before = options.replace() ? DROP_ALL.formatted(Snapshot.literal(schema)) : "";
                tools(manifest.orElse(null))
                        .restore(database, file, before, ending(schema, manifest, leftOut, epoch, options));
            }
            return restored(statement, manifest, epoch, leftOut);
        } catch (SQLException failed) {
            throw new BackupException(
                    "The restore into " + database.target() + " failed, nothing was changed: " + failed.getMessage(),
                    failed);
        } catch (IOException broken) {
            throw new BackupException(
                    file + " cannot be restored, nothing was changed: " + broken.getMessage(), broken);
        }
    }

    static PostgresTools tools(BackupManifest manifest) {
        int version = manifest == null ? 0 : manifest.toolVersion();
        return PostgresTools.from(version)
                .orElseThrow(() -> new BackupException("The backup was made by pg_dump " + version
                        + ", and pg_restore must not be older; here are " + PostgresTools.versions()
                        + ": install postgresql-client"));
    }

    private void refuseNewer(BackupManifest manifest) {
        if (known.stream().noneMatch(one -> one.version().equals(manifest.schemaVersion()))) {
            throw new BackupException(
                    "The backup's schema (migration " + manifest.schemaVersion() + ", by " + manifest.schemaWriter()
                            + ") is newer than this program: restore it with that version or a later one");
        }
    }

    private List<MigrationScript> upTo(BackupManifest manifest) {
        int last = known.stream().map(MigrationScript::version).toList().indexOf(manifest.schemaVersion());
        return known.subList(0, last + 1);
    }

    private void prepare(Statement statement, Options options) throws SQLException {
        String connected = connected(statement);
        if (connected != null && !options.force()) {
            throw new BackupException("Somebody is connected to " + database.target() + " (" + connected
                    + "): stop all servers first. (--force ends these connections, but a server that still runs would come"
                    + " back and serve its old log)");
        }
        if (connected != null) {
            statement.execute(END_CONNECTIONS);
        }
        try (ResultSet row = statement.executeQuery(TABLES_AND_LOG)) {
            row.next();
            if (row.getLong(1) > 0 && row.getLong(2) == 0) {
                throw new BackupException(
                        database.target() + " holds tables of another program: restore into a database of its own");
            }
            if (row.getLong(1) > 0 && !options.replace()) {
                throw new BackupException(
                        database.target()
                                + " is not empty: restore into an empty database, or with --replace, which deletes what is in it");
            }
        }
        statement.execute("set statement_timeout = 0; set lock_timeout = '60s'; set maintenance_work_mem = '256MB'");
    }

    /** Those of a server that has just stopped are still ending. */
    private static String connected(Statement statement) throws SQLException {
        long deadline = System.nanoTime() + ENDING.toNanos();
        String connected = value(statement, CONNECTED);
        while (connected != null && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(ENDING.toNanos() / 20);
            connected = value(statement, CONNECTED);
        }
        return connected;
    }

    private static String newEpoch() {
        SecureRandom random = new SecureRandom();
        StringBuilder epoch = new StringBuilder();
        for (int i = 0; i < EPOCH_CHARS; i++) {
            epoch.append(EPOCH_DIGITS.charAt(random.nextInt(EPOCH_DIGITS.length())));
        }
        return epoch.toString();
    }

    /** What comes before the commit: the comparison, then all that must not be as it was. */
    private String ending(
            String schema, Optional<BackupManifest> manifest, List<String> leftOut, String epoch, Options options) {
        StringBuilder sql = new StringBuilder(Snapshot.SETTINGS);
        sql.append("select set_config('search_path', ").append(Snapshot.literal(Snapshot.quoted(schema)));
        sql.append(" || ', pg_catalog', true);\n");
        sql.append(NEWER.formatted(versions()));
        for (Table table : manifest.map(BackupManifest::tables).orElse(List.of())) {
            if (!leftOut.contains(table.name())) {
                sql.append(COMPARE.formatted(
                        Snapshot.counts(Snapshot.quoted(table.name())),
                        table.rows(),
                        Snapshot.literal(table.digest()),
                        Snapshot.literal(table.name())));
            }
        }
        sql.append("update event_log set epoch = ")
                .append(Snapshot.literal(epoch))
                .append(";\n");
        if (options.revokeKeys()) {
            sql.append(REVOKE);
        }
        return sql.append(ANALYZE).toString();
    }

    private String versions() {
        return String.join(
                ", ",
                known.stream()
                        .map(MigrationScript::version)
                        .map(Snapshot::literal)
                        .toList());
    }

    private Restored restored(
            Statement statement, Optional<BackupManifest> manifest, String epoch, List<String> leftOut)
            throws SQLException {
        if (!epoch.equals(value(statement, "select epoch from event_log"))) {
            throw new BackupException("The restore did not take effect: the log's epoch is not the new one");
        }
        return new Restored(
                manifest,
                epoch,
                Long.parseLong(value(statement, "select log_head()")),
                Long.parseLong(
                        value(
                                statement,
                                "select count(*) from api_keys where revoked_at is null and coalesce(expires_at, 'infinity') > now()")),
                Long.parseLong(value(statement, "select count(*) from key_tokens where expires_at > now()")),
                leftOut);
    }

    private static String value(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            return row.next() ? row.getString(1) : null;
        }
    }
}
