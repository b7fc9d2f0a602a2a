package dev.agentpipe.server.http;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.log.GroupCommit;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.TestServer;
import io.undertow.Undertow;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.function.Supplier;

/** Ingest on an Undertow of its own, in front of a {@link ScriptedLog}, with small limits. */
final class IngestOnly implements AutoCloseable {

    static final int REQUEST_BYTES_MAX = 256 << 10;
    static final Duration BODY_DEADLINE = Duration.ofSeconds(1);

    final ScriptedLog log = new ScriptedLog();
    final GroupCommit groupCommit;
    final IngestHandler ingest;
    private final Undertow undertow;

    IngestOnly() {
        this(Instant::now);
    }

    IngestOnly(EventLimit limit) {
        this(Instant::now, limit);
    }

    /** @param now asked for the time of each event without one; a way to make parsing fail */
    IngestOnly(Supplier<Instant> now) {
        this(now, EventLimit.NONE);
    }

    private IngestOnly(Supplier<Instant> now, EventLimit limit) {
        LogTail tail = new LogTail(log, 0, Duration.ofMinutes(1), (records, through) -> {});
        groupCommit = new GroupCommit(
                        log,
                        tail,
                        new GroupCommit.Limits(2, 1 << 20, 1, 1 << 20, Duration.ofMillis(100), Duration.ofMillis(5)))
                .start();
        ingest = new IngestHandler(
                new Access(List.of(new ApiKey(TestServer.KEY)), List.of()),
                new EventReader(EventLimits.DEFAULT, clock(now)),
                limit,
                groupCommit,
                "test",
                REQUEST_BYTES_MAX,
                Telemetry.NONE);
        undertow = Undertow.builder()
                .setIoThreads(2)
                .setWorkerThreads(2)
                .addHttpListener(0, "127.0.0.1")
                .setHandler(new RequestId(new BodyDeadline(BODY_DEADLINE, ingest)))
                .build();
        undertow.start();
    }

    private static Clock clock(Supplier<Instant> now) {
        return new Clock() {
            @Override
            public ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return now.get();
            }
        };
    }

    int port() {
        return ((InetSocketAddress) undertow.getListenerInfo().get(0).getAddress()).getPort();
    }

    @Override
    public void close() {
        log.release();
        groupCommit.close();
        undertow.stop();
    }
}
