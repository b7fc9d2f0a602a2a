package dev.agentpipe.server;

import dev.agentpipe.db.postgres.DatabaseSettings;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Every variable with the value that is in effect, for people and logs: keys are named by their prefix and 8 characters of
 * their digest, and what may hold a password shows none.
 */
public final class EffectiveSettings {

    /** Where a value comes from. */
    public enum Source {
        DEFAULT,
        ENVIRONMENT,
        FILE;

        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** @param value as it is written in the environment, but for secrets; empty: none */
    public record Entry(String name, String value, Source source) {}

    private static final String HIDDEN = "***";

    private final Settings settings;
    private final Map<String, String> variables;
    private final Set<String> inFiles;
    private final List<Entry> entries = new ArrayList<>();

    private EffectiveSettings(Settings settings, Map<String, String> variables, Set<String> inFiles) {
        this.settings = settings;
        this.variables = variables;
        this.inFiles = inFiles;
    }

    /**
     * @param variables what the settings were read from
     * @param inFiles names of those that a file has given
     */
    public static List<Entry> of(Settings settings, Map<String, String> variables, Set<String> inFiles) {
        EffectiveSettings listing = new EffectiveSettings(settings, variables, inFiles);
        listing.addAll();
        return List.copyOf(listing.entries);
    }

    private void addAll() {
        add("AGENTPIPE_ENV", settings.environment().label());
        add("NODE_ENV", settings.environment().label());
        add("HOST", settings.listen().host());
        add("PORT", settings.listen().port());
        add("TLS_CERT", path(settings.tls().map(Settings.Tls::cert)));
        add("TLS_KEY", path(settings.tls().map(Settings.Tls::key)));
        add(
                "HTTP_REDIRECT_PORT",
                settings.tls().map(EffectiveSettings::redirectPort).orElse(""));
        add("HSTS_MAX_AGE", settings.hstsMax().toSeconds());
        add("ALLOWED_ORIGINS", joined(settings.listen().allowedOrigins(), Origin::value));
        add("AGENTPIPE_BRIDGE_API_KEY", joined(settings.apiKeys(), ApiKey::toString));
        add("AGENTPIPE_ADMIN_API_KEY", joined(settings.adminKeys(), ApiKey::toString));
        add("DATA_DIR", settings.dataDir());
        add("BACKUP_DIR", variables.getOrDefault("BACKUP_DIR", "")); // of bin/backup: no server reads it
        Settings.Database database = settings.database();
        add("DATABASE_URL", database.url().map(DatabaseSettings::masked).orElse(""));
        add("DIRECT_URL", database.directUrl().map(DatabaseSettings::masked).orElse(""));
        add("DATABASE_POOL_MIN", database.poolMin());
        add("DATABASE_POOL_MAX", database.poolMax());
        add("DATABASE_TIMEOUT", database.timeout().toMillis());
        add(
                "REDIS_URL",
                settings.redis()
                        .map(Settings.Redis::url)
                        .map(EffectiveSettings::masked)
                        .orElse(""));
        add(
                "REDIS_TOKEN",
                settings.redis().map(Settings.Redis::token).map(token -> HIDDEN).orElse(""));
        add("SSE_MAX_CONNECTIONS", settings.streams().connectionsMax());
        add("SSE_HEARTBEAT_INTERVAL", settings.streams().heartbeat().toMillis());
        add("SSE_MAX_AGE", settings.streams().ageMax().toSeconds());
        add("REPLAY_MAX_EVENTS", settings.streams().replayEventsMax());
        add("CONVERSATION_IDLE_TIMEOUT", hours(settings.conversationIdleMax()));
        add("EVENT_RETENTION_DAYS", settings.eventRetention().toDays());
        Settings.RateLimits limits = settings.rateLimits();
        add("RATE_LIMIT_WINDOW_SECONDS", limits.ingestWindow().toSeconds());
        add("RATE_LIMIT_MAX_REQUESTS", limits.ingestMax());
        add("RATE_LIMIT_UPLOADS", limits.uploadsPerMinute());
        add("RATE_LIMIT_READS", limits.readsPerMinute());
        add("RATE_LIMIT_STREAMS", limits.streamsPerAddress());
        add("RATE_LIMIT_EXEMPT", ranges(limits.exempt()));
        add("TRUSTED_PROXIES", ranges(settings.trustedProxies()));
        add("REDACT", settings.ingest().redact() ? "on" : "off");
        Settings.Metrics metrics = settings.metrics();
        add("ENABLE_METRICS", metrics.enabled());
        add("METRICS_HOST", metrics.host());
        add("METRICS_PORT", metrics.port());
        add("CANARY_INTERVAL", metrics.canaryInterval().toSeconds());
        Settings.Logging logging = settings.logging();
        add("LOG_LEVEL", logging.level().name().toLowerCase(Locale.ROOT));
        add("LOG_FORMAT", logging.format().name().toLowerCase(Locale.ROOT));
        add("AUDIT_LOG", path(logging.audit()));
        add("SENTRY_DSN", logging.sentryDsn().map(EffectiveSettings::masked).orElse(""));
    }

    private void add(String name, Object value) {
        String own = variables.get(name);
        Source source = own == null || own.isBlank()
                ? Source.DEFAULT
                : inFiles.contains(name) ? Source.FILE : Source.ENVIRONMENT;
        entries.add(new Entry(name, value.toString(), source));
    }

    private static String path(Optional<Path> path) {
        return path.map(Path::toString).orElse("");
    }

    private static String redirectPort(Settings.Tls tls) {
        return tls.redirectPort().isPresent()
                ? Integer.toString(tls.redirectPort().getAsInt())
                : "";
    }

    private static <T> String joined(List<T> values, Function<T, String> text) {
        return values.stream().map(text).collect(Collectors.joining(","));
    }

    private static String ranges(AddressRanges ranges) {
        return ranges.ranges().isEmpty() ? "none" : joined(ranges.ranges(), Object::toString);
    }

    private static String hours(Duration duration) {
        return duration.toSeconds() % 3_600 == 0 ? duration.toHours() + "h" : duration.toSeconds() + "s";
    }

    private static String masked(URI url) {
        String host = url.getHost() + (url.getPort() < 0 ? "" : ":" + url.getPort());
        return url.getScheme() + "://" + (url.getRawUserInfo() == null ? "" : HIDDEN + "@") + host + url.getRawPath();
    }
}
