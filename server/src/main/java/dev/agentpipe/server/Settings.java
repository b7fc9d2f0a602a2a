package dev.agentpipe.server;

import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.UploadLimits;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Everything that can be set, checked. Made by {@link SettingsReader} from the environment, or by an embedder with {@link
 * #builder()}; the defaults stand in {@link SettingsBuilder}. Printing it shows no secret.
 *
 * @param dataDir absolute; holds the embedded PostgreSQL and the generated key
 * @param apiKeys keys that may ingest, upload and read; empty: one is generated, for everything, and kept in the data
 *     folder
 * @param adminKeys keys that may do everything, also delete
 * @param trustedProxies whose word is taken for where a request comes from
 * @param tls empty: plain HTTP
 * @param hstsMax how long a browser that came by HTTPS, this server's or a proxy's, shall come by nothing else; zero: it
 *     forgets what it was told
 * @param conversationIdleMax a conversation without any event for so long is closed as interrupted
 * @param eventRetention events that came longer ago are deleted, and cannot be replayed; zero: never
 */
public record Settings(
        Environment environment,
        Path dataDir,
        List<ApiKey> apiKeys,
        List<ApiKey> adminKeys,
        Listen listen,
        Optional<Tls> tls,
        Duration hstsMax,
        Database database,
        Optional<Redis> redis,
        Ingest ingest,
        Streams streams,
        RateLimits rateLimits,
        AddressRanges trustedProxies,
        Duration conversationIdleMax,
        Duration eventRetention,
        Metrics metrics,
        Logging logging) {

    public Settings {
        dataDir = dataDir.toAbsolutePath().normalize();
        apiKeys = List.copyOf(apiKeys);
        adminKeys = List.copyOf(adminKeys);
        require(!hstsMax.isNegative(), "hstsMax must be zero or more");
        requirePositive(conversationIdleMax, "conversationIdleMax");
        require(!eventRetention.isNegative(), "eventRetention must be zero or more");
        if (environment == Environment.PRODUCTION) {
            require(database.url().isPresent(), "production needs a database URL");
            require(!apiKeys.isEmpty(), "production needs an API key");
        }
    }

    public static SettingsBuilder builder() {
        return new SettingsBuilder();
    }

    /** A builder that starts with these settings. */
    public SettingsBuilder toBuilder() {
        return new SettingsBuilder(this);
    }

    /** What the server is run for. */
    public enum Environment {
        DEVELOPMENT,
        /** Database and key must be given; errors tell nothing of the inside. */
        PRODUCTION,
        TEST;

        /** As it is written in the environment. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Where the server listens, and to whom a browser lets it speak.
     *
     * @param port 0: any free one
     * @param allowedOrigins whose pages may read answers, beside the server's own
     */
    public record Listen(String host, int port, List<Origin> allowedOrigins) {
        /** Without pages of other origins. */
        public Listen(String host, int port) {
            this(host, port, List.of());
        }

        public Listen {
            allowedOrigins = List.copyOf(allowedOrigins);
            require(!host.isBlank(), "host must not be blank");
            require(port >= 0 && port <= 65_535, "port must be 0 to 65535");
        }
    }

    /**
     * HTTPS in the process.
     *
     * @param cert a PEM file: the server's own certificate first, its issuers after it
     * @param key a PEM file with its private key
     * @param redirectPort a plain port that sends pages on to HTTPS and refuses the rest; 0: any free one
     */
    public record Tls(Path cert, Path key, OptionalInt redirectPort) {
        public Tls {
            cert = cert.toAbsolutePath().normalize();
            key = key.toAbsolutePath().normalize();
            require(
                    redirectPort.isEmpty() || redirectPort.getAsInt() >= 0 && redirectPort.getAsInt() <= 65_535,
                    "the redirect port must be 0 to 65535");
        }
    }

    /**
     * How PostgreSQL is reached.
     *
     * @param url empty: an embedded one in the data folder
     * @param directUrl for migrations, past a pooler; the same as {@code url} where none was given
     * @param timeout how long a statement may take before its connection is given up
     */
    public record Database(
            Optional<String> url, Optional<String> directUrl, int poolMin, int poolMax, Duration timeout) {
        public Database {
            directUrl = directUrl.or(() -> url);
            require(url.isPresent() || directUrl.isEmpty(), "a direct URL needs a database URL beside it");
            require(poolMin >= 0 && poolMin <= poolMax && poolMax >= 1, "the pool must fit 0 <= min <= max, max >= 1");
            requirePositive(timeout, "timeout");
        }

        /** Without the URLs, which may hold a password. */
        @Override
        public String toString() {
            return "Database[%s, poolMin=%d, poolMax=%d, timeout=%s]"
                    .formatted(url.isPresent() ? "external" : "embedded", poolMin, poolMax, timeout);
        }
    }

    /**
     * How Redis is reached.
     *
     * @param url {@code redis://} or {@code rediss://}, with a host
     * @param token the password where the URL has none; null for none
     */
    public record Redis(URI url, String token) {
        private static final Set<String> SCHEMES = Set.of("redis", "rediss");

        public Redis {
            require(isUrl(url), "the Redis URL must be redis:// or rediss:// with a host, and a number as its path");
        }

        static boolean isUrl(URI url) {
            return url.getScheme() != null
                    && SCHEMES.contains(url.getScheme())
                    && url.getHost() != null
                    && url.getRawPath().matches("(/\\d{0,4})?")
                    && url.getRawQuery() == null
                    && url.getRawFragment() == null;
        }

        /** Without user, password and token. */
        @Override
        public String toString() {
            return "Redis[" + url.getScheme() + "://" + url.getHost() + ":" + url.getPort() + "]";
        }
    }

    /**
     * What one request may bring.
     *
     * @param requestBytesMax bytes of one body
     * @param redact whether secrets are taken out before anything is stored
     */
    public record Ingest(EventLimits events, int requestBytesMax, UploadLimits upload, boolean redact) {
        public Ingest {
            require(requestBytesMax >= events.eventBytesMax(), "a request must be able to hold the largest event");
        }
    }

    /**
     * What the streams may take.
     *
     * @param heartbeat silence after which a comment is sent
     * @param ageMax a stream ends by itself between 80 and 100 % of this; zero: never
     * @param replayEventsMax a reader that is further behind than this many positions is reset
     * @param stallMax a reader that takes nothing for so long, while something waits for it, is disconnected
     */
    public record Streams(
            int connectionsMax, Duration heartbeat, Duration ageMax, int replayEventsMax, Duration stallMax) {
        public Streams {
            require(connectionsMax >= 1, "connectionsMax must be 1 or more");
            requirePositive(heartbeat, "heartbeat");
            require(!ageMax.isNegative(), "ageMax must be zero or more");
            require(replayEventsMax >= 1, "replayEventsMax must be 1 or more");
            requirePositive(stallMax, "stallMax");
        }
    }

    /**
     * How much one caller may do; 0 is any number.
     *
     * @param ingestMax events in a window, for each key and conversation
     * @param uploadsPerMinute for each key
     * @param readsPerMinute for each key, or address where there is none
     * @param streamsPerAddress open at once, on a node
     * @param exempt addresses for which reads without a key, and streams, are not counted
     */
    public record RateLimits(
            Duration ingestWindow,
            int ingestMax,
            int uploadsPerMinute,
            int readsPerMinute,
            int streamsPerAddress,
            AddressRanges exempt) {

        public static final RateLimits DEFAULT =
                new RateLimits(Duration.ofSeconds(60), 100, 10, 600, 100, AddressRanges.LOOPBACK);
        public static final RateLimits OFF = new RateLimits(DEFAULT.ingestWindow, 0, 0, 0, 0, DEFAULT.exempt);

        public RateLimits {
            require(
                    ingestWindow.toSeconds() >= 1 && ingestWindow.compareTo(Duration.ofDays(1)) <= 0,
                    "ingestWindow must be a second to a day");
            for (int max : new int[] {ingestMax, uploadsPerMinute, readsPerMinute, streamsPerAddress}) {
                require(max >= 0 && max <= MAX, "limits must be 0 to " + MAX);
            }
        }

        static final int MAX = 1_000_000;
    }

    /**
     * What the server measures of itself.
     *
     * @param enabled whether it does, and serves it on a port of its own
     * @param port 0: any free one
     * @param canaryInterval how often an event is sent through the server; zero: never
     */
    public record Metrics(boolean enabled, String host, int port, Duration canaryInterval) {
        public Metrics {
            require(!host.isBlank(), "the metrics' host must not be blank");
            require(port >= 0 && port <= 65_535, "the metrics' port must be 0 to 65535");
            require(!canaryInterval.isNegative(), "canaryInterval must be zero or more");
        }
    }

    /**
     * @param audit the file of the audit; empty: with the other logs
     * @param sentryDsn where errors are reported; empty: nowhere. For the command line: an embedder sees to its own reports
     */
    public record Logging(LogLevel level, LogFormat format, Optional<Path> audit, Optional<URI> sentryDsn) {
        private static final Set<String> SCHEMES = Set.of("http", "https");

        public Logging(LogLevel level, LogFormat format) {
            this(level, format, Optional.empty(), Optional.empty());
        }

        public Logging {
            sentryDsn.ifPresent(dsn -> require(isSentryDsn(dsn), "the Sentry DSN must be https://key@host/project"));
        }

        static boolean isSentryDsn(URI dsn) {
            return dsn.getScheme() != null
                    && SCHEMES.contains(dsn.getScheme())
                    && dsn.getHost() != null
                    && dsn.getRawUserInfo() != null
                    && dsn.getRawUserInfo().matches("[\\w-]+(?::[\\w-]*)?")
                    && dsn.getRawPath().matches("(?:/[\\w.-]+)*/[\\w-]+")
                    && dsn.getRawQuery() == null
                    && dsn.getRawFragment() == null;
        }

        /** Without the key of the DSN. */
        @Override
        public String toString() {
            return "Logging[%s, %s, audit=%s, sentry=%s]".formatted(level, format, audit, sentryDsn.map(URI::getHost));
        }
    }

    public enum LogLevel {
        TRACE,
        DEBUG,
        INFO,
        WARN,
        ERROR
    }

    public enum LogFormat {
        /** A line for people, to standard error. */
        TEXT,
        /** A JSON object a line, to standard output. */
        JSON
    }

    private static void requirePositive(Duration value, String name) {
        require(!value.isNegative() && !value.isZero(), name + " must be above zero");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
