package dev.agentpipe.server.check;

import dev.agentpipe.db.DatabaseInspection.Archive;
import dev.agentpipe.db.DatabaseInspection.Connections;
import dev.agentpipe.db.DatabaseInspection.Index;
import dev.agentpipe.db.DatabaseInspection.ManagedKeys;
import dev.agentpipe.db.DatabaseInspection.Server;
import dev.agentpipe.db.DatabaseInspection.Table;
import dev.agentpipe.db.DatabaseInspection.Upkeep;
import dev.agentpipe.db.SchemaState;
import dev.agentpipe.db.SchemaState.Migration;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class DatabaseItemsTest {

    private static final Instant NOW = Instant.parse("2026-11-23T04:00:00Z");
    private static final LocalDate TODAY = LocalDate.of(2026, 11, 23);

    private static Server server(int major) {
        return new Server(
                major,
                major + ".3",
                "db:5432/x",
                "UTF8",
                "UTC",
                false,
                false,
                false,
                true,
                false,
                Duration.ofMillis(1));
    }

    private static Server server(
            boolean standby, boolean readOnly, boolean superuser, boolean encrypted, boolean here) {
        return new Server(
                18, "18.6", "db:5432/x", "UTF8", "UTC", standby, readOnly, superuser, encrypted, here, Duration.ZERO);
    }

    @Test
    void version_getsFixes() {
        Judged.ok(DatabaseItems.version(server(17), TODAY), "until 2029-11-08");
        Judged.failed(DatabaseItems.version(server(13), TODAY), "14 or newer");
        Judged.ok(DatabaseItems.version(server(14), LocalDate.of(2026, 11, 12)));
        Judged.warning(DatabaseItems.version(server(14), TODAY), "gets no fixes since 2026-11-12");
        Judged.warning(DatabaseItems.version(server(19), TODAY), "newer than");
    }

    @Test
    void server_isAPrimaryThatIsKeptApart() {
        Server well = server(false, false, false, true, false);
        Judged.ok(DatabaseItems.reached(well), "18.6 at db:5432/x");
        Judged.ok(DatabaseItems.encoding(well));
        Judged.failed(
                DatabaseItems.encoding(
                        new Server(18, "18", "db", "LATIN1", "UTC", false, false, false, false, false, Duration.ZERO)),
                "LATIN1");
        Judged.ok(DatabaseItems.writable(well));
        Judged.failed(DatabaseItems.writable(server(true, false, false, true, false)), "standby");
        Judged.failed(DatabaseItems.writable(server(false, true, false, true, false)), "default_transaction_read_only");
        Judged.ok(DatabaseItems.user(well));
        Judged.warning(DatabaseItems.user(server(false, false, true, true, false)), "superuser");
        Judged.ok(DatabaseItems.encryption(well), "encrypted");
        Judged.ok(DatabaseItems.encryption(server(false, false, false, false, true)), "on one machine");
        Judged.warning(DatabaseItems.encryption(server(false, false, false, false, false)), "sslmode=verify-full");
    }

    @Test
    void clock_isJudgedInBothDirections() {
        Judged.ok(DatabaseItems.clock("its", Duration.ofMillis(1_900)));
        Judged.warning(DatabaseItems.clock("its", Duration.ofMillis(-2_100)), "its clock is 2 s behind");
        Judged.warning(DatabaseItems.clock("its", Duration.ofSeconds(60)), "60 s ahead");
        Judged.failed(DatabaseItems.clock("its", Duration.ofSeconds(-61)), "behind");
    }

    @Test
    void durability_needsAllThree() {
        Map<String, String> well = Map.of("fsync", "on", "full_page_writes", "on", "synchronous_commit", "local");
        Judged.ok(DatabaseItems.durability(well), "synchronous_commit = local");
        Judged.failed(DatabaseItems.durability(Map.of("fsync", "off")), "alter system set fsync = on");
        Judged.failed(DatabaseItems.durability(Map.of("full_page_writes", "off")), "full_page_writes is off");
        Judged.failed(DatabaseItems.durability(Map.of("synchronous_commit", "off")), "synchronous_commit is off");
    }

    @Test
    void pool_ofAllNodesFits() {
        Connections hundred = new Connections(97, 3, 10, 7);
        Judged.ok(DatabaseItems.pool(hundred, 10, 1), "1 × 10 (DATABASE_POOL_MAX) + 7 of others = 17 of 97");
        Judged.ok(DatabaseItems.pool(hundred, 25, 3), "= 82 of 97"); // 84.5 %
        Judged.warning(DatabaseItems.pool(hundred, 10, 8), "hardly one left");
        Judged.warning(DatabaseItems.pool(hundred, 10, 9), "= 97 of 97");
        Judged.failed(DatabaseItems.pool(hundred, 13, 7), "= 98 of 97: some will be refused");
    }

    @Test
    void schema_isThisVersions() {
        Judged.ok(
                DatabaseItems.migrations(new SchemaState(Optional.of("004"), List.of(), List.of(), List.of())), "004");
        List<Migration> pending = List.of(new Migration("004", "api keys", "…"), new Migration("005", "x", "…"));
        Judged.failed(
                DatabaseItems.migrations(new SchemaState(Optional.of("003"), pending, List.of(), List.of())),
                "at 003, pending: 004, 005 -> agentpipe-server migrate");
        Judged.failed(
                DatabaseItems.migrations(new SchemaState(Optional.empty(), pending, List.of(), List.of())), "empty");
        Judged.failed(
                DatabaseItems.migrations(new SchemaState(Optional.of("9"), List.of(), List.of("9"), List.of())),
                "a newer version");
        Judged.failed(
                DatabaseItems.migrations(new SchemaState(Optional.of("4"), List.of(), List.of(), List.of("it broke"))),
                "it broke");
    }

    @Test
    void indexes_arePresentAndValid() {
        Index well = new Index("events_pkey", "events", true, 7, "");
        Judged.ok(DatabaseItems.indexes(List.of(well)), "all 1");
        Judged.failed(
                DatabaseItems.indexes(
                        List.of(well, new Index("gone", "events", false, -1, "create index gone on events (a);"))),
                "create index concurrently gone on events (a);");
        Judged.failed(
                DatabaseItems.indexes(List.of(new Index("half", "events", false, 0, ""))),
                "reindex index concurrently half");
    }

    @Test
    void indexes_ofThePath_areUsedOnceTablesAreLarge() {
        List<Index> unused = List.of(
                new Index("events_pkey", "events", true, 0, ""), new Index("events_rare_type", "events", true, 0, ""));
        Judged.ok(DatabaseItems.indexUse(unused, List.of(new Table("events", 10_000, 0, true))), "small");
        List<Table> large = List.of(new Table("events", 10_001, 0, true));
        Judged.warning(DatabaseItems.indexUse(unused, large), "events_pkey: never used");
        Judged.ok(
                DatabaseItems.indexUse(List.of(new Index("events_pkey", "events", true, 1, ""), unused.get(1)), large),
                "1 of 2");
    }

    @Test
    void vacuum_keepsUp() {
        Map<String, String> on = Map.of("autovacuum", "on", "track_counts", "on");
        Judged.ok(DatabaseItems.vacuum(on, List.of(new Table("events", 900_000, 200_000, true))));
        Judged.warning(
                DatabaseItems.vacuum(on, List.of(new Table("events", 300_000, 100_001, true))), "100001 dead rows");
        Judged.warning(DatabaseItems.vacuum(on, List.of(new Table("events", 10_001, 0, false))), "analyze events");
        Judged.failed(DatabaseItems.vacuum(Map.of("autovacuum", "off"), List.of()), "autovacuum is off");
        Judged.failed(DatabaseItems.vacuum(Map.of("track_counts", "off"), List.of()), "track_counts");
    }

    @Test
    void upkeep_nothingHoldsItBack() {
        Duration hour = Duration.ofHours(1);
        Judged.ok(DatabaseItems.upkeep(new Upkeep(500_000_000, hour, 1, 1L << 30, 1 << 20)), "1.0 MiB");
        Judged.warning(DatabaseItems.upkeep(new Upkeep(500_000_001, hour, 0, 0, 0)), "500 million");
        Judged.failed(DatabaseItems.upkeep(new Upkeep(1_500_000_001, hour, 0, 0, 0)), "vacuum freeze");
        Judged.warning(DatabaseItems.upkeep(new Upkeep(0, hour.plusSeconds(1), 0, 0, 0)), "pg_terminate_backend");
        Judged.failed(DatabaseItems.upkeep(new Upkeep(0, hour, 1, (1L << 30) + 1, 0)), "replication slot");
    }

    @Test
    void slowStatements_areLoggedWithoutWhatPeopleSaid() {
        String name = "log_min_duration_statement";
        Judged.ok(DatabaseItems.slowQueryLog(Map.of(name, "500", "log_parameter_max_length", "0")), "above 500 ms");
        Judged.warning(
                DatabaseItems.slowQueryLog(Map.of(name, "500", "log_parameter_max_length", "-1")), "people said");
        Judged.warning(DatabaseItems.slowQueryLog(Map.of(name, "-1")), "off");
        Judged.warning(DatabaseItems.slowQueryLog(Map.of()), "alter system set log_min_duration_statement");
        Judged.warning(DatabaseItems.slowQueryLog(Map.of(name, "5001", "log_parameter_max_length", "0")), "only above");
    }

    @Test
    void pointInTimeRecovery_archivesAndDoesNotFail() {
        Map<String, String> on = Map.of("wal_level", "replica", "archive_mode", "on");
        Instant before = NOW.minusSeconds(60);
        Judged.ok(DatabaseItems.pointInTimeRecovery(on, new Archive(NOW, before, 0)), "last archived " + NOW);
        Judged.ok(DatabaseItems.pointInTimeRecovery(on, new Archive(null, null, 0)), "nothing archived yet");
        Judged.failed(DatabaseItems.pointInTimeRecovery(on, new Archive(before, NOW, 0)), "archiving fails since");
        Judged.failed(DatabaseItems.pointInTimeRecovery(on, new Archive(null, NOW, 0)), "archiving fails");
        Map<String, String> off = Map.of("wal_level", "replica", "archive_mode", "off");
        Judged.warning(DatabaseItems.pointInTimeRecovery(off, new Archive(null, null, 0)), "unless your provider");
        Judged.warning(DatabaseItems.pointInTimeRecovery(off, new Archive(null, null, 1)), "with its replicas");
    }

    @Test
    void oldEvents_goInTime() {
        Duration month = Duration.ofDays(30);
        Judged.ok(DatabaseItems.oldEvents(null, month, NOW), "no events");
        Judged.ok(DatabaseItems.oldEvents(NOW.minus(Duration.ofDays(31)), month, NOW));
        Judged.warning(DatabaseItems.oldEvents(NOW.minus(Duration.ofDays(32)), month, NOW), "32 days ago");
        Judged.ok(DatabaseItems.oldEvents(NOW.minus(Duration.ofDays(320)), Duration.ZERO, NOW));
    }

    @Test
    void keys_thatEndSoon_areNamed() {
        Judged.ok(DatabaseItems.managedKeys(new ManagedKeys(3, List.of())), "3 in use");
        Judged.warning(DatabaseItems.managedKeys(new ManagedKeys(3, List.of("ci"))), "ci: end within a week");
    }

    @Test
    void bothUrls_leadToOneLog() {
        Judged.ok(DatabaseItems.directUrl("k7f3", "k7f3"));
        Judged.failed(DatabaseItems.directUrl("k7f3", "a1"), "DATABASE_URL to a1");
    }
}
