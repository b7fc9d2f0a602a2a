package dev.agentpipe.server;

import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.server.Settings.Environment;
import dev.agentpipe.server.Settings.LogFormat;
import dev.agentpipe.server.Settings.LogLevel;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The only place that knows the names of environment variables. It repairs nothing: what cannot be used refuses the start,
 * and all problems are told together. Values that may hold a secret are never part of a problem.
 */
public final class SettingsReader {

    /** Every variable that this version reads. */
    static final List<String> KNOWN = List.of(
            "DATABASE_URL",
            "DIRECT_URL",
            "DATABASE_POOL_MIN",
            "DATABASE_POOL_MAX",
            "DATABASE_TIMEOUT",
            "REDIS_URL",
            "REDIS_TOKEN",
            "AGENTPIPE_BRIDGE_API_KEY",
            "AGENTPIPE_ADMIN_API_KEY",
            "AGENTPIPE_ENV",
            "NODE_ENV",
            "HOST",
            "PORT",
            "TLS_CERT",
            "TLS_KEY",
            "HTTP_REDIRECT_PORT",
            "HSTS_MAX_AGE",
            "ALLOWED_ORIGINS",
            "DATA_DIR",
            "BACKUP_DIR",
            "SSE_MAX_CONNECTIONS",
            "SSE_HEARTBEAT_INTERVAL",
            "SSE_MAX_AGE",
            "REPLAY_MAX_EVENTS",
            "RATE_LIMIT_WINDOW_SECONDS",
            "RATE_LIMIT_MAX_REQUESTS",
            "RATE_LIMIT_UPLOADS",
            "RATE_LIMIT_READS",
            "RATE_LIMIT_STREAMS",
            "RATE_LIMIT_EXEMPT",
            "TRUSTED_PROXIES",
            "CONVERSATION_IDLE_TIMEOUT",
            "EVENT_RETENTION_DAYS",
            "REDACT",
            "ENABLE_METRICS",
            "METRICS_HOST",
            "METRICS_PORT",
            "CANARY_INTERVAL",
            "LOG_LEVEL",
            "LOG_FORMAT",
            "AUDIT_LOG",
            "SENTRY_DSN");

    private static final int KEY_CHARS_MIN_PRODUCTION = 20;
    private static final int DAY_SECONDS = 86_400;
    private static final String ADDRESSES =
            "IP addresses, ranges such as 10.0.0.0/8 or fd00::/8, and the words loopback, private and none, comma separated";

    private final EnvironmentVariables variables;
    private final SettingsBuilder builder = Settings.builder();

    private SettingsReader(Map<String, String> environment) {
        variables = new EnvironmentVariables(environment);
    }

    /** What was read. */
    public record Result(Settings settings) {}

    /** @throws SettingsException with every problem there is */
    public static Result read(Map<String, String> environment) throws SettingsException {
        return new SettingsReader(environment).read();
    }

    /** The database alone, for commands that work on it; empty if it is the embedded one. */
    public static Optional<DatabaseSettings> database(Map<String, String> environment) throws SettingsException {
        SettingsReader reader = new SettingsReader(environment);
        reader.readDatabase(Environment.DEVELOPMENT);
        reader.throwProblems();
        Settings.Database database = reader.builder.build().database();
        return database.url()
                .map(url -> DatabaseSettings.of(
                        database.directUrl().orElse(url),
                        null,
                        database.poolMin(),
                        database.poolMax(),
                        database.timeout()));
    }

    /** The data folder alone, for those who look for the generated key in it. */
    public static Path dataDir(Map<String, String> environment) throws SettingsException {
        SettingsReader reader = new SettingsReader(environment);
        reader.readDataDir();
        reader.throwProblems();
        return reader.builder.build().dataDir();
    }

    /** Where backups are; not a setting of the server, which makes none. */
    public static Optional<Path> backupDir(Map<String, String> environment) throws SettingsException {
        SettingsReader reader = new SettingsReader(environment);
        Optional<Path> folder = reader.readBackupDir();
        reader.throwProblems();
        return folder;
    }

    /**
     * A key for a client on the server's machine or on the CLI's: the first of the server's, else the CLI's own.
     *
     * @throws SettingsException if there is one that cannot be a key
     */
    public static Optional<String> clientKey(Map<String, String> environment) throws SettingsException {
        SettingsReader reader = new SettingsReader(environment);
        reader.readKeys(Environment.DEVELOPMENT);
        String name = "AGENTPIPE_STREAM_API_KEY";
        Optional<String> own = reader.variables.text(name);
        own.map(ApiKey::problem).ifPresent(problem -> reader.variables.problem(name, problem));
        reader.throwProblems();
        return reader.builder.build().apiKeys().stream()
                .findFirst()
                .map(ApiKey::value)
                .or(() -> own);
    }

    /**
     * The first key that may do everything.
     *
     * @throws SettingsException if there is one that cannot be a key
     */
    public static Optional<String> adminKey(Map<String, String> environment) throws SettingsException {
        SettingsReader reader = new SettingsReader(environment);
        reader.readKeys(Environment.DEVELOPMENT);
        reader.throwProblems();
        return reader.builder.build().adminKeys().stream().findFirst().map(ApiKey::value);
    }

    private Result read() throws SettingsException {
        Environment environment = readEnvironment();
        readDatabase(environment);
        readRedis();
        readKeys(environment);
        readListen();
        readTls();
        builder.allowedOrigins(variables.list("ALLOWED_ORIGINS", "origin", Origin::problem, Origin::new));
        readDataDir();
        readBackupDir();
        readStreams();
        readRateLimits();
        variables.parsed("TRUSTED_PROXIES", ADDRESSES, AddressRanges::of).ifPresent(builder::trustedProxies);
        variables.parsed("REDACT", "on or off", SettingsReader::onOrOff).ifPresent(builder::redact);
        readMetrics();
        variables.choice("LOG_LEVEL", LogLevel.class).ifPresent(builder::logLevel);
        variables.choice("LOG_FORMAT", LogFormat.class).ifPresent(builder::logFormat);
        variables.parsed("AUDIT_LOG", "the path of a file", Path::of).ifPresent(builder::auditLog);
        readSentry();
        throwProblems();
        return new Result(builder.build());
    }

    private Environment readEnvironment() {
        String name = variables.isSet("AGENTPIPE_ENV") ? "AGENTPIPE_ENV" : "NODE_ENV";
        Environment environment = variables.choice(name, Environment.class).orElse(Environment.DEVELOPMENT);
        builder.environment(environment);
        return environment;
    }

    private void readDatabase(Environment environment) {
        Optional<String> url = readUrl("DATABASE_URL");
        Optional<String> directUrl = readUrl("DIRECT_URL");
        url.ifPresent(builder::databaseUrl);
        directUrl.ifPresent(builder::directUrl);
        if (!variables.isSet("DATABASE_URL")) {
            if (environment == Environment.PRODUCTION) {
                variables.problem(
                        "DATABASE_URL", "is not set, but required in production: postgresql://user:password@host/name");
            }
            if (directUrl.isPresent()) {
                variables.problem("DIRECT_URL", "is set, but DATABASE_URL, which it stands beside, is not");
            }
        }
        variables.integer("DATABASE_POOL_MIN", 0, 1_000).ifPresent(builder::databasePoolMin);
        variables.integer("DATABASE_POOL_MAX", 3, 1_000).ifPresent(builder::databasePoolMax);
        if (builder.databasePoolMin() > builder.databasePoolMax()) {
            variables.problem(
                    "DATABASE_POOL_MIN",
                    "is %d, above DATABASE_POOL_MAX, which is %d"
                            .formatted(builder.databasePoolMin(), builder.databasePoolMax()));
        }
        variables.duration("DATABASE_TIMEOUT", ChronoUnit.MILLIS, 100, 600_000).ifPresent(builder::databaseTimeout);
    }

    private void readRedis() {
        Optional<String> text = variables.text("REDIS_URL");
        Optional<URI> url = text.flatMap(SettingsReader::redisUrl);
        if (text.isPresent() && url.isEmpty()) {
            // Not what it is: it may hold a password.
            variables.problem(
                    "REDIS_URL",
                    "cannot be used: allowed is redis://host:6379, or rediss://user:password@host:6379/0 for TLS");
        }
        Optional<String> token = variables.text("REDIS_TOKEN");
        url.ifPresent(given -> builder.redis(given, token.orElse(null)));
        if (token.isPresent() && !variables.isSet("REDIS_URL")) {
            variables.problem("REDIS_TOKEN", "is set, but REDIS_URL, which it stands beside, is not");
        }
    }

    private static Optional<URI> redisUrl(String text) {
        try {
            return Optional.of(new URI(text)).filter(Settings.Redis::isUrl);
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    private Optional<String> readUrl(String name) {
        Optional<String> url = variables.text(name);
        Optional<String> problem = url.flatMap(DatabaseSettings::urlProblem);
        problem.ifPresent(what -> variables.problem(name, "cannot be used: " + what));
        return problem.isPresent() ? Optional.empty() : url;
    }

    private void readKeys(Environment environment) {
        String name = "AGENTPIPE_BRIDGE_API_KEY";
        if (!variables.isSet(name) && environment == Environment.PRODUCTION) {
            variables.problem(name, "is not set, but required in production: one key, or several, comma separated");
        }
        builder.apiKeys(keys(name, environment));
        builder.adminKeys(keys("AGENTPIPE_ADMIN_API_KEY", environment));
    }

    private List<ApiKey> keys(String name, Environment environment) {
        return variables.list(name, "key", value -> keyProblem(value, environment), ApiKey::new);
    }

    private static String keyProblem(String value, Environment environment) {
        if (environment == Environment.PRODUCTION && value.length() < KEY_CHARS_MIN_PRODUCTION) {
            return "has %d characters, in production at least %d are required"
                    .formatted(value.length(), KEY_CHARS_MIN_PRODUCTION);
        }
        return ApiKey.problem(value);
    }

    private void readListen() {
        host("HOST").ifPresent(builder::host);
        variables.integer("PORT", 0, 65_535).ifPresent(builder::port);
    }

    private Optional<String> host(String name) {
        return variables.parsed(
                name, "a host name or an IP address", value -> value.matches("[\\p{Alnum}.:%_-]+") ? value : null);
    }

    private void readMetrics() {
        variables
                .parsed("ENABLE_METRICS", "true or false", SettingsReader::onOrOff)
                .ifPresent(builder::metrics);
        host("METRICS_HOST").ifPresent(builder::metricsHost);
        variables.integer("METRICS_PORT", 0, 65_535).ifPresent(builder::metricsPort);
        variables
                .duration("CANARY_INTERVAL", ChronoUnit.SECONDS, 0, DAY_SECONDS)
                .ifPresent(builder::canaryInterval);
        if (builder.metrics() && builder.metricsPort() != 0 && builder.metricsPort() == builder.port()) {
            variables.problem("METRICS_PORT", "is the same as PORT, where the server itself is");
        }
    }

    private void readTls() {
        Optional<Path> cert = variables.parsed("TLS_CERT", "the path of a file", Path::of);
        Optional<Path> key = variables.parsed("TLS_KEY", "the path of a file", Path::of);
        OptionalInt redirectPort = variables.integer("HTTP_REDIRECT_PORT", 0, 65_535);
        if (variables.isSet("TLS_CERT") != variables.isSet("TLS_KEY")) {
            String missing = variables.isSet("TLS_CERT") ? "TLS_KEY" : "TLS_CERT";
            variables.problem(missing, "is not set: TLS needs TLS_CERT and TLS_KEY, a PEM file each");
        } else if (redirectPort.isPresent() && !variables.isSet("TLS_CERT")) {
            variables.problem(
                    "HTTP_REDIRECT_PORT", "is set, but TLS_CERT and TLS_KEY, which it stands beside, are not");
        } else if (redirectPort.isPresent()
                && redirectPort.getAsInt() != 0
                && redirectPort.getAsInt() == builder.port()) {
            variables.problem("HTTP_REDIRECT_PORT", "is the same as PORT, where HTTPS is");
        }
        if (cert.isPresent() && key.isPresent()) {
            builder.tls(cert.get(), key.get(), redirectPort);
        }
        variables
                .duration("HSTS_MAX_AGE", ChronoUnit.SECONDS, 0, 3_650 * DAY_SECONDS)
                .ifPresent(builder::hstsMax);
    }

    private void readDataDir() {
        variables.parsed("DATA_DIR", "the path of a folder", Path::of).ifPresent(builder::dataDir);
    }

    private Optional<Path> readBackupDir() {
        return variables.parsed("BACKUP_DIR", "the path of a folder", Path::of);
    }

    private void readStreams() {
        variables.integer("SSE_MAX_CONNECTIONS", 1, 1_000_000).ifPresent(builder::streamConnectionsMax);
        variables
                .duration("SSE_HEARTBEAT_INTERVAL", ChronoUnit.MILLIS, 10, 3_600_000)
                .ifPresent(builder::streamHeartbeat);
        variables
                .duration("SSE_MAX_AGE", ChronoUnit.SECONDS, 0, 365 * DAY_SECONDS)
                .ifPresent(builder::streamAgeMax);
        variables.integer("REPLAY_MAX_EVENTS", 1, 10_000_000).ifPresent(builder::replayEventsMax);
        variables
                .freeDuration("CONVERSATION_IDLE_TIMEOUT", Duration.ofSeconds(1), Duration.ofDays(3_650))
                .ifPresent(builder::conversationIdleMax);
        variables.duration("EVENT_RETENTION_DAYS", ChronoUnit.DAYS, 0, 36_500).ifPresent(builder::eventRetention);
    }

    private void readRateLimits() {
        Settings.RateLimits otherwise = Settings.RateLimits.DEFAULT;
        builder.rateLimits(new Settings.RateLimits(
                variables
                        .duration("RATE_LIMIT_WINDOW_SECONDS", ChronoUnit.SECONDS, 1, DAY_SECONDS)
                        .orElse(otherwise.ingestWindow()),
                limit("RATE_LIMIT_MAX_REQUESTS", otherwise.ingestMax()),
                limit("RATE_LIMIT_UPLOADS", otherwise.uploadsPerMinute()),
                limit("RATE_LIMIT_READS", otherwise.readsPerMinute()),
                limit("RATE_LIMIT_STREAMS", otherwise.streamsPerAddress()),
                variables
                        .parsed("RATE_LIMIT_EXEMPT", ADDRESSES, AddressRanges::of)
                        .orElse(otherwise.exempt())));
    }

    private int limit(String name, int otherwise) {
        return variables.integer(name, 0, Settings.RateLimits.MAX).orElse(otherwise);
    }

    private void readSentry() {
        Optional<String> text = variables.text("SENTRY_DSN");
        Optional<URI> dsn = text.flatMap(SettingsReader::sentryDsn);
        dsn.ifPresent(builder::sentryDsn);
        if (text.isPresent() && dsn.isEmpty()) {
            // Not what it is: whoever has it can send reports.
            variables.problem("SENTRY_DSN", "cannot be used: it looks like https://key@host/project");
        }
    }

    private static Optional<URI> sentryDsn(String text) {
        try {
            return Optional.of(new URI(text)).filter(Settings.Logging::isSentryDsn);
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    private static Boolean onOrOff(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "on", "true" -> true;
            case "off", "false" -> false;
            default -> null;
        };
    }

    private void throwProblems() throws SettingsException {
        if (!variables.problems().isEmpty()) {
            throw new SettingsException(variables.problems());
        }
    }
}
