package dev.agentpipe.server.check;

import dev.agentpipe.db.DatabaseInspection.Archive;
import dev.agentpipe.db.DatabaseInspection.Connections;
import dev.agentpipe.db.DatabaseInspection.Index;
import dev.agentpipe.db.DatabaseInspection.ManagedKeys;
import dev.agentpipe.db.DatabaseInspection.Server;
import dev.agentpipe.db.DatabaseInspection.Table;
import dev.agentpipe.db.DatabaseInspection.Upkeep;
import dev.agentpipe.db.SchemaState;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** PostgreSQL, and what this program keeps in it. */
final class DatabaseItems {

    /** Versions that are tried, and when their community ends them (postgresql.org/support/versioning). */
    private static final Map<Integer, LocalDate> END_OF_LIFE = Map.of(
            14, LocalDate.of(2026, 11, 12),
            15, LocalDate.of(2027, 11, 11),
            16, LocalDate.of(2028, 11, 9),
            17, LocalDate.of(2029, 11, 8),
            18, LocalDate.of(2030, 11, 14));

    private static final int VERSION_MIN = 14;
    private static final int VERSION_TRIED_MAX = 18;

    /** As the alerts have it: from here on somebody has to act. */
    private static final int CONNECTIONS_PERCENT_MAX = 85;

    private static final long LARGE_TABLE_ROWS = 10_000;
    private static final long DEAD_ROWS_MIN = 100_000;
    private static final long SLOW_QUERY_MILLIS_MAX = 5_000;
    private static final long TRANSACTION_AGE_WARNING = 500_000_000;
    private static final long TRANSACTION_AGE_FAILED = 1_500_000_000;
    private static final long SLOT_BYTES_MAX = 1L << 30;
    private static final Duration TRANSACTION_MAX = Duration.ofHours(1);
    private static final Duration CLOCK_WARNING = Duration.ofSeconds(2);
    private static final Duration CLOCK_FAILED = Duration.ofMinutes(1);

    /** A run deletes in steps, and begins every few minutes. */
    private static final Duration RETENTION_SLACK = Duration.ofDays(1);

    /** Without these, ingest and streams walk through whole tables. */
    private static final List<String> PATH_INDEXES =
            List.of("event_identities_pkey", "events_pkey", "events_conversation", "messages_position");

    private DatabaseItems() {}

    static Group<DatabaseLook> group(Subject subject) {
        return new Group<>(
                "database",
                () -> DatabaseLook.open(subject),
                "start PostgreSQL, or mend DATABASE_URL: agentpipe-server config shows it",
                List.of(
                        new Item<>("postgres", "PostgreSQL answers", look -> reached(look.server())),
                        new Item<>(
                                "postgres_version",
                                "its version gets fixes",
                                look -> version(look.server(), LocalDate.ofInstant(subject.now(), ZoneOffset.UTC))),
                        new Item<>("postgres_encoding", "texts of all languages", look -> encoding(look.server())),
                        new Item<>("postgres_writable", "it takes writes", look -> writable(look.server())),
                        new Item<>("postgres_user", "the rights of the server's user", look -> user(look.server())),
                        new Item<>("postgres_encryption", "the way to it", look -> encryption(look.server())),
                        new Item<>("postgres_time_zone", "the session's time zone", look -> timeZone(look.server())),
                        new Item<>(
                                "postgres_clock",
                                "its clock and this machine's",
                                look -> clock("PostgreSQL's", look.inspection().clockAhead())),
                        new Item<>(
                                "durability", "what is acknowledged is on disk", look -> durability(look.settings())),
                        new Item<>(
                                "pool",
                                "connections of all servers against what PostgreSQL has",
                                look -> pool(
                                        look.inspection().connections(),
                                        subject.settings().database().poolMax(),
                                        subject.nodes())),
                        new Item<>("migrations", "the schema is this version's", look -> migrations(look.schema())),
                        new Item<>("indexes", "present and valid", look -> indexes(look.indexes())),
                        new Item<>(
                                "indexes_used",
                                "the indexes of ingest and streams are used",
                                look -> indexUse(look.indexes(), look.tables())),
                        new Item<>(
                                "vacuum",
                                "dead rows are removed, statistics are there",
                                look -> vacuum(look.settings(), look.tables())),
                        new Item<>(
                                "upkeep",
                                "nothing holds PostgreSQL back",
                                look -> upkeep(look.inspection().upkeep())),
                        new Item<>(
                                "slow_query_log",
                                "slow statements are logged, without what people said",
                                look -> slowQueryLog(look.external().settings())),
                        new Item<>(
                                "point_in_time_recovery",
                                "the write-ahead log is archived",
                                look -> pointInTimeRecovery(
                                        look.external().settings(),
                                        look.inspection().archive())),
                        new Item<>(
                                "old_events",
                                "retention keeps up",
                                look -> oldEvents(
                                        look.withSchema().log().oldest(),
                                        subject.settings().eventRetention(),
                                        subject.now())),
                        new Item<>(
                                "managed_keys",
                                "keys that end soon",
                                look -> managedKeys(look.withSchema().managedKeys())),
                        new Item<>(
                                "direct_url",
                                "DATABASE_URL and DIRECT_URL lead to the same log",
                                look -> directUrl(look.withSchema().log().epoch(), look.pooledEpoch()))));
    }

    static Verdict reached(Server server) {
        return Verdict.ok("%s at %s, %s a question"
                .formatted(server.version(), server.target(), Amounts.time(server.roundTrip())));
    }

    static Verdict version(Server server, LocalDate today) {
        int major = server.majorVersion();
        String is = "PostgreSQL " + server.version();
        if (major < VERSION_MIN) {
            return Verdict.failed(
                    is + ": " + VERSION_MIN + " or newer is needed", "pg_upgrade, or a restore into a newer one");
        }
        if (major > VERSION_TRIED_MAX) {
            return Verdict.warning(
                    is + " is newer than what this version was tried with", "a newer version of this program, if any");
        }
        LocalDate end = END_OF_LIFE.get(major);
        return today.isAfter(end)
                ? Verdict.warning(is + " gets no fixes since " + end, "pg_upgrade to " + VERSION_TRIED_MAX)
                : Verdict.ok(is + ", which gets fixes until " + end);
    }

    static Verdict encoding(Server server) {
        return server.encoding().equals("UTF8")
                ? Verdict.ok("UTF8")
                : Verdict.failed(
                        server.encoding() + " cannot store every text",
                        "create database … encoding 'UTF8' template template0");
    }

    static Verdict writable(Server server) {
        if (server.isStandby()) {
            return Verdict.failed(
                    "it is a standby, which takes no writes",
                    "name the primary, or add target_session_attrs=read-write");
        }
        return server.isReadOnly()
                ? Verdict.failed(
                        "default_transaction_read_only is on",
                        "alter system set default_transaction_read_only = off; select pg_reload_conf()")
                : Verdict.ok("a primary");
    }

    static Verdict user(Server server) {
        return server.isSuperuser()
                ? Verdict.warning(
                        "a superuser, who may run programs on PostgreSQL's machine",
                        "create role agentpipe login password '…'; alter database … owner to agentpipe")
                : Verdict.ok("no superuser");
    }

    static Verdict encryption(Server server) {
        if (server.isEncrypted()) {
            return Verdict.ok("encrypted");
        }
        return server.isOnThisMachine()
                ? Verdict.ok("not encrypted, on one machine")
                : Verdict.warning(
                        "not encrypted: the network between can read passwords and conversations",
                        "sslmode=verify-full in DATABASE_URL");
    }

    /** One that PostgreSQL does not know would have refused the connection. */
    static Verdict timeZone(Server server) {
        return Verdict.ok(server.timeZone());
    }

    static Verdict clock(String whose, Duration ahead) {
        String is = whose + " clock is " + Amounts.time(ahead) + (ahead.isNegative() ? " behind" : " ahead");
        String fix = "timedatectl set-ntp true, on both machines";
        if (ahead.abs().compareTo(CLOCK_FAILED) > 0) {
            return Verdict.failed(is, fix);
        }
        return ahead.abs().compareTo(CLOCK_WARNING) > 0 ? Verdict.warning(is, fix) : Verdict.ok(is);
    }

    static Verdict durability(Map<String, String> settings) {
        List<Verdict> problems = new ArrayList<>();
        for (String name : List.of("fsync", "full_page_writes", "synchronous_commit")) {
            if ("off".equals(settings.get(name))) {
                problems.add(Verdict.failed(
                        name + " is off: a crash loses or spoils what was acknowledged",
                        "alter system set " + name + " = on; select pg_reload_conf()"));
            }
        }
        return Verdict.ok("fsync, full_page_writes, synchronous_commit = " + settings.get("synchronous_commit"))
                .or(problems);
    }

    static Verdict pool(Connections of, int poolMax, int nodes) {
        long wanted = (long) nodes * poolMax + of.others();
        String sum = "%d × %d (DATABASE_POOL_MAX) + %d of others = %d of %d"
                .formatted(nodes, poolMax, of.others(), wanted, of.max());
        String fix = "alter system set max_connections = %d, and restart PostgreSQL; or a smaller DATABASE_POOL_MAX"
                .formatted(Math.max(100, (wanted + of.reserved()) * 4 / 3 / 10 * 10 + 10));
        if (wanted > of.max()) {
            return Verdict.failed(sum + ": some will be refused", fix);
        }
        return Amounts.percent(wanted, of.max()) > CONNECTIONS_PERCENT_MAX
                ? Verdict.warning(sum + ": there is hardly one left for you", fix)
                : Verdict.ok(sum + (nodes == 1 ? "; tell of more servers with --nodes" : ""));
    }

    static Verdict migrations(SchemaState schema) {
        if (!schema.newer().isEmpty()) {
            return Verdict.failed(
                    "a newer version of this program was here (" + String.join(", ", schema.newer()) + ")",
                    "run that version: UPGRADING.md");
        }
        if (!schema.problems().isEmpty()) {
            return Verdict.failed(String.join("; ", schema.problems()), "restore a backup: docs/backup.md");
        }
        String version = schema.version().map(at -> "at " + at).orElse("empty");
        if (!schema.pending().isEmpty()) {
            String pending = schema.pending().stream()
                    .map(SchemaState.Migration::version)
                    .collect(Collectors.joining(", "));
            return Verdict.failed(version + ", pending: " + pending, "agentpipe-server migrate");
        }
        return Verdict.ok(version);
    }

    static Verdict indexes(List<Index> indexes) {
        List<Verdict> problems = new ArrayList<>();
        for (Index index : indexes) {
            if (!index.isPresent()) {
                problems.add(Verdict.failed(
                        index.name() + " of " + index.table() + " is missing",
                        index.definition().isEmpty()
                                ? "restore a backup: docs/backup.md"
                                : index.definition().replaceFirst("index ", "index concurrently ")));
            } else if (!index.isValid()) {
                problems.add(Verdict.failed(
                        index.name() + " is not valid: its making has failed",
                        "reindex index concurrently " + index.name()));
            }
        }
        return Verdict.ok("all " + indexes.size()).or(problems);
    }

    static Verdict indexUse(List<Index> indexes, List<Table> tables) {
        Map<String, Long> rows = tables.stream().collect(Collectors.toMap(Table::name, Table::rows));
        List<Index> ofLarge = indexes.stream()
                .filter(index -> index.isPresent() && rows.getOrDefault(index.table(), 0L) > LARGE_TABLE_ROWS)
                .toList();
        List<String> unused = ofLarge.stream()
                .filter(index -> index.scans() == 0)
                .map(Index::name)
                .toList();
        List<String> wanted = unused.stream().filter(PATH_INDEXES::contains).toList();
        if (!wanted.isEmpty()) {
            return Verdict.warning(
                    String.join(", ", wanted) + ": never used, on a table that is not small",
                    "analyze; then look at  explain  of what is slow");
        }
        return Verdict.ok(
                ofLarge.isEmpty()
                        ? "tables are small, with fewer than " + LARGE_TABLE_ROWS + " rows"
                        : "%d of %d were used since statistics began"
                                .formatted(ofLarge.size() - unused.size(), ofLarge.size()));
    }

    static Verdict vacuum(Map<String, String> settings, List<Table> tables) {
        List<Verdict> problems = new ArrayList<>();
        for (String name : List.of("autovacuum", "track_counts")) {
            if ("off".equals(settings.get(name))) {
                problems.add(Verdict.failed(
                        name + " is off: tables grow without end",
                        "alter system set " + name + " = on; select pg_reload_conf()"));
            }
        }
        for (Table table : tables) {
            if (table.deadRows() > DEAD_ROWS_MIN && table.deadRows() > table.rows() / 4) {
                problems.add(Verdict.warning(
                        "%s has %d dead rows beside %d".formatted(table.name(), table.deadRows(), table.rows()),
                        "vacuum (verbose, analyze) " + table.name()));
            } else if (table.rows() > LARGE_TABLE_ROWS && !table.isAnalyzed()) {
                problems.add(Verdict.warning(table.name() + " was never analyzed", "analyze " + table.name()));
            }
        }
        return Verdict.ok("autovacuum is on and keeps up").or(problems);
    }

    static Verdict upkeep(Upkeep of) {
        List<Verdict> problems = new ArrayList<>();
        if (of.transactionAge() > TRANSACTION_AGE_WARNING) {
            String age = "%d million transactions since the oldest row was frozen, PostgreSQL stops at 2,000"
                    .formatted(of.transactionAge() / 1_000_000);
            String fix = "vacuum freeze; and look for what holds autovacuum back";
            problems.add(
                    of.transactionAge() > TRANSACTION_AGE_FAILED
                            ? Verdict.failed(age, fix)
                            : Verdict.warning(age, fix));
        }
        if (of.oldestTransaction().compareTo(TRANSACTION_MAX) > 0) {
            problems.add(
                    Verdict.warning(
                            "a transaction is open for " + Amounts.time(of.oldestTransaction())
                                    + ": vacuum removes nothing newer",
                            "select pid, xact_start, query from pg_stat_activity order by xact_start; pg_terminate_backend(pid)"));
        }
        if (of.idleSlots() > 0 && of.slotBytesMax() > SLOT_BYTES_MAX) {
            problems.add(
                    Verdict.failed(
                            "a replication slot that nobody uses keeps " + Amounts.bytes(of.slotBytesMax())
                                    + " of the write-ahead log: the disk will fill",
                            "select slot_name from pg_replication_slots where not active; pg_drop_replication_slot(slot_name)"));
        }
        return Verdict.ok("the database has " + Amounts.bytes(of.bytes())).or(problems);
    }

    static Verdict slowQueryLog(Map<String, String> settings) {
        long millis = Long.parseLong(settings.getOrDefault("log_min_duration_statement", "-1"));
        if (millis < 0 || millis > SLOW_QUERY_MILLIS_MAX) {
            return Verdict.warning(
                    millis < 0 ? "off" : "only above " + millis + " ms",
                    "alter system set log_min_duration_statement = '500ms';"
                            + " alter system set log_parameter_max_length = 0; select pg_reload_conf()");
        }
        return "0".equals(settings.get("log_parameter_max_length"))
                ? Verdict.ok("above " + millis + " ms")
                : Verdict.warning(
                        "above " + millis + " ms, with parameters: what people said gets into PostgreSQL's log",
                        "alter system set log_parameter_max_length = 0; select pg_reload_conf()");
    }

    static Verdict pointInTimeRecovery(Map<String, String> settings, Archive archive) {
        String fix = "archive_mode = on with an archive_command, such as pgBackRest's; docs/backup.md";
        boolean archives = settings.getOrDefault("archive_mode", "off").matches("on|always");
        if ("minimal".equals(settings.get("wal_level")) || !archives) {
            String lost = "wal_level = %s, archive_mode = %s: what came after the last dump is lost with the disk"
                    .formatted(settings.get("wal_level"), settings.getOrDefault("archive_mode", "?"));
            return Verdict.warning(
                    lost + (archive.replicas() > 0 ? ", or with its replicas" : ", unless your provider does it"), fix);
        }
        Instant failed = archive.lastFailed();
        Instant done = archive.lastArchived();
        if (failed != null && (done == null || failed.isAfter(done))) {
            return Verdict.failed(
                    "archiving fails since " + failed + ": the write-ahead log fills the disk",
                    "look into PostgreSQL's log for archive_command");
        }
        return Verdict.ok(done == null ? "on, nothing archived yet" : "on, last archived " + done);
    }

    static Verdict oldEvents(Instant oldest, Duration retention, Instant now) {
        if (oldest == null) {
            return Verdict.ok("no events yet");
        }
        Duration age = Duration.between(oldest, now);
        String is = "the oldest event came " + Amounts.time(age) + " ago";
        return !retention.isZero() && age.compareTo(retention.plus(RETENTION_SLACK)) > 0
                ? Verdict.warning(
                        is + ", EVENT_RETENTION_DAYS is " + retention.toDays(),
                        "let a server run, and look for \"retention\" in its log")
                : Verdict.ok(is);
    }

    static Verdict managedKeys(ManagedKeys keys) {
        return keys.expiring().isEmpty()
                ? Verdict.ok(keys.usable() + " in use, none ends within a week")
                : Verdict.warning(
                        String.join(", ", keys.expiring().stream().limit(5).toList()) + ": end within a week",
                        "agentpipe-server keys rotate NAME");
    }

    static Verdict directUrl(String direct, String pooled) {
        return direct.equals(pooled)
                ? Verdict.ok("log " + direct)
                : Verdict.failed(
                        "DIRECT_URL leads to the log " + direct + ", DATABASE_URL to " + pooled,
                        "name the same database in both");
    }
}
