package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Settings.Environment;
import dev.agentpipe.server.Settings.LogFormat;
import dev.agentpipe.server.Settings.LogLevel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SettingsReaderTest {

    private static final String URL = "postgresql://me:hunter2@db/agentpipe";
    private static final String KEY = "ap_live_0123456789abcdef";

    @Test
    void read_emptyEnvironment_isTheDefaultsOfTheContract() throws Exception {
        Settings settings = read(Map.of());

        assertEquals(Environment.DEVELOPMENT, settings.environment());
        assertEquals(Path.of("data").toAbsolutePath(), settings.dataDir());
        assertEquals(List.of(), settings.apiKeys());
        assertEquals(new Settings.Listen("127.0.0.1", 3_000), settings.listen());
        assertEquals(
                new Settings.Database(Optional.empty(), Optional.empty(), 2, 10, Duration.ofSeconds(30)),
                settings.database());
        assertEquals(
                new Settings.Streams(1_000, Duration.ofSeconds(30), Duration.ZERO, 50_000, Duration.ofSeconds(10)),
                settings.streams());
        assertEquals(Duration.ofHours(24), settings.conversationIdleMax());
        assertEquals(Duration.ofDays(30), settings.eventRetention());
        assertEquals(new Settings.Metrics(true, "127.0.0.1", 9_090, Duration.ofSeconds(30)), settings.metrics());
        assertEquals(new Settings.Logging(LogLevel.INFO, LogFormat.TEXT), settings.logging());
    }

    @Test
    void read_emptyValues_countAsAbsent() throws Exception {
        Map<String, String> empty = new HashMap<>();
        SettingsReader.KNOWN.forEach(name -> empty.put(name, " "));

        SettingsReader.Result result = SettingsReader.read(empty);

        assertEquals(read(Map.of()), result.settings());
    }

    @Test
    void read_everythingSet_isTaken() throws Exception {
        Settings settings = read(Map.ofEntries(
                Map.entry("DATABASE_URL", URL),
                Map.entry("DIRECT_URL", URL + "?application_name=direct"),
                Map.entry("DATABASE_POOL_MIN", "3"),
                Map.entry("DATABASE_POOL_MAX", "4"),
                Map.entry("DATABASE_TIMEOUT", "1500"),
                Map.entry("AGENTPIPE_BRIDGE_API_KEY", KEY + ", " + KEY + "x"),
                Map.entry("AGENTPIPE_ENV", "test"),
                Map.entry("NODE_ENV", "production"),
                Map.entry("HOST", "::1"),
                Map.entry("PORT", "0"),
                Map.entry("TLS_CERT", "/etc/pipe/cert.pem"),
                Map.entry("TLS_KEY", "/etc/pipe/../key.pem"),
                Map.entry("HTTP_REDIRECT_PORT", "8080"),
                Map.entry("HSTS_MAX_AGE", "0"),
                Map.entry("ALLOWED_ORIGINS", "https://app.example, http://localhost:5173"),
                Map.entry("DATA_DIR", "/srv/../srv/pipe"),
                Map.entry("SSE_MAX_CONNECTIONS", "7"),
                Map.entry("SSE_HEARTBEAT_INTERVAL", "250"),
                Map.entry("SSE_MAX_AGE", "60"),
                Map.entry("REPLAY_MAX_EVENTS", "9"),
                Map.entry("RATE_LIMIT_WINDOW_SECONDS", "10"),
                Map.entry("RATE_LIMIT_MAX_REQUESTS", "0"),
                Map.entry("RATE_LIMIT_UPLOADS", "1"),
                Map.entry("RATE_LIMIT_READS", "2"),
                Map.entry("RATE_LIMIT_STREAMS", "1000000"),
                Map.entry("RATE_LIMIT_EXEMPT", "none"),
                Map.entry("TRUSTED_PROXIES", "10.1.2.3, fd00::/8,loopback"),
                Map.entry("CONVERSATION_IDLE_TIMEOUT", "30m"),
                Map.entry("EVENT_RETENTION_DAYS", "0"),
                Map.entry("REDACT", "on"),
                Map.entry("ENABLE_METRICS", "false"),
                Map.entry("METRICS_HOST", "10.0.0.1"),
                Map.entry("METRICS_PORT", "0"),
                Map.entry("CANARY_INTERVAL", "0"),
                Map.entry("LOG_LEVEL", "INFO"),
                Map.entry("LOG_FORMAT", "json")));

        assertEquals(
                Settings.builder()
                        .databaseUrl(URL)
                        .directUrl(URL + "?application_name=direct")
                        .databasePoolMin(3)
                        .databasePoolMax(4)
                        .databaseTimeout(Duration.ofMillis(1_500))
                        .apiKeys(List.of(new ApiKey(KEY), new ApiKey(KEY + "x")))
                        .environment(Environment.TEST)
                        .host("::1")
                        .port(0)
                        .tls(Path.of("/etc/pipe/cert.pem"), Path.of("/etc/key.pem"), OptionalInt.of(8_080))
                        .hstsMax(Duration.ZERO)
                        .allowedOrigins(List.of(new Origin("https://app.example"), new Origin("http://localhost:5173")))
                        .dataDir(Path.of("/srv/pipe"))
                        .streamConnectionsMax(7)
                        .streamHeartbeat(Duration.ofMillis(250))
                        .streamAgeMax(Duration.ofSeconds(60))
                        .replayEventsMax(9)
                        .rateLimits(
                                new Settings.RateLimits(Duration.ofSeconds(10), 0, 1, 2, 1_000_000, AddressRanges.NONE))
                        .trustedProxies(AddressRanges.of("10.1.2.3/32,fd00::/8,127.0.0.0/8,::1"))
                        .conversationIdleMax(Duration.ofMinutes(30))
                        .eventRetention(Duration.ZERO)
                        .redact(true)
                        .metrics(false)
                        .metricsHost("10.0.0.1")
                        .metricsPort(0)
                        .canaryInterval(Duration.ZERO)
                        .logLevel(LogLevel.INFO)
                        .logFormat(LogFormat.JSON)
                        .build(),
                settings);
        assertEquals(settings, settings.toBuilder().build());
    }

    @Test
    void read_halfOfTls_isRefusedByTheOtherHalf() {
        assertEquals(
                List.of("TLS_KEY is not set: TLS needs TLS_CERT and TLS_KEY, a PEM file each"),
                problems(Map.of("TLS_CERT", "/etc/cert.pem", "HTTP_REDIRECT_PORT", "80")));
        assertEquals(
                List.of("TLS_CERT is not set: TLS needs TLS_CERT and TLS_KEY, a PEM file each"),
                problems(Map.of("TLS_KEY", "/etc/key.pem")));
    }

    @Test
    void read_redirectPortThatIsTheHttpsPort_isRefused() {
        assertEquals(
                List.of("HTTP_REDIRECT_PORT is the same as PORT, where HTTPS is"),
                problems(Map.of("TLS_CERT", "/c", "TLS_KEY", "/k", "HTTP_REDIRECT_PORT", "3000")));
    }

    @Test
    void read_production_listensToAllAndLogsJson() throws Exception {
        Settings settings =
                read(Map.of("NODE_ENV", "production", "DATABASE_URL", URL, "AGENTPIPE_BRIDGE_API_KEY", KEY));

        assertEquals(Environment.PRODUCTION, settings.environment());
        assertEquals("0.0.0.0", settings.listen().host());
        assertEquals(LogFormat.JSON, settings.logging().format());
        assertEquals(Optional.of(URL), settings.database().directUrl());
    }

    @Test
    void read_productionWithNothing_namesAllThatIsMissing() {
        List<String> problems = problems(Map.of("AGENTPIPE_ENV", "production"));

        assertEquals(2, problems.size());
        assertTrue(problems.get(0).startsWith("DATABASE_URL is not set"), problems.get(0));
        assertTrue(problems.get(1).startsWith("AGENTPIPE_BRIDGE_API_KEY is not set"), problems.get(1));
    }

    @Test
    void read_manyProblems_areAllToldInOneLineEach() {
        List<String> problems = problems(Map.of(
                "PORT", "65536",
                "LOG_LEVEL", "loud\nand\tclear",
                "SSE_HEARTBEAT_INTERVAL", "30s",
                "DATABASE_POOL_MIN", "11",
                "AGENTPIPE_ENV", "staging"));

        assertEquals(
                List.of(
                        "AGENTPIPE_ENV is \"staging\", allowed is one of development, production, test",
                        "DATABASE_POOL_MIN is 11, above DATABASE_POOL_MAX, which is 10",
                        "PORT is \"65536\", allowed is a whole number from 0 to 65535",
                        "SSE_HEARTBEAT_INTERVAL is \"30s\", allowed is a whole number from 10 to 3600000",
                        "LOG_LEVEL is \"loud?and?clear\", allowed is one of trace, debug, info, warn, error"),
                problems);
    }

    @ParameterizedTest
    @CsvSource({
        "PORT, -1",
        "PORT, +80",
        "PORT, 3000.0",
        "PORT, ٣٠٠٠",
        "PORT, 99999999999999999999",
        "HOST, my host",
        "HOST, http://localhost",
        "SSE_MAX_CONNECTIONS, 0",
        "SSE_HEARTBEAT_INTERVAL, 9",
        "SSE_MAX_AGE, -1",
        "REPLAY_MAX_EVENTS, 0",
        "RATE_LIMIT_WINDOW_SECONDS, 0",
        "RATE_LIMIT_WINDOW_SECONDS, 86401",
        "RATE_LIMIT_MAX_REQUESTS, -1",
        "RATE_LIMIT_UPLOADS, 1000001",
        "RATE_LIMIT_READS, 10/s",
        "RATE_LIMIT_STREAMS, all",
        "RATE_LIMIT_EXEMPT, localhost",
        "TRUSTED_PROXIES, proxy.example",
        "TRUSTED_PROXIES, 10.0.0.0/33",
        "TRUSTED_PROXIES, 10.0.0.0/-1",
        "TRUSTED_PROXIES, 10.0.0",
        "TRUSTED_PROXIES, fd00::/129",
        "TRUSTED_PROXIES, 1.2.3.4.5",
        "TRUSTED_PROXIES, '10.0.0.1,'",
        "TRUSTED_PROXIES, *",
        "DATABASE_POOL_MAX, 2",
        "DATABASE_TIMEOUT, 99",
        "CONVERSATION_IDLE_TIMEOUT, 0",
        "CONVERSATION_IDLE_TIMEOUT, 1w",
        "CONVERSATION_IDLE_TIMEOUT, PT0.5S",
        "CONVERSATION_IDLE_TIMEOUT, -PT1H",
        "CONVERSATION_IDLE_TIMEOUT, 3651d",
        "EVENT_RETENTION_DAYS, -1",
        "EVENT_RETENTION_DAYS, 12h",
        "EVENT_RETENTION_DAYS, 36501",
        "LOG_FORMAT, xml",
        "DATABASE_URL, mysql://db/x",
        "DATABASE_URL, postgresql://db:0/x",
        "HTTP_REDIRECT_PORT, 8080",
        "HTTP_REDIRECT_PORT, 65536",
        "HSTS_MAX_AGE, -1",
        "HSTS_MAX_AGE, 1y",
    })
    void read_valueOutOfBounds_isRefusedByItsName(String name, String value) {
        List<String> problems = problems(Map.of(name, value));

        assertEquals(1, problems.size(), () -> "one problem: " + problems);
        assertTrue(problems.get(0).startsWith(name + " "), problems.get(0));
    }

    @ParameterizedTest
    @CsvSource({"1, PT1S", "86400, PT24H", "90s, PT90S", "24h, PT24H", "7d, PT168H", "PT36H, PT36H", "p1d, PT24H"})
    void idleTimeout_everyNotation_isTheSameDuration(String value, Duration expected) throws Exception {
        assertEquals(expected, read(Map.of("CONVERSATION_IDLE_TIMEOUT", value)).conversationIdleMax());
    }

    @Test
    void directUrl_withoutDatabaseUrl_isRefused() {
        assertEquals(
                List.of("DIRECT_URL is set, but DATABASE_URL, which it stands beside, is not"),
                problems(Map.of("DIRECT_URL", URL)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "short-7",
                "inner space key",
                "key\twith-tab-in-it",
                "kéy-outside-of-ascii",
                "good-enough,,good-enough",
                ",good-enough"
            })
    void keys_malformed_areRefusedWithoutEcho(String value) {
        List<String> problems = problems(Map.of("AGENTPIPE_BRIDGE_API_KEY", value));

        assertEquals(1, problems.size(), () -> "one problem: " + problems);
        assertTrue(
                problems.get(0).startsWith("AGENTPIPE_BRIDGE_API_KEY (key 1 of ")
                        || problems.get(0).startsWith("AGENTPIPE_BRIDGE_API_KEY (key 2 of "),
                problems.get(0));
        assertFalse(problems.get(0).contains(value));
        assertFalse(problems.get(0).contains("good-enough"));
    }

    @Test
    void keys_bothSidesOfTheLeastLength_differByMode() throws Exception {
        String seven = "1234567";
        String nineteen = "1234567890123456789";
        Map<String, String> production = new HashMap<>(Map.of("NODE_ENV", "production", "DATABASE_URL", URL));

        assertEquals(1, problems(Map.of("AGENTPIPE_BRIDGE_API_KEY", seven)).size());
        assertEquals(
                1,
                read(Map.of("AGENTPIPE_BRIDGE_API_KEY", seven + "8")).apiKeys().size());
        production.put("AGENTPIPE_BRIDGE_API_KEY", nineteen);
        assertEquals(1, problems(production).size());
        production.put("AGENTPIPE_BRIDGE_API_KEY", nineteen + "0");
        assertEquals(1, read(production).apiKeys().size());
    }

    @Test
    void settings_printed_showNoSecret() throws Exception {
        Map<String, String> secrets = Map.of("DATABASE_URL", URL, "AGENTPIPE_BRIDGE_API_KEY", KEY);

        String printed = read(secrets).toString();

        assertFalse(printed.contains("hunter2"), printed);
        assertFalse(printed.contains(KEY), printed);
        assertTrue(printed.contains("ap_live_…"), printed);
    }

    @Test
    void problems_ofSecrets_doNotEchoThem() {
        String problems = problems(Map.of(
                        "DATABASE_URL", "pg://me:hunter2@db", "DIRECT_URL", "postgresql://me:hunt/er2@db/hunter2"))
                .toString();

        assertFalse(problems.contains("hunter2"), problems);
    }

    @Test
    void redis_inAllItsForms_isRead() throws Exception {
        for (String url :
                List.of("redis://r", "redis://r:6380/3", "rediss://me:p%40ss@r.example:6379/0", "redis://:p@r/")) {
            Settings.Redis redis = read(Map.of("REDIS_URL", url, "REDIS_TOKEN", "t0ken"))
                    .redis()
                    .orElseThrow();
            assertEquals(url, redis.url().toString());
            assertEquals("t0ken", redis.token());
            assertFalse(redis.toString().matches(".*(p%40ss|t0ken|:p@).*"), redis.toString());
        }
        assertTrue(read(Map.of()).redis().isEmpty());
    }

    @Test
    void redis_thatCannotBeUsed_isNamedWithoutItsSecrets() {
        for (String url : List.of(
                "r:6379",
                "http://hunter2@r",
                "redis://",
                "redis://r/first",
                "redis://r/0?hunter2",
                "redis://hun ter2@r")) {
            String problems = problems(Map.of("REDIS_URL", url)).toString();
            assertTrue(problems.contains("REDIS_URL"), problems);
            assertFalse(problems.contains("ter2"), problems);
        }
        assertTrue(problems(Map.of("REDIS_TOKEN", "t0ken")).toString().contains("REDIS_TOKEN"));
    }

    @Test
    void origins_thatNoBrowserSends_areNamedByTheirNumber() {
        assertEquals(
                List.of(
                        "ALLOWED_ORIGINS (origin 2 of 4) is empty: there is a comma too many",
                        "ALLOWED_ORIGINS (origin 3 of 4) has a *: each origin is named in full, such as https://app.example",
                        "ALLOWED_ORIGINS (origin 4 of 4) has a slash or more behind its host: an origin ends there"),
                problems(Map.of("ALLOWED_ORIGINS", "https://a.example,,*,https://a.example/")));
    }

    @Test
    void sentry_isAUrlWithAKeyAndAProject_andIsNeverShown() throws Exception {
        for (String dsn : List.of("https://k3y@sentry.example/1", "http://k3y:s3c@host:9000/path/42")) {
            Settings settings = read(Map.of("SENTRY_DSN", dsn));
            assertEquals(dsn, settings.logging().sentryDsn().orElseThrow().toString());
            assertFalse(settings.toString().contains("k3y"), settings.toString());
            assertEquals(settings, settings.toBuilder().build());
        }
        for (String dsn : List.of(
                "k3y",
                "https://sentry.example/1",
                "https://k3y@sentry.example",
                "https://k3y@sentry.example/",
                "ftp://k3y@s/1",
                "https://k3y@s/1?x",
                "https://k3y@ s/1",
                "https://k3y@/1")) {
            assertEquals(
                    List.of("SENTRY_DSN cannot be used: it looks like https://key@host/project"),
                    problems(Map.of("SENTRY_DSN", dsn)));
        }
    }

    private static Settings read(Map<String, String> environment) throws SettingsException {
        return SettingsReader.read(environment).settings();
    }

    private static List<String> problems(Map<String, String> environment) {
        return assertThrows(SettingsException.class, () -> SettingsReader.read(environment))
                .problems();
    }
}
