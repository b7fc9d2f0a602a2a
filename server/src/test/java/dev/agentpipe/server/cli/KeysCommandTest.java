package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.TestServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

final class KeysCommandTest {

    private static final String FORM = "ap_live_[A-Za-z0-9_-]{43}";

    private static TestServer server;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private int run(String... arguments) {
        return run(Map.of("DATABASE_URL", server.databaseUrl()), arguments);
    }

    private int run(Map<String, String> environment, String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        String[] all = new String[arguments.length + 1];
        all[0] = "keys";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        CommandLine commandLine = Commands.of(environment);
        return commandLine
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all);
    }

    private String list(String name) {
        assertEquals(0, run("list", "--all"));
        return out.toString()
                .lines()
                .filter(line -> line.endsWith(" " + name))
                .findFirst()
                .orElse("");
    }

    private static String id(String listed) {
        return listed.substring(0, 8);
    }

    @Test
    void create_printsTheSecretOnceAndAlone() {
        assertEquals(0, run("create", "--name", "one", "--expires", "90d"), err::toString);
        String secret = out.toString().strip();
        assertTrue(secret.matches(FORM), "nothing else on standard output");
        assertFalse(err.toString().contains(secret.substring(8)), err.toString());
        assertTrue(err.toString().contains("expires in 90 days"), err.toString());

        String listed = list("one");
        assertTrue(listed.matches("[0-9a-f]{8}  ap_live_ ingest,upload +in use .*Z never +one"), listed);
        assertFalse((out + err.toString()).contains(secret.substring(8)), "never again");

        assertEquals(0, run("create", "--name", "test", "--test", "--scopes", "admin"));
        assertTrue(out.toString().strip().matches("ap_test_[A-Za-z0-9_-]{32}"), out::toString);
    }

    @Test
    void revoke_byIdOrName_isOnceAndListed() {
        run("create", "--name", "two");
        assertEquals(0, run("revoke", "two"), err::toString);
        assertTrue(list("two").contains(" revoked "), out::toString);
        String id = id(list("two"));
        assertEquals(1, run("revoke", "two"), "no key in use has the name");
        assertEquals(1, run("revoke", "ap_live_…" + id));
        assertTrue(err.toString().contains("was revoked before"), err.toString());
        assertEquals(0, run("list"));
        assertFalse(out.toString().contains(id), "only those in use");
    }

    @Test
    void rotate_makesOneLikeItAndLetsTheOldOneLive() {
        run("create", "--name", "three", "--scopes", "upload", "--expires", "30d");
        String old = id(list("three"));
        assertEquals(0, run("rotate", "three", "--overlap", "1h"), err::toString);
        assertTrue(out.toString().strip().matches(FORM));
        assertTrue(err.toString().contains("good for 1h at most"), err.toString());

        String next = list("three"); // the newest first
        assertFalse(next.startsWith(old));
        assertTrue(next.matches(".*ap_live_ upload +in use .*"), next);
        assertEquals(1, run("revoke", "three"));
        assertTrue(err.toString().contains("2 keys in use have this name"), err.toString());
        assertEquals(0, run("revoke", old));
        assertEquals(1, run("rotate", old), "it is not in use any more");
    }

    @Test
    void reading_isClosedByAReadKeyAndOpenedOnPurpose() {
        assertEquals(0, run("create", "--name", "four", "--scopes", "read"));
        assertTrue(err.toString().contains("From now on reading takes a key"), err.toString());
        assertEquals(1, run("reading", "open"));
        assertTrue(err.toString().contains("revoke them first"), err.toString());
        assertEquals(0, run("revoke", "four"));
        assertTrue(err.toString().contains("Reading stays closed"), err.toString());
        assertEquals(0, run("reading", "open"));
        run("list");
        assertTrue(err.toString().contains("open to everybody"), err.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "create",
                "create --name",
                "create --name x --scopes reed",
                "create --name x --scopes read,",
                "create --name x --expires 5",
                "create --name x --expires 0d",
                "create --name x --expires 3651d",
                "create --name x --expires -1d",
                "reading ajar",
                "rotate",
                "revoke",
                "frobnicate",
                ""
            })
    void usage_thatIsWrong_is2AndMakesNothing(String arguments) {
        run("list", "--all");
        String before = out.toString();
        assertEquals(2, run(arguments.isEmpty() ? new String[0] : arguments.split(" ")), err::toString);
        run("list", "--all");
        assertEquals(before, out.toString());
    }

    @Test
    void name_thatCannotBeListed_isRefused() {
        for (String name : new String[] {" ", "a\nb", "x".repeat(101)}) {
            assertEquals(1, run("create", "--name", name));
            assertEquals("", out.toString());
        }
    }

    @Test
    void database_nowhere_isAskedFor(@TempDir Path folder) {
        assertEquals(1, run(Map.of("DATA_DIR", folder.toString()), "list"));
        assertTrue(err.toString().contains("set DATA_DIR, or DATABASE_URL"), err.toString());
        assertEquals(1, run(Map.of("DATABASE_URL", TestPostgres.newDatabase()), "list"));
        assertTrue(err.toString().contains("start a server of this version"), err.toString());
        assertEquals(2, run(Map.of("DATABASE_URL", "mysql://x"), "list"));
    }
}
