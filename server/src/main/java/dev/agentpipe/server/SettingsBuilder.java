package dev.agentpipe.server;

import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.UploadLimits;
import dev.agentpipe.server.Settings.Environment;
import dev.agentpipe.server.Settings.LogFormat;
import dev.agentpipe.server.Settings.LogLevel;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Makes {@link Settings}; the initial values of its fields are the defaults, all of them. Not thread-safe. */
public final class SettingsBuilder {

    private Environment environment = Environment.DEVELOPMENT;
    private Path dataDir = Path.of("data");
    private List<ApiKey> apiKeys = List.of();
    private List<ApiKey> adminKeys = List.of();

    /** Null: this machine alone can connect, but in production, where a container must be reachable, everyone. */
    private String host;

    /** The AgentPipe CLI's own default server is at port 3000. */
    private int port = 3_000;

    private Settings.Tls tls;

    /** What the lists of browsers ask for. */
    private Duration hstsMax = Duration.ofDays(365);

    private List<Origin> allowedOrigins = List.of();

    private String databaseUrl;
    private String directUrl;
    private int databasePoolMin = 2;
    private int databasePoolMax = 10;
    private Duration databaseTimeout = Duration.ofMillis(30_000);

    private Settings.Redis redis;

    private EventLimits eventLimits = EventLimits.DEFAULT;
    private int requestBytesMax = 8 << 20;
    private UploadLimits uploadLimits = UploadLimits.DEFAULT;
    private boolean redact;

    private int streamConnectionsMax = 1_000;
    private Duration streamHeartbeat = Duration.ofMillis(30_000);
    private Duration streamAgeMax = Duration.ZERO;
    private int replayEventsMax = 50_000;
    private Duration streamStallMax = Duration.ofSeconds(10);
    private Settings.RateLimits rateLimits = Settings.RateLimits.DEFAULT;
    private AddressRanges trustedProxies = AddressRanges.NONE;
    private Duration conversationIdleMax = Duration.ofHours(24);
    private Duration eventRetention = Duration.ofDays(30);

    private boolean metrics = true;

    /** Null: where the server listens. */
    private String metricsHost;

    private int metricsPort = 9_090;
    private Duration canaryInterval = Duration.ofSeconds(30);

    private LogLevel logLevel = LogLevel.INFO;

    /** Null: JSON in production, text else. */
    private LogFormat logFormat;

    /** Null: with the other logs. */
    private Path auditLog;

    /** Null: errors are reported nowhere. */
    private URI sentryDsn;

    SettingsBuilder() {}

    SettingsBuilder(Settings from) {
        environment = from.environment();
        dataDir = from.dataDir();
        apiKeys = from.apiKeys();
        adminKeys = from.adminKeys();
        host = from.listen().host();
        port = from.listen().port();
        allowedOrigins = from.listen().allowedOrigins();
        tls = from.tls().orElse(null);
        hstsMax = from.hstsMax();
        databaseUrl = from.database().url().orElse(null);
        directUrl = from.database().directUrl().orElse(null);
        databasePoolMin = from.database().poolMin();
        databasePoolMax = from.database().poolMax();
        databaseTimeout = from.database().timeout();
        redis = from.redis().orElse(null);
        eventLimits = from.ingest().events();
        requestBytesMax = from.ingest().requestBytesMax();
        uploadLimits = from.ingest().upload();
        redact = from.ingest().redact();
        streamConnectionsMax = from.streams().connectionsMax();
        streamHeartbeat = from.streams().heartbeat();
        streamAgeMax = from.streams().ageMax();
        replayEventsMax = from.streams().replayEventsMax();
        streamStallMax = from.streams().stallMax();
        rateLimits = from.rateLimits();
        trustedProxies = from.trustedProxies();
        conversationIdleMax = from.conversationIdleMax();
        eventRetention = from.eventRetention();
        metrics = from.metrics().enabled();
        metricsHost = from.metrics().host();
        metricsPort = from.metrics().port();
        canaryInterval = from.metrics().canaryInterval();
        logLevel = from.logging().level();
        logFormat = from.logging().format();
        auditLog = from.logging().audit().orElse(null);
        sentryDsn = from.logging().sentryDsn().orElse(null);
    }

    public SettingsBuilder environment(Environment value) {
        environment = value;
        return this;
    }

    public SettingsBuilder dataDir(Path value) {
        dataDir = value;
        return this;
    }

    public SettingsBuilder apiKeys(List<ApiKey> value) {
        apiKeys = value;
        return this;
    }

    public SettingsBuilder adminKeys(List<ApiKey> value) {
        adminKeys = value;
        return this;
    }

    public SettingsBuilder host(String value) {
        host = value;
        return this;
    }

    public SettingsBuilder port(int value) {
        port = value;
        return this;
    }

    /** HTTPS instead of HTTP; see {@link Settings.Tls}. */
    public SettingsBuilder tls(Path cert, Path key, OptionalInt redirectPort) {
        tls = new Settings.Tls(cert, key, redirectPort);
        return this;
    }

    public SettingsBuilder hstsMax(Duration value) {
        hstsMax = value;
        return this;
    }

    public SettingsBuilder allowedOrigins(List<Origin> value) {
        allowedOrigins = value;
        return this;
    }

    public SettingsBuilder databaseUrl(String value) {
        databaseUrl = value;
        return this;
    }

    public SettingsBuilder directUrl(String value) {
        directUrl = value;
        return this;
    }

    public SettingsBuilder databasePoolMin(int value) {
        databasePoolMin = value;
        return this;
    }

    public SettingsBuilder databasePoolMax(int value) {
        databasePoolMax = value;
        return this;
    }

    public SettingsBuilder databaseTimeout(Duration value) {
        databaseTimeout = value;
        return this;
    }

    public SettingsBuilder eventLimits(EventLimits value) {
        eventLimits = value;
        return this;
    }

    public SettingsBuilder requestBytesMax(int value) {
        requestBytesMax = value;
        return this;
    }

    public SettingsBuilder uploadLimits(UploadLimits value) {
        uploadLimits = value;
        return this;
    }

    public SettingsBuilder redact(boolean value) {
        redact = value;
        return this;
    }

    public SettingsBuilder streamConnectionsMax(int value) {
        streamConnectionsMax = value;
        return this;
    }

    public SettingsBuilder streamHeartbeat(Duration value) {
        streamHeartbeat = value;
        return this;
    }

    public SettingsBuilder streamAgeMax(Duration value) {
        streamAgeMax = value;
        return this;
    }

    public SettingsBuilder replayEventsMax(int value) {
        replayEventsMax = value;
        return this;
    }

    public SettingsBuilder streamStallMax(Duration value) {
        streamStallMax = value;
        return this;
    }

    public SettingsBuilder rateLimits(Settings.RateLimits value) {
        rateLimits = value;
        return this;
    }

    public SettingsBuilder trustedProxies(AddressRanges value) {
        trustedProxies = value;
        return this;
    }

    public SettingsBuilder conversationIdleMax(Duration value) {
        conversationIdleMax = value;
        return this;
    }

    public SettingsBuilder eventRetention(Duration value) {
        eventRetention = value;
        return this;
    }

    public SettingsBuilder metrics(boolean value) {
        metrics = value;
        return this;
    }

    public SettingsBuilder metricsHost(String value) {
        metricsHost = value;
        return this;
    }

    public SettingsBuilder metricsPort(int value) {
        metricsPort = value;
        return this;
    }

    public SettingsBuilder canaryInterval(Duration value) {
        canaryInterval = value;
        return this;
    }

    public SettingsBuilder logLevel(LogLevel value) {
        logLevel = value;
        return this;
    }

    public SettingsBuilder logFormat(LogFormat value) {
        logFormat = value;
        return this;
    }

    public SettingsBuilder auditLog(Path value) {
        auditLog = value;
        return this;
    }

    /** See {@link Settings.Logging}. */
    public SettingsBuilder sentryDsn(URI value) {
        sentryDsn = value;
        return this;
    }

    int port() {
        return port;
    }

    boolean metrics() {
        return metrics;
    }

    int metricsPort() {
        return metricsPort;
    }

    int databasePoolMin() {
        return databasePoolMin;
    }

    int databasePoolMax() {
        return databasePoolMax;
    }

    /** @param token the password where the URL has none; null for none */
    public SettingsBuilder redis(URI url, String token) {
        redis = new Settings.Redis(url, token);
        return this;
    }

    /** @throws IllegalArgumentException if the settings do not fit together */
    public Settings build() {
        boolean production = environment == Environment.PRODUCTION;
        String listenHost = host != null ? host : production ? "0.0.0.0" : "127.0.0.1";
        return new Settings(
                environment,
                dataDir,
                apiKeys,
                adminKeys,
                new Settings.Listen(listenHost, port, allowedOrigins),
                Optional.ofNullable(tls),
                hstsMax,
                new Settings.Database(
                        Optional.ofNullable(databaseUrl),
                        Optional.ofNullable(directUrl),
                        databasePoolMin,
                        databasePoolMax,
                        databaseTimeout),
                Optional.ofNullable(redis),
                new Settings.Ingest(eventLimits, requestBytesMax, uploadLimits, redact),
                new Settings.Streams(
                        streamConnectionsMax, streamHeartbeat, streamAgeMax, replayEventsMax, streamStallMax),
                rateLimits,
                trustedProxies,
                conversationIdleMax,
                eventRetention,
                new Settings.Metrics(
                        metrics, metricsHost != null ? metricsHost : listenHost, metricsPort, canaryInterval),
                new Settings.Logging(
                        logLevel,
                        logFormat != null ? logFormat : production ? LogFormat.JSON : LogFormat.TEXT,
                        Optional.ofNullable(auditLog),
                        Optional.ofNullable(sentryDsn)));
    }
}
