package dev.agentpipe.server.metrics;

import dev.agentpipe.core.broadcast.Broadcaster;
import dev.agentpipe.core.broadcast.CloseReason;
import dev.agentpipe.core.log.GroupCommit;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.core.redact.Redactor;
import dev.agentpipe.core.redact.SecretKind;
import dev.agentpipe.db.Database;
import dev.agentpipe.server.Health;
import dev.agentpipe.server.Version;
import dev.agentpipe.server.cache.ResponseCache;
import dev.agentpipe.server.http.Reads;
import dev.agentpipe.server.limits.LimitCounts;
import dev.agentpipe.server.logs.Logs;
import dev.agentpipe.server.stream.Streams;
import dev.agentpipe.server.upload.UploadHandler;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;

/** What the parts of a server know anyway: looked at when somebody asks, and costs nothing else. */
final class ServerMetrics {

    private final Meters meters;

    ServerMetrics(Meters meters) {
        this.meters = meters;
    }

    void ofServer(Health health, Duration retention, LongSupplier connectionsRefused) {
        meters.gauge(
                "agentpipe.build.info",
                null,
                "Always 1",
                () -> 1,
                "version",
                Version.current(),
                "java",
                Runtime.version().toString());
        meters.counted(
                "agentpipe.logs.dropped",
                null,
                "Lines of the log that were dropped, because more came than could be written",
                Logs::dropped);
        meters.gauge("agentpipe.ready", null, "1: takes traffic", () -> health.isReady() ? 1 : 0);
        meters.gauge(
                "agentpipe.health.status",
                null,
                "0 healthy, 1 degraded, 2 unhealthy",
                () -> health.report().status().ordinal());
        meters.gauge(
                "agentpipe.database.up",
                null,
                "1: PostgreSQL answers",
                () -> health.databaseLatency().isPresent() ? 1 : 0);
        meters.gauge(
                "agentpipe.database.ping",
                "seconds",
                "How long PostgreSQL took to answer",
                () -> health.databaseLatency().map(ServerMetrics::seconds).orElse(null));
        meters.gauge("agentpipe.log.retention", "seconds", "How long events are kept; 0: always", retention::toSeconds);
        meters.counted(
                "agentpipe.http.connections.refused",
                null,
                "Connections closed at once, since there were too many",
                connectionsRefused::getAsLong);
    }

    void ofCertificate(Supplier<Instant> expiry) {
        meters.gauge(
                "agentpipe.tls.certificate.expiry.timestamp",
                "seconds",
                "When the certificate in use expires",
                () -> expiry.get().getEpochSecond());
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    void ofIngest(GroupCommit groupCommit, Redactor redactor, UploadHandler uploads) {
        meters.gauge("agentpipe.ingest.queue", "events", "Events that wait for the writer", groupCommit::queuedEvents);
        meters.gauge("agentpipe.ingest.queue.limit", "events", "How many may wait", groupCommit::queuedEventsMax);
        meters.gauge("agentpipe.ingest.available", null, "1: appends are taken", () -> groupCommit.available() ? 1 : 0);
        meters.gauge("agentpipe.uploads.under.way", null, "Uploads under way", uploads::underWay);
        if (redactor != Redactor.OFF) {
            for (SecretKind kind : SecretKind.values()) {
                meters.counted(
                        "agentpipe.redacted",
                        null,
                        "Secrets that were taken out",
                        () -> redactor.counts().getOrDefault(kind, 0L),
                        "kind",
                        label(kind));
            }
        }
    }

    private static String label(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    void ofStreams(Streams streams, LogTail tail) {
        meters.gauge(
                "agentpipe.streams.open",
                null,
                "Streams that are open",
                () -> Math.max(0, streams.count() - streams.ofConversations()),
                "filter",
                "all");
        meters.gauge(
                "agentpipe.streams.open",
                null,
                "Streams that are open",
                streams::ofConversations,
                "filter",
                "conversations");
        meters.gauge("agentpipe.streams.limit", null, "How many streams there may be", streams::connectionsMax);
        for (Streams.Start start : Streams.Start.values()) {
            meters.counted(
                    "agentpipe.streams.started",
                    null,
                    "Streams by how they began",
                    () -> streams.started(start),
                    "start",
                    label(start));
        }
        for (CloseReason reason : CloseReason.values()) {
            meters.counted(
                    "agentpipe.streams.ended",
                    null,
                    "Streams by why they ended",
                    () -> streams.ended().get(reason),
                    "reason",
                    label(reason));
        }
        for (Streams.Reset reason : Streams.Reset.values()) {
            meters.counted(
                    "agentpipe.stream.resets",
                    null,
                    "Readers whose place could not be resumed",
                    () -> streams.resets(reason),
                    "reason",
                    label(reason));
        }
        meters.counted("agentpipe.stream.deliveries", null, "Events written to readers", streams::delivered);
        meters.counted("agentpipe.stream.written", "bytes", "Bytes written to readers", streams::written);
        Broadcaster broadcaster = streams.broadcaster();
        meters.gauge(
                "agentpipe.broadcast.position",
                null,
                "The last position that this server's readers can have",
                broadcaster::head);
        meters.gauge(
                "agentpipe.broadcast.lag",
                "positions",
                "Positions that this server knows of and its readers cannot have yet",
                () -> Math.max(0, tail.seen() - broadcaster.head()));
        meters.gauge(
                "agentpipe.window.events",
                null,
                "Events kept in memory for readers",
                () -> broadcaster.held().frames());
        meters.gauge(
                "agentpipe.window.bytes",
                null,
                "Bytes kept in memory for readers",
                () -> broadcaster.held().bytes());
        meters.gauge(
                "agentpipe.window.limit",
                "bytes",
                "How many may be kept",
                () -> broadcaster.held().bytesMax());
        replays("agentpipe.replay.pages.held", "Pages that are read or held", streams, Streams.ReplayState::inUse);
        replays("agentpipe.replay.waiting", "Readers that wait for a page", streams, Streams.ReplayState::waiting);
        replays("agentpipe.replay.pages.limit", "How many may be held", streams, Streams.ReplayState::max);
    }

    private void replays(String name, String help, Streams streams, ToIntFunction<Streams.ReplayState> of) {
        meters.gauge(name, null, help, () -> of.applyAsInt(streams.replayState()));
    }

    void ofReads(Database database, Reads reads, ResponseCache cache) {
        meters.gauge(
                "agentpipe.reads.waiting", null, "Requests that wait for a look into the database", reads::waiting);
        for (String pool : database.pools().keySet()) {
            Supplier<Database.PoolState> state = () -> database.pools().get(pool);
            String help = "Connections of a pool";
            meters.gauge(
                    "agentpipe.database.pool.connections",
                    null,
                    help,
                    () -> state.get().active(),
                    "pool",
                    pool,
                    "state",
                    "active");
            meters.gauge(
                    "agentpipe.database.pool.connections",
                    null,
                    help,
                    () -> state.get().idle(),
                    "pool",
                    pool,
                    "state",
                    "idle");
            meters.gauge(
                    "agentpipe.database.pool.pending",
                    null,
                    "Threads that wait for a connection",
                    () -> state.get().waiting(),
                    "pool",
                    pool);
            meters.gauge(
                    "agentpipe.database.pool.limit",
                    null,
                    "How many connections a pool may have",
                    () -> state.get().max(),
                    "pool",
                    pool);
        }
        cached("hit", () -> cache.counts().hits());
        cached("shared_hit", () -> cache.counts().sharedHits());
        cached("miss", () -> cache.counts().misses());
    }

    private void cached(String result, Supplier<Long> count) {
        meters.counted("agentpipe.cache.requests", null, "What the cache was asked", count, "result", result);
    }

    void ofLimits(LimitCounts counts) {
        meters.counted("agentpipe.rate.limit.held", null, "Requests that had to wait for a moment", counts::held);
        meters.counted("agentpipe.rate.limit.refused", null, "What was refused", counts::refused, "what", "requests");
        meters.counted(
                "agentpipe.rate.limit.refused", null, "What was refused", counts::refusedStreams, "what", "streams");
        meters.counted(
                "agentpipe.rate.limit.alone",
                null,
                "Requests about which this server decided without the others",
                counts::alone);
    }
}
