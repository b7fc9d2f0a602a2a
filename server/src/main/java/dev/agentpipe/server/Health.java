package dev.agentpipe.server;

import dev.agentpipe.core.log.GroupCommit;
import dev.agentpipe.server.redis.Redis;
import dev.agentpipe.server.stream.Streams;
import dev.agentpipe.server.tls.Certificates;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the server knows of its own state. {@link #check} looks at the database, from time to time, on a thread that may
 * block; reports are made from what it saw, so that asking costs nothing and never hangs.
 *
 * <p>Thread-safe.
 */
public final class Health {

    public enum Status {
        HEALTHY,
        /** It works, with less than it should have. */
        DEGRADED,
        /** The main job cannot be done: events are refused. */
        UNHEALTHY;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** @param body as the contract, section 6, has it */
    public record Report(Status status, Map<String, Object> body) {}

    /** A look at the database. */
    private record Seen(boolean up, Duration latency, long atNanos) {}

    /** A check that has not come back for so long hangs. */
    private static final Duration STALE = Duration.ofSeconds(4);

    private final Supplier<Duration> ping;
    private final Optional<Redis> redis;
    private final GroupCommit groupCommit;
    private final Streams streams;
    private final Optional<Certificates> certificates;
    private final long startedNanos = System.nanoTime();
    private volatile Seen seen = new Seen(true, Duration.ZERO, System.nanoTime());
    private volatile boolean draining;

    /** @param ping how long the database took to answer; throws when it did not */
    Health(
            Supplier<Duration> ping,
            Optional<Redis> redis,
            GroupCommit groupCommit,
            Streams streams,
            Optional<Certificates> certificates) {
        this.ping = ping;
        this.redis = redis;
        this.groupCommit = groupCommit;
        this.streams = streams;
        this.certificates = certificates;
    }

    /** Looks at the database, and at Redis; blocks. */
    void check() {
        redis.ifPresent(Redis::ping);
        try {
            seen = new Seen(true, ping.get(), System.nanoTime());
        } catch (RuntimeException e) {
            seen = new Seen(false, Duration.ZERO, System.nanoTime());
        }
    }

    /** How long the database took to answer; empty if it does not. */
    public Optional<Duration> databaseLatency() {
        Seen last = seen;
        boolean stale = System.nanoTime() - last.atNanos > STALE.toNanos();
        return last.up && !stale ? Optional.of(last.latency) : Optional.empty();
    }

    /** From now on the server wants no more traffic. */
    void drain() {
        draining = true;
    }

    public boolean isReady() {
        return !draining;
    }

    /** In short, for a person. */
    String line() {
        int open = streams.count();
        return "%s%s, %d %s, version %s"
                .formatted(
                        report().status().label(),
                        isDatabaseUp(seen) ? "" : " (no database)",
                        open,
                        open == 1 ? "stream" : "streams",
                        Version.current());
    }

    private boolean isDatabaseUp(Seen last) {
        boolean stale = System.nanoTime() - last.atNanos > STALE.toNanos();
        return last.up && !stale && groupCommit.available();
    }

    public Report report() {
        Seen last = seen;
        boolean databaseUp = isDatabaseUp(last);
        boolean redisUp = redis.map(Redis::isUp).orElse(true);
        boolean expired = certificates.map(Certificates::isExpired).orElse(false);
        boolean degraded = draining || !redisUp || expired;
        Status status = !databaseUp ? Status.UNHEALTHY : degraded ? Status.DEGRADED : Status.HEALTHY;

        Map<String, Object> database = new LinkedHashMap<>();
        database.put("status", databaseUp ? "up" : "down");
        if (databaseUp) {
            database.put("latencyMs", last.latency.toNanos() / 1_000 / 1_000.0);
        }
        Map<String, Object> stream = new LinkedHashMap<>();
        stream.put("status", draining ? "draining" : "up");
        stream.put("connections", streams.count());
        stream.put("position", streams.broadcaster().head());
        Map<String, Long> ended = new LinkedHashMap<>();
        streams.ended().forEach((reason, count) -> ended.put(reason.name().toLowerCase(Locale.ROOT), count));
        stream.put("ended", ended);
        Map<String, Object> checks = new LinkedHashMap<>();
        checks.put("database", database);
        checks.put("redis", Map.of("status", redis.isEmpty() ? "not_configured" : redisUp ? "up" : "down"));
        checks.put("stream", stream);
        certificates.ifPresent(used -> checks.put(
                "tls",
                Map.of(
                        "status",
                        expired ? "expired" : "up",
                        "expires",
                        used.expiry().toString())));

        Map<String, Object> body = new LinkedHashMap<>();
        body.put("status", status.label());
        body.put("timestamp", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        body.put("version", Version.current());
        body.put(
                "uptimeSeconds",
                Duration.ofNanos(System.nanoTime() - startedNanos).toSeconds());
        body.put("checks", checks);
        return new Report(status, body);
    }
}
