package dev.agentpipe.server;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.broadcast.Broadcaster;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.GroupCommit;
import dev.agentpipe.core.log.LogState;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.core.redact.Redactor;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.local.LocalPostgres;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.db.postgres.DatabaseStartException;
import dev.agentpipe.db.postgres.DatabaseTelemetry;
import dev.agentpipe.server.admin.LogLevelHandlers;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.cache.Freshness;
import dev.agentpipe.server.cache.ResponseCache;
import dev.agentpipe.server.cache.SharedCache;
import dev.agentpipe.server.docs.Docs;
import dev.agentpipe.server.export.ExportHandler;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.ForwardedHandler;
import dev.agentpipe.server.http.HealthHandler;
import dev.agentpipe.server.http.IngestHandler;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.ReadHandlers;
import dev.agentpipe.server.http.Reads;
import dev.agentpipe.server.http.Routes;
import dev.agentpipe.server.keys.Keys;
import dev.agentpipe.server.limits.Limits;
import dev.agentpipe.server.logs.LogLevels;
import dev.agentpipe.server.metrics.Metrics;
import dev.agentpipe.server.read.ConversationDeletes;
import dev.agentpipe.server.read.ConversationDetail;
import dev.agentpipe.server.read.ConversationList;
import dev.agentpipe.server.read.ConversationMessages;
import dev.agentpipe.server.read.RecentMessages;
import dev.agentpipe.server.redis.Redis;
import dev.agentpipe.server.redis.RedisTallies;
import dev.agentpipe.server.search.SearchHandler;
import dev.agentpipe.server.search.SearchIndexer;
import dev.agentpipe.server.search.SearchKinds;
import dev.agentpipe.server.stream.StreamHandler;
import dev.agentpipe.server.stream.Streams;
import dev.agentpipe.server.tls.Certificates;
import dev.agentpipe.server.tls.Hsts;
import dev.agentpipe.server.tls.UnusableCertificateException;
import dev.agentpipe.server.upload.UploadHandler;
import dev.agentpipe.server.usage.MetricsSummary;
import dev.agentpipe.server.usage.RealtimeStats;
import io.micrometer.core.instrument.MeterRegistry;
import io.undertow.server.HttpHandler;
import java.net.URI;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.xnio.XnioWorker;

/**
 * A running server, and how its parts are put together: the composition root. To embed it: {@code try (AgentPipe pipe =
 * AgentPipe.start(Settings.builder()….build())) { … }}.
 *
 * <p>Thread-safe.
 */
public final class AgentPipe implements AutoCloseable {

    /** How soon another node's events are seen when nothing tells of them. */
    private static final Duration POLL = Duration.ofMillis(250);

    private final ClosingStack parts = new ClosingStack();
    private final Optional<ApiKey> generatedKey;
    private final URI uri;
    private final Optional<MetricsPort> metricsPort;
    private final Pulse pulse;
    private final Health health;

    /**
     * Starts a server and returns when it takes requests.
     *
     * @throws StartException if something that an operator can mend is wrong; nothing is left running
     */
    public static AgentPipe start(Settings settings) {
        return new AgentPipe(settings, Optional.empty());
    }

    /**
     * The same, and measures itself in a registry of yours, whatever {@link Settings.Metrics} says; no port is opened for it.
     * What is told of the JVM is left to you.
     */
    public static AgentPipe start(Settings settings, MeterRegistry registry) {
        return new AgentPipe(settings, Optional.of(registry));
    }

    private AgentPipe(Settings settings, Optional<MeterRegistry> registry) {
        Optional<KeyFile.Kept> kept = Optional.empty();
        try {
            Optional<Certificates> certificates = settings.tls().map(AgentPipe::certificates);
            Optional<Metrics> metrics =
                    registry.isPresent() || settings.metrics().enabled()
                            ? Optional.of(parts.add("metrics", new Metrics(registry)))
                            : Optional.empty();
            Telemetry telemetry = metrics.map(Metrics::events).orElse(Telemetry.NONE);
            Database database = parts.add(
                    "database",
                    Database.open(
                            databaseSettings(settings),
                            metrics.map(Metrics::queries).orElse(DatabaseTelemetry.NONE)));
            EventLog eventLog = database.eventLog();
            LogState start = eventLog.state();

            // Not before the data folder is locked: two first starts at once would each make a key.
            kept = keptKey(settings);
            this.generatedKey = kept.filter(KeyFile.Kept::isNew).map(KeyFile.Kept::key);
            List<ApiKey> adminKeys = new ArrayList<>(settings.adminKeys());
            kept.ifPresent(one -> adminKeys.add(one.key())); // its owner owns the server, too
            Audit audit = new Audit(Clock.systemUTC());
            Keys keys = new Keys(settings.apiKeys(), adminKeys, database, audit);
            parts.add("keys", keys::note);
            Access access = keys.access();

            XnioWorker worker = HttpServer.worker();
            parts.add("worker", () -> HttpServer.stop(worker));
            this.metricsPort = metrics.flatMap(Metrics::scrape)
                    .map(scrape -> parts.add("metrics port", new MetricsPort(settings.metrics(), worker, scrape)));
            Streams streams =
                    new Streams(eventLog, start, Broadcaster.Limits.DEFAULT, settings.streams(), worker, telemetry);
            Freshness freshness = new Freshness(start.head(), streams.broadcaster());
            LogTail tail = parts.add("log-tail", new LogTail(eventLog, start.head(), POLL, freshness).start());
            GroupCommit groupCommit = parts.add(
                    "log-writer", new GroupCommit(eventLog, tail, GroupCommit.Limits.DEFAULT, telemetry).start());

            Redactor redactor = settings.ingest().redact() ? Redactor.on() : Redactor.OFF;
            EventReader reader = new EventReader(settings.ingest().events(), Clock.systemUTC(), redactor);
            Optional<Redis> redis = settings.redis().map(given -> new Redis(given.url(), given.token()));
            redis.ifPresent(one -> parts.add("redis", one));
            Limits limits = parts.add(
                    "limits",
                    new Limits(
                            settings.rateLimits(),
                            settings.trustedProxies(),
                            access,
                            redis.map(one -> new RedisTallies(one, "agentpipe:" + start.epoch() + ":limit:")),
                            StreamHandler::refuse,
                            audit));
            this.health = new Health(database::ping, redis, groupCommit, streams, certificates);
            IdleConversations idle =
                    new IdleConversations(database, reader, groupCommit, settings.conversationIdleMax());
            Housekeeping housekeeping = parts.add("housekeeping", new Housekeeping());
            this.pulse = new Pulse(worker, housekeeping);
            housekeeping.every(Duration.ofMillis(100), groupCommit::expire);
            housekeeping.blockingEvery(Duration.ofSeconds(1), health::check);
            housekeeping.blockingEvery(idle.interval(), idle::close);
            certificates.ifPresent(files -> housekeeping.blockingEvery(Certificates.RELOAD, files::reload));
            housekeeping.blockingEvery(Keys.REFRESH, () -> keys.refresh(streams::endForbidden));
            housekeeping.blockingEvery(Keys.NOTE, keys::note);
            housekeeping.every(Limits.TELL, limits::tell);
            LogLevels logLevels = new LogLevels(Clock.systemUTC());
            housekeeping.every(LogLevels.EXPIRE, logLevels::expire);
            parts.add("log levels", logLevels::reset);
            housekeeping.blockingEvery(Duration.ofMinutes(1), database.conversations()::finishDeletions);
            housekeeping.blockingEvery(UsageSums.INTERVAL, new UsageSums(database.usage())::bringForward);
            if (!settings.eventRetention().isZero()) {
                EventRetention retention =
                        new EventRetention(database.retention(), settings.eventRetention(), streams::retainOnlyAfter);
                housekeeping.blockingEvery(EventRetention.FIRST, EventRetention.INTERVAL, retention::deleteOld);
            }

            SearchIndexer indexer = new SearchIndexer(database.searchIndex(), tail::seen);
            housekeeping.blockingEvery(SearchIndexer.INTERVAL, indexer::catchUp);

            Reads reads = parts.add(
                    "reads", new Reads(readsAtATime(settings.database().poolMax())));
            ResponseCache cache = new ResponseCache(
                    freshness, redis.<SharedCache>map(one -> one).orElse(SharedCache.NONE), cachePrefix(start));
            housekeeping.blockingEvery(Duration.ofSeconds(1), cache::forgetDeleted);
            ReadHandlers read = new ReadHandlers(reads, access, cache, tail, start.epoch());
            HttpHandler away = exchange -> StreamHandler.refuse(exchange, Problem.DATABASE_UNAVAILABLE);
            StreamHandler stream = new StreamHandler(streams, eventLog, tail, start.epoch());
            UploadHandler uploads = parts.add(
                    "uploads",
                    new UploadHandler(
                            access,
                            settings.ingest().events(),
                            settings.ingest().upload(),
                            redactor,
                            database.uploads(),
                            tail));
            HttpHandler routes = Routes.of(
                    new IngestHandler(
                            access,
                            reader,
                            limits,
                            groupCommit,
                            start.epoch(),
                            settings.ingest().requestBytesMax(),
                            telemetry),
                    limits.uploads(uploads),
                    limits.streams(keys.readers(stream, reads, away)),
                    new Routes.Conversations(
                            limits.reads(read.of(new ConversationList(database.conversations()))),
                            limits.reads(read.ofConversation(new ConversationDetail(database.conversations(), access))),
                            new ConversationDeletes(database.conversations(), access, reads, tail),
                            limits.reads(read.ofConversation(new ConversationMessages(database.conversations()))),
                            limits.reads(new ExportHandler(database.transcripts(), reads, access)),
                            limits.reads(read.of(new RecentMessages(database.conversations())))),
                    limits.reads(new SearchHandler(access, reads, database.search(), start.epoch())),
                    limits.reads(read.of(new SearchKinds(database.search()))),
                    limits.reads(read.of(new MetricsSummary(database.usage(), Clock.systemUTC()))),
                    limits.reads(read.uncached(new RealtimeStats(streams, eventLog, start.epoch(), Clock.systemUTC()))),
                    new HealthHandler(health),
                    new LogLevelHandlers(access, audit, logLevels).table(),
                    Docs.documents(),
                    keys.sessions(reads));
            HttpHandler front = new ForwardedHandler(
                    settings.trustedProxies(), new Hsts(settings.hstsMax(), keys.inFrontOf(routes, reads, away)));
            Optional<HttpServer.Https> https =
                    certificates.map(given -> new HttpServer.Https(given, redirectPort(settings), routes));
            ConnectionLimit connections =
                    ConnectionLimit.of(settings.streams().connectionsMax(), settings.trustedProxies()::contains);
            metrics.ifPresent(one -> {
                one.watch(new Metrics.Parts(
                        settings,
                        database,
                        health,
                        groupCommit,
                        reader,
                        redactor,
                        streams,
                        tail,
                        uploads,
                        reads,
                        cache,
                        limits.counts(),
                        redis,
                        connections::refused,
                        certificates.map(used -> used::expiry),
                        worker));
                housekeeping.blockingEvery(Duration.ofSeconds(1), Metrics.ASK_DATABASE, one::askDatabase);
                housekeeping.blockingEvery(Duration.ZERO, Metrics.LOOK_AT_MACHINE, one::lookAtMachine);
                Duration canary = settings.metrics().canaryInterval();
                if (!canary.isZero()) {
                    housekeeping.blockingEvery(canary, one::sendCanary);
                }
            });
            HttpServer http = parts.add(
                    "http",
                    new HttpServer(
                            settings.listen(),
                            https,
                            worker,
                            connections,
                            front,
                            handler ->
                                    metrics.map(one -> one.inFrontOf(handler)).orElse(handler)));
            parts.add("streams", streams);
            parts.add("readiness", health::drain);
            this.uri = http.uri();
        } catch (DatabaseStartException e) {
            parts.close();
            throw new StartException(e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            if (kept.filter(KeyFile.Kept::isNew).isPresent()) {
                KeyFile.remove(settings.dataDir()); // nobody has seen it
            }
            parts.close();
            throw e;
        }
    }

    private static Certificates certificates(Settings.Tls tls) {
        try {
            return new Certificates(tls.cert(), tls.key(), Clock.systemUTC());
        } catch (UnusableCertificateException e) {
            throw new StartException("TLS_CERT and TLS_KEY: " + e.getMessage(), e);
        }
    }

    private static OptionalInt redirectPort(Settings settings) {
        return settings.tls().map(Settings.Tls::redirectPort).orElseGet(OptionalInt::empty);
    }

    /** One connection appends, two upload; of the others some stay free for streams that look into the log. */
    private static int readsAtATime(int poolMax) {
        return Math.max(1, poolMax - 5);
    }

    /** Nodes of another log, or of another program, may give other answers. */
    private static String cachePrefix(LogState log) {
        return "agentpipe:" + log.epoch() + ":" + Version.current() + ":";
    }

    private static Optional<KeyFile.Kept> keptKey(Settings settings) {
        return settings.apiKeys().isEmpty()
                ? Optional.of(KeyFile.readOrCreate(settings.dataDir(), new SecureRandom()))
                : Optional.empty();
    }

    /** Starts the embedded PostgreSQL if no other is named. */
    private DatabaseSettings databaseSettings(Settings settings) {
        Settings.Database given = settings.database();
        if (given.url().isEmpty()) {
            LocalPostgres local =
                    parts.add("postgres", LocalPostgres.start(settings.dataDir().resolve("postgres")));
            return local.settings(given.poolMin(), given.poolMax(), given.timeout());
        }
        return DatabaseSettings.of(
                given.url().get(), given.directUrl().orElse(null), given.poolMin(), given.poolMax(), given.timeout());
    }

    /** Where it listens. */
    public URI uri() {
        return uri;
    }

    /** The port of the metrics; empty if there is none. */
    public OptionalInt metricsPort() {
        return metricsPort.map(port -> OptionalInt.of(port.address().getPort())).orElseGet(OptionalInt::empty);
    }

    /**
     * Which of the threads that nothing may block take no task within this time, by their names. Empty unless something is
     * badly wrong: a database that is away does not stop them.
     */
    public List<String> silentThreads(Duration patience) throws InterruptedException {
        return pulse.silent(patience);
    }

    /** A line for people, such as {@code healthy, 12 streams, version 0.1.0}. */
    public String status() {
        return health.line();
    }

    /** The key that this start has generated; empty if there was one, or one was given. */
    public Optional<String> generatedKey() {
        return generatedKey.map(ApiKey::value);
    }

    /**
     * Turns readiness off, ends the streams, finishes the requests that are under way and the queue, and closes the
     * database last. Takes 10 seconds at the most, then gives up what still hangs.
     */
    @Override
    public void close() {
        parts.close();
    }
}
