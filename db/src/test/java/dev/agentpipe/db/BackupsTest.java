package dev.agentpipe.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.log.LogState;
import dev.agentpipe.core.log.TestEvents;
import dev.agentpipe.db.backup.BackupException;
import dev.agentpipe.db.backup.BackupForm;
import dev.agentpipe.db.backup.BackupManifest;
import dev.agentpipe.db.backup.BackupWriter;
import dev.agentpipe.db.backup.Restore;
import dev.agentpipe.db.backup.Restore.Options;
import dev.agentpipe.db.backup.Restore.Restored;
import dev.agentpipe.db.local.InstalledPostgres;
import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.db.postgres.DatabaseStartException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

final class BackupsTest {

    private static final Options INTO_EMPTY = new Options(false, false, false);
    private static final Options REPLACE = new Options(true, false, false);

    /** What the migrations make: of a restored database the same as of a new one. */
    private static final List<String> DEFINITIONS = List.of(
            "select table_name, column_name, data_type, column_default, is_nullable, collation_name,"
                    + " character_maximum_length from information_schema.columns where table_schema = 'public' order by 1, 2",
            "select tablename, indexdef from pg_indexes where schemaname = 'public' order by 1, 2",
            "select conrelid::regclass, pg_get_constraintdef(oid) as definition from pg_constraint"
                    + " where connamespace = 'public'::regnamespace order by 1::text, 2",
            "select proname, pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace order by 1",
            "select tgname, tgenabled::text, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal order by 1, 3",
            "select relname, reloptions::text from pg_class where relnamespace = 'public'::regnamespace"
                    + " and relkind in ('r', 'v') order by 1",
            "select stxname, stxkeys::text from pg_statistic_ext order by 1");

    private static final List<String> CONTENTS = List.of(
            "events",
            "event_identities",
            "conversations",
            "messages",
            "conversation_agents",
            "api_keys",
            "key_state",
            "search_index",
            "search_documents",
            "usage_progress",
            "flyway_schema_history");

    @TempDir
    private Path folder;

    private record Source(String url, LogState state) {}

    /** With keys and words to search, and values that a text format must escape. */
    private static Source source(String url) {
        try (Database database = Database.open(TestPostgres.settings(url));
                TestRows rows = new TestRows(url)) {
            database.eventLog().append(TestEvents.messages("c-1", "m", 300));
            rows.run("update messages set content = E'a\\tb\\nc\\\\N \\\\. \"quoted\" \\u2028 é' where position = 7");
            rows.run("update messages set agent_name = null, agent_type = '' where position = 8");
            rows.run("insert into api_keys (id, digest, prefix, name, scopes, created_by)"
                    + " values ('0123abcd', sha256('x'), 'ap_live_', 'one', '{ingest,read}', 'test')");
            rows.run("insert into key_tokens values (sha256('t'), 'session', '0123abcd', now() + interval '1 hour')");
            database.searchIndex().step();
            return new Source(url, database.eventLog().state());
        }
    }

    private Path file(String name) throws IOException {
        return Files.createFile(folder.resolve(name));
    }

    private static DatabaseSettings settings(String url) {
        return TestPostgres.settings(url);
    }

    private static List<List<Map<String, String>>> all(String url, List<String> queries) {
        try (TestRows rows = new TestRows(url)) {
            return queries.stream().map(rows::rows).toList();
        }
    }

    private static List<List<Map<String, String>>> contents(String url) {
        return all(
                url,
                CONTENTS.stream()
                        .map(table -> "select t::text from " + table + " as t order by 1")
                        .toList());
    }

    private static void assertIsTheSame(Source source, String restored) {
        assertSame(all(source.url(), DEFINITIONS), all(restored, DEFINITIONS));
        assertSame(contents(source.url()), contents(restored));
    }

    /** Shows what differs, not everything. */
    private static void assertSame(List<List<Map<String, String>>> expected, List<List<Map<String, String>>> found) {
        for (int i = 0; i < expected.size(); i++) {
            List<Map<String, String>> missing = new ArrayList<>(expected.get(i));
            List<Map<String, String>> more = new ArrayList<>(found.get(i));
            missing.removeAll(found.get(i));
            more.removeAll(expected.get(i));
            assertEquals(missing, more);
            assertEquals(expected.get(i).size(), found.get(i).size());
        }
    }

    private static void assertGoesOn(Source source, Restored restored, String url) {
        assertNotEquals(source.state().epoch(), restored.epoch());
        assertEquals(source.state().head(), restored.head());
        try (Database database = Database.open(settings(url))) {
            assertEquals(restored.epoch(), database.eventLog().state().epoch());
            assertEquals(
                    restored.head(),
                    database.eventLog()
                            .append(TestEvents.messages("c-1", "later", 1))
                            .headBefore());
        }
    }

    @Test
    void copy_restored_isTheSameInAnotherEpoch() throws Exception {
        Source source = source(TestPostgres.newDatabase());
        Path file = file("copy");
        BackupManifest manifest = Backups.write(settings(source.url()), file, Optional.of(BackupForm.COPY), "1.2.3");
        assertEquals(300, manifest.rows("events"));
        assertEquals(source.state().head(), manifest.head());
        assertEquals(source.state().epoch(), manifest.epoch());
        assertEquals(manifest, Restore.manifestInside(file).orElseThrow());
        BackupWriter.readThrough(file, manifest);

        String url = TestPostgres.newDatabase();
        Restored restored = Backups.restore(settings(url), file, Optional.of(manifest), INTO_EMPTY);

        assertIsTheSame(source, url);
        assertEquals(1, restored.keys());
        assertEquals(1, restored.tokens());
        assertEquals(List.of(), restored.leftOut());
        assertGoesOn(source, restored, url);
    }

    @Test
    void pgDump_restored_isTheSameInAnotherEpoch() throws Exception {
        try (InstalledPostgres installed = InstalledPostgres.start()) {
            Source source = source(installed.newDatabase());
            Path file = file("dump");
            BackupManifest manifest = Backups.write(settings(source.url()), file, Optional.empty(), "1.2.3");
            assertEquals(BackupForm.PG_DUMP, manifest.form());
            assertEquals(BackupForm.PG_DUMP, Restore.form(file));
            BackupWriter.readThrough(file, manifest);

            String url = installed.newDatabase();
            Restored restored = Backups.restore(settings(url), file, Optional.of(manifest), INTO_EMPTY);
            assertIsTheSame(source, url);
            assertGoesOn(source, restored, url);

            // A part of it is refused, and so is one that says what it does not hold; what is there stays.
            byte[] bytes = Files.readAllBytes(file);
            Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(bytes, bytes.length - 2_000));
            assertThrows(BackupException.class, () -> BackupWriter.readThrough(cut, manifest));
            List<List<Map<String, String>>> before = contents(url);
            assertFails("pg_restore failed", () -> Backups.restore(settings(url), cut, Optional.of(manifest), REPLACE));
            assertFails(
                    "psql failed",
                    () -> Backups.restore(settings(url), file, Optional.of(otherDigest(manifest)), REPLACE));
            assertSame(before, contents(url));

            Restored again = Backups.restore(settings(url), file, Optional.empty(), new Options(true, false, true));
            assertEquals(0, again.keys() + again.tokens());
            assertGoesOn(source, again, url);

            // Into the embedded one, whose PostgreSQL is a newer one.
            String other = TestPostgres.newDatabase();
            assertGoesOn(source, Backups.restore(settings(other), file, Optional.of(manifest), INTO_EMPTY), other);
        }
    }

    private static BackupManifest otherDigest(BackupManifest manifest) {
        return BackupManifest.parse(manifest.toJson()
                .replaceFirst("(?s)(\"name\" : \"events\".*?\"digest\" : \")", "$11")
                .getBytes(StandardCharsets.UTF_8));
    }

    private static String assertFails(String part, Executable work) {
        String message = assertThrows(BackupException.class, work).getMessage();
        assertTrue(message.contains(part), message);
        return message;
    }

    @Test
    void restore_thatMustNotBe_changesNothing() throws Exception {
        Source source = source(TestPostgres.newDatabase());
        Path file = file("copy");
        BackupManifest manifest = Backups.write(settings(source.url()), file, Optional.empty(), "1.2.3");
        Optional<BackupManifest> given = Optional.of(manifest);

        List<List<Map<String, String>>> before = contents(source.url());
        DatabaseSettings target = settings(source.url());
        assertFails("is not empty", () -> Backups.restore(target, file, given, INTO_EMPTY));
        assertFails(
                "table events did not come in",
                () -> Backups.restore(target, file, Optional.of(otherDigest(manifest)), REPLACE));
        byte[] bytes = Files.readAllBytes(file);
        Arrays.fill(
                bytes, bytes.length / 3, bytes.length / 3 + 300, (byte) 1); // more than what stands between two tables
        Path broken = Files.write(folder.resolve("broken"), bytes);
        assertThrows(BackupException.class, () -> BackupWriter.readThrough(broken, manifest));
        assertThrows(BackupException.class, () -> Backups.restore(target, broken, given, REPLACE));
        BackupManifest newer = BackupManifest.parse(manifest.toJson()
                .replace("\"schemaVersion\" : \"004\"", "\"schemaVersion\" : \"999\"")
                .getBytes(StandardCharsets.UTF_8));
        String message = assertFails("999", () -> Backups.restore(target, file, Optional.of(newer), REPLACE));
        assertTrue(message.contains("newer than this program"), message);

        try (Database server = Database.open(target)) {
            server.eventLog().state();
            String connected =
                    assertFails("Somebody is connected", () -> Backups.restore(target, file, given, REPLACE));
            assertTrue(connected.contains("agentpipe-server of agentpipe"), connected);
            assertSame(before, contents(source.url()));

            Restored forced = Backups.restore(target, file, given, new Options(true, true, true));
            assertNotEquals(source.state().epoch(), forced.epoch());
            assertEquals(0, forced.keys() + forced.tokens());
        }
        try (TestRows rows = new TestRows(source.url())) {
            assertEquals("1", rows.value("select count(*) from api_keys where revoked_by = 'restore'"));
        }

        String foreign = TestPostgres.newDatabase();
        try (TestRows rows = new TestRows(foreign)) {
            rows.run("create table somebody_elses (x integer)");
        }
        assertFails("another program", () -> Backups.restore(settings(foreign), file, given, REPLACE));
        assertFails(
                "no log of events", () -> Backups.write(settings(foreign), folder.resolve("x"), Optional.empty(), "1"));
    }

    /** Tables beside ours do not get lost without a word. */
    @Test
    void copy_withTablesOfOthers_namesThem() throws Exception {
        Source source = source(TestPostgres.newDatabase());
        try (TestRows rows = new TestRows(source.url())) {
            rows.run("create table notes (x text)");
        }
        Path file = file("copy");
        BackupManifest manifest = Backups.write(settings(source.url()), file, Optional.of(BackupForm.COPY), "1");
        Restored restored =
                Backups.restore(settings(TestPostgres.newDatabase()), file, Optional.of(manifest), INTO_EMPTY);
        assertEquals(List.of("notes"), restored.leftOut());
        assertTrue(manifest.schemaWriter().startsWith("agentpipe-server "), manifest.schemaWriter());

        // The way back from an upgrade: what a newer version has made of it goes.
        try (TestRows rows = new TestRows(source.url())) {
            rows.run("create table of_the_next_version (x integer)");
            rows.run("update flyway_schema_history set version = '999' where version = '004'");
        }
        assertThrows(DatabaseStartException.class, () -> Database.open(settings(source.url())));
        assertGoesOn(
                source, Backups.restore(settings(source.url()), file, Optional.of(manifest), REPLACE), source.url());
    }
}
