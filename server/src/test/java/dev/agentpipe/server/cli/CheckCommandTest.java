package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import com.sun.net.httpserver.HttpServer;
import dev.agentpipe.db.local.ControlledPostgres;
import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.SecretsSearch;
import dev.agentpipe.server.TestRedis;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.tls.TestTls;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The whole checklist against what it is for: a server, a PostgreSQL, a Redis, well and badly kept. */
final class CheckCommandTest {

    /** Of the machine that runs the tests nothing is expected but that it was looked at. */
    private static final Set<String> OF_THE_MACHINE =
            Set.of("memory", "heap", "disk", "temporary_files", "server_user");

    private static final Path DOCS = Path.of("..", "docs");
    private static final String KEY = ApiKey.generate(new SecureRandom()).value();

    @TempDir
    private static Path folder;

    private static ControlledPostgres postgres;
    private static TestRedis redis;
    private static TestServer server;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void start() {
        SecretsSearch.hide(KEY);
        postgres = ControlledPostgres.start(Map.of(
                "fsync", "on",
                "archive_mode", "on",
                "archive_command", "/bin/true",
                "log_min_duration_statement", "500",
                "log_parameter_max_length", "0"));
        redis = TestRedis.start("maxmemory 64mb", "maxmemory-policy allkeys-lru");
        server = TestServer.on(
                postgres.newDatabase(),
                settings -> settings.redis(redis.url(), null).apiKeys(List.of(new ApiKey(KEY))));
    }

    @AfterAll
    static void stop() {
        server.close();
        redis.close();
        postgres.close();
    }

    private int run(Map<String, String> environment, String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        String[] all = new String[arguments.length + 1];
        all[0] = "check";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        int code = Commands.of(environment)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all);
        SecretsSearch.printed(out.toString() + err);
        return code;
    }

    /** By their ids. */
    private Map<String, JsonNode> items() {
        JsonNode json = JsonMapper.shared().readTree(out.toString());
        Map<String, JsonNode> items = new TreeMap<>();
        json.get("items").forEach(item -> items.put(item.get("id").asString(), item));
        return items;
    }

    private void assertStatus(String status, String id, String saying) {
        JsonNode item = items().get(id);
        assertEquals(status, item.get("status").asString(), item::toString);
        assertTrue(item.toString().contains(saying), item::toString);
    }

    private static Map<String, String> well() {
        Map<String, String> variables = new HashMap<>();
        variables.put("AGENTPIPE_ENV", "production");
        variables.put("DATABASE_URL", server.databaseUrl());
        variables.put("AGENTPIPE_BRIDGE_API_KEY", KEY);
        variables.put("REDIS_URL", redis.url().toString());
        variables.put("DATA_DIR", folder.resolve("none").toString());
        variables.put("BACKUP_DIR", folder.toString());
        return variables;
    }

    private static Path write(Map<String, String> variables) throws IOException {
        StringBuilder text = new StringBuilder("# of the service\n");
        variables.forEach(
                (name, value) -> text.append(name).append("=\"").append(value).append("\"\n"));
        Path file = Files.writeString(folder.resolve("server.env"), text);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void deployment_thatIsWellKept_isGreen() throws Exception {
        String dump = "agentpipe-"
                + DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'")
                        .withZone(ZoneOffset.UTC)
                        .format(Instant.now()) + ".dump";
        Files.createFile(folder.resolve(dump));
        Files.createFile(folder.resolve(dump + ".sha256"));
        Path file = write(well());
        String url = server.uri("/").toString();

        // A file wins over the shell, as with systemd.
        int code = run(Map.of("AGENTPIPE_ENV", "nonsense"), "--json", "--env-file", file.toString(), url);

        Map<String, String> troubled = new TreeMap<>();
        items().forEach((id, item) -> {
            String status = item.get("status").asString();
            if (!status.equals("ok") && !status.equals("skipped") && !OF_THE_MACHINE.contains(id)) {
                troubled.put(id, item.toString());
            }
        });
        // The URL of this test is not the one that clients would use.
        assertEquals(Set.of("https"), troubled.keySet(), troubled::toString);
        assertEquals("warning", items().get("https").get("status").asString());
        for (String looked :
                List.of("env_file", "pool", "indexes", "slow_query_log", "redis_memory", "stream", "backup")) {
            assertEquals(
                    "ok",
                    items().get(looked).get("status").asString(),
                    () -> items().get(looked).toString());
        }
        assertEquals(0, code, out::toString);
        assertValid(out.toString());
        assertFalse(Files.exists(folder.resolve("none")), "no folder was made");

        assertEquals(0, run(Map.of(), "-q", "--env-file", file.toString(), url), out::toString);
        assertTrue(out.toString().contains("  warning  https "), out::toString);
        assertEquals(1, run(Map.of(), "-q", "--strict", "--env-file", file.toString(), url), "a warning is one");
        assertEquals(0, postgres(server.databaseUrl(), "select count(*) from events"), "nothing was written");
    }

    private static int postgres(String url, String query) throws Exception {
        try (Connection connection = TestPostgres.connect(url);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getInt(1);
        }
    }

    private static void assertValid(String json) throws IOException {
        var schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(Files.readString(DOCS.resolve("check.schema.json")));
        var errors = schema.validate(JsonMapper.shared().readTree(json));
        assertTrue(errors.isEmpty(), errors::toString);
    }

    @Test
    void deployment_thatIsBadlyKept_failsWithWhatToDo() throws Exception {
        String empty = postgres.newDatabase();
        String name = empty.substring(empty.lastIndexOf('/') + 1);
        postgres.execute("alter database " + name + " set synchronous_commit = off");
        Map<String, String> variables = new HashMap<>(Map.of(
                "DATABASE_URL", empty,
                "AGENTPIPE_BRIDGE_API_KEY", "secret-secret-secret",
                "REDIS_URL", "redis://127.0.0.1:1",
                "RATE_LIMIT_READS", "0",
                "DATABASE_POOL_MAX", "50",
                "EVENT_RETENTION_DAYS", "0",
                "DATA_DIR", folder.resolve("none").toString()));
        Path file = write(variables);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));

        assertEquals(1, run(Map.of(), "--json", "--env-file", file.toString(), "--nodes", "3", "http://127.0.0.1:1"));

        assertValid(out.toString());
        assertStatus("warning", "api_keys", "can be guessed");
        assertStatus("failed", "env_file", "chmod 600");
        assertStatus("warning", "rate_limits", "RATE_LIMIT_READS");
        assertStatus("failed", "durability", "synchronous_commit is off");
        assertStatus("failed", "pool", "3 × 50");
        assertStatus("failed", "migrations", "agentpipe-server migrate");
        assertStatus("skipped", "indexes", "see migrations");
        assertStatus("failed", "redis", "REDIS_URL");
        assertStatus("skipped", "redis_memory", "needs redis");
        assertStatus("failed", "server", "nothing listens");
        assertStatus("warning", "backup", "BACKUP_DIR");
        assertEquals(
                0,
                postgres(empty, "select count(*) from pg_tables where schemaname = 'public'"),
                "it was not migrated");
        assertFalse(Files.exists(folder.resolve("none")));
    }

    @Test
    void index_thatIsMissing_isMadeByTheFixThatIsTold() throws Exception {
        String url = server.databaseUrl();
        try (Connection connection = TestPostgres.connect(url);
                Statement statement = connection.createStatement()) {
            statement.execute("drop index conversations_started");
            run(Map.of("DATABASE_URL", url), "--json", server.uri("").toString());
            assertStatus("failed", "indexes", "conversations_started of conversations is missing");

            statement.execute(items().get("indexes").get("fix").asString());
        }
        run(Map.of("DATABASE_URL", url), "--json", server.uri("").toString());
        assertStatus("ok", "indexes", "all");
    }

    @Test
    void certificate_thatNobodyTrusts_isLookedAtAndGetsNoKey() {
        try (TestServer secure = TestServer.on(
                server.databaseUrl(), settings -> TestTls.on().apply(settings).apiKeys(List.of(new ApiKey(KEY))))) {
            String url = secure.uri("").toString();
            assertTrue(url.startsWith("https://"));
            postgres(secure, "update key_state set reading_closed = true, version = version + 1");
            int code;
            try {
                code = run(well(), "--json", url);
            } finally {
                postgres(secure, "update key_state set reading_closed = false, version = version + 1");
            }
            assertEquals(1, code);
            assertStatus("failed", "certificate", "clients refuse it");
            assertStatus("ok", "https", "HTTPS");
            assertStatus("ok", "hsts", "max-age=31536000");
            assertStatus("ok", "reading", "takes a key");
            assertStatus("skipped", "stream", "none that may be sent this way");
            assertStatus("warning", "trusted_proxies", "TRUSTED_PROXIES");
        }
    }

    private static void postgres(TestServer node, String sql) {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        // Servers follow within two seconds.
        int expected = sql.contains("true") ? 401 : 200;
        Await.until("keys are read", () -> node.get("/api/conversations").status() == expected);
    }

    /** A proxy that has its own mind about headers, and ends what it does not understand. */
    @Test
    void proxy_thatSpoilsStreams_isFoundOut() throws Exception {
        HttpServer proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        proxy.createContext("/", exchange -> {
            boolean stream = exchange.getRequestURI().getPath().endsWith("/stream");
            String health = "{\"status\":\"degraded\",\"version\":\"0\",\"checks\":{\"redis\":{\"status\":\"down\"}}}";
            byte[] body = (stream ? "" : health).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Access-Control-Allow-Origin", "*");
            exchange.getResponseHeaders().add("Content-Type", stream ? "text/event-stream" : "application/json");
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        proxy.start();
        try {
            String url = "http://127.0.0.1:" + proxy.getAddress().getPort();
            assertEquals(1, run(well(), "--json", url));
            assertStatus("failed", "stream", "holds the stream back");
            assertStatus("failed", "cross_origin", "every page");
            assertStatus("warning", "browser_headers", "X-Content-Type-Options");
            assertStatus("warning", "health", "redis is down");
            assertStatus("warning", "server_version", "0 runs");
        } finally {
            proxy.stop(0);
        }
    }

    @Test
    void usage_thatIsWrong_is2() throws Exception {
        assertEquals(2, run(Map.of(), "ftp://x"));
        assertEquals(2, run(Map.of(), "https://user:" + KEY + "@x"));
        assertEquals(2, run(Map.of(), "--nodes", "0"));
        assertEquals(2, run(Map.of(), "--env-file", folder.resolve("missing").toString()));
        assertTrue(err.toString().contains("missing cannot be read"), err::toString);
        assertEquals(2, run(Map.of("PORT", "http", "LOG_LEVEL", "loud")));
        assertEquals(3, err.toString().lines().count(), "as serve tells it: " + err);
        assertEquals("", out.toString());
    }
}
