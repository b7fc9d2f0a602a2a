package dev.agentpipe.server.metrics;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.log.GroupCommit;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.core.redact.Redactor;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.postgres.DatabaseTelemetry;
import dev.agentpipe.server.Health;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.cache.ResponseCache;
import dev.agentpipe.server.http.Reads;
import dev.agentpipe.server.limits.LimitCounts;
import dev.agentpipe.server.redis.Redis;
import dev.agentpipe.server.stream.Streams;
import dev.agentpipe.server.upload.UploadHandler;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.undertow.server.HttpHandler;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/**
 * All that a server measures: made first, so that its parts can tell; then shown the parts. Thread-safe.
 */
public final class Metrics implements AutoCloseable {

    /** How often PostgreSQL is asked about itself. */
    public static final Duration ASK_DATABASE = Duration.ofSeconds(60);

    /** How often disk, memory and Redis are looked at. */
    public static final Duration LOOK_AT_MACHINE = Duration.ofSeconds(15);

    /** What there is to look at in a server. */
    public record Parts(
            Settings settings,
            Database database,
            Health health,
            GroupCommit groupCommit,
            EventReader reader,
            Redactor redactor,
            Streams streams,
            LogTail tail,
            UploadHandler uploads,
            Reads reads,
            ResponseCache cache,
            LimitCounts limits,
            Optional<Redis> redis,
            LongSupplier connectionsRefused,
            Optional<Supplier<Instant>> certificateExpiry,
            XnioWorker worker) {}

    private final Optional<Scrape> scrape;
    private final Meters meters;
    private final EventMetrics events;
    private final DatabaseMetrics queries;
    private final HttpMetrics http;
    private final Optional<JvmGcMetrics> collections;
    private DatabaseState databaseState;
    private Machine machine;
    private Canary canary;

    /** @param given the registry of whoever embeds the server, who knows about the JVM already; empty: one for Prometheus */
    public Metrics(Optional<MeterRegistry> given) {
        this.scrape = given.isPresent() ? Optional.empty() : Optional.of(new Scrape());
        MeterRegistry registry = given.orElseGet(() -> scrape.get().registry());
        this.meters = new Meters(registry);
        this.events = new EventMetrics(meters);
        this.queries = new DatabaseMetrics(meters);
        this.http = new HttpMetrics(meters);
        this.collections = scrape.map(own -> ofJvm(registry));
    }

    private static JvmGcMetrics ofJvm(MeterRegistry registry) {
        List.of(
                        new ClassLoaderMetrics(),
                        new JvmMemoryMetrics(),
                        new JvmThreadMetrics(),
                        new FileDescriptorMetrics(),
                        new ProcessorMetrics(),
                        new UptimeMetrics())
                .forEach(binder -> binder.bindTo(registry));
        JvmGcMetrics collections = new JvmGcMetrics();
        collections.bindTo(registry);
        return collections;
    }

    public Telemetry events() {
        return events;
    }

    public DatabaseTelemetry queries() {
        return queries;
    }

    /** Counts all requests that come by. */
    public HttpHandler inFrontOf(HttpHandler next) {
        return http.inFrontOf(next);
    }

    /** Answers {@code GET /metrics}; empty if the registry is somebody else's. */
    public Optional<HttpHandler> scrape() {
        return scrape.map(one -> one);
    }

    /** From now on tells what the parts know. Before the looks, and once. */
    public void watch(Parts parts) {
        ServerMetrics server = new ServerMetrics(meters);
        server.ofServer(parts.health, parts.settings.eventRetention(), parts.connectionsRefused);
        parts.certificateExpiry.ifPresent(server::ofCertificate);
        server.ofIngest(parts.groupCommit, parts.redactor, parts.uploads);
        server.ofStreams(parts.streams, parts.tail);
        server.ofReads(parts.database, parts.reads, parts.cache);
        server.ofLimits(parts.limits);
        databaseState = new DatabaseState(meters, parts.database::statistics);
        machine = new Machine(meters, parts.settings.dataDir(), parts.redis);
        canary = new Canary(
                meters,
                parts.reader,
                parts.groupCommit,
                parts.tail,
                parts.streams,
                ioThreads(parts.worker),
                parts.health::isReady,
                Canary.PATIENCE);
    }

    /** XNIO gives them by a hash. */
    private static List<XnioIoThread> ioThreads(XnioWorker worker) {
        Set<XnioIoThread> threads = new LinkedHashSet<>();
        for (int hash = 0; threads.size() < worker.getIoThreadCount() && hash < 10_000; hash++) {
            threads.add(worker.getIoThread(hash));
        }
        return List.copyOf(threads);
    }

    /** Asks PostgreSQL about itself; blocks. */
    public void askDatabase() {
        databaseState.look();
    }

    /** Looks at disk, memory and Redis; blocks. */
    public void lookAtMachine() {
        machine.look();
    }

    /** Sends an event through the server; blocks. */
    public void sendCanary() {
        canary.send();
    }

    @Override
    public void close() {
        collections.ifPresent(JvmGcMetrics::close);
        scrape.ifPresent(Scrape::close);
    }
}
