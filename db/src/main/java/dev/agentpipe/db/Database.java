package dev.agentpipe.db;

import static dev.agentpipe.db.generated.Tables.CONVERSATIONS;
import static dev.agentpipe.db.generated.Tables.EVENTS;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.select;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.core.log.UploadLog;
import dev.agentpipe.db.conversations.Conversations;
import dev.agentpipe.db.export.Transcripts;
import dev.agentpipe.db.keys.ApiKeys;
import dev.agentpipe.db.keys.KeyTokens;
import dev.agentpipe.db.log.PostgresEventLog;
import dev.agentpipe.db.log.Retention;
import dev.agentpipe.db.postgres.ConnectionPool;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.db.postgres.DatabaseTelemetry;
import dev.agentpipe.db.postgres.Expressions;
import dev.agentpipe.db.postgres.PostgresFailures;
import dev.agentpipe.db.postgres.Statements;
import dev.agentpipe.db.search.Search;
import dev.agentpipe.db.search.SearchIndex;
import dev.agentpipe.db.upload.Uploads;
import dev.agentpipe.db.usage.Usage;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToIntFunction;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.impl.DSL;

/**
 * The database: its schema is up to date and its connections are open, from {@link #open} to {@link #close}. Thread-safe.
 *
 * <p>All methods throw {@link LogUnavailableException} within about a second while no connection can be had, and recover
 * by themselves.
 */
public final class Database implements AutoCloseable {

    /**
     * An append that takes longer has met a frozen PostgreSQL. The CLI cuts its request at 10 s, so waiting longer helps
     * nobody, and a batch is done in some milliseconds.
     */
    private static final Duration APPEND_TIMEOUT_MAX = Duration.ofSeconds(10);

    /** Uploads that are stored at a time: one that is large does not make all others wait. */
    private static final int UPLOADERS_MAX = 2;

    private final HikariDataSource writer;
    private final HikariDataSource reader;
    private final DSLContext idle;
    private final DatabaseStatistics.Question statistics;
    private final ApiKeys apiKeys;
    private final KeyTokens keyTokens;
    private final EventLog eventLog;
    private final Retention retention;
    private final HikariDataSource uploader;
    private final UploadLog uploads;
    private final Conversations conversations;
    private final Usage usage;
    private final Transcripts transcripts;
    private final Search search;
    private final SearchIndex searchIndex;

    /** Connections at this moment. */
    public record PoolState(int active, int idle, int waiting, int max) {}

    private Database(
            HikariDataSource writer,
            HikariDataSource reader,
            HikariDataSource uploader,
            DSLContext sql,
            DatabaseTelemetry telemetry) {
        Statements.tell(sql, telemetry);
        this.writer = writer;
        this.uploader = uploader;
        this.uploads = new Uploads(uploader, Clock.systemUTC(), telemetry);
        this.reader = reader;
        this.idle = Statements.named(sql, "idle_conversations");
        this.statistics = new DatabaseStatistics.Question(Statements.named(sql, "statistics"));
        this.apiKeys = new ApiKeys(sql);
        this.keyTokens = new KeyTokens(sql);
        this.eventLog = new PostgresEventLog(writer, sql, telemetry);
        this.retention = new Retention(sql);
        this.conversations = new Conversations(sql);
        this.usage = new Usage(sql);
        this.transcripts = new Transcripts(sql);
        this.search = new Search(sql);
        this.searchIndex = new SearchIndex(sql);
    }

    /**
     * Migrates and connects.
     *
     * @throws DatabaseStartException if PostgreSQL cannot be reached, is too old, or has the schema of a newer program
     */
    public static Database open(DatabaseSettings settings) {
        return open(settings, DatabaseTelemetry.NONE);
    }

    /** The same, and tells of what is done. */
    public static Database open(DatabaseSettings settings, DatabaseTelemetry telemetry) {
        Duration timeout = settings.timeout();
        Duration appendTimeout = timeout.compareTo(APPEND_TIMEOUT_MAX) < 0 ? timeout : APPEND_TIMEOUT_MAX;
        int uploadersMax = Math.max(1, Math.min(UPLOADERS_MAX, settings.poolMax() / 4));
        int readersMax = Math.max(1, settings.poolMax() - 1 - uploadersMax);
        int readersMin = Math.min(Math.max(settings.poolMin() - 1, 0), readersMax);
        // Before the schema is looked at: they connect by themselves meanwhile, and a login takes its time.
        HikariDataSource writer =
                ConnectionPool.open("postgres-append", settings.url(), 1, 1, appendTimeout, telemetry);
        HikariDataSource reader =
                ConnectionPool.open("postgres-read", settings.url(), readersMin, readersMax, timeout, telemetry);
        CompletableFuture<DSLContext> sql = CompletableFuture.supplyAsync(() -> firstQuery(reader));
        try {
            new Schema(settings.directUrl()).migrate();
            HikariDataSource uploader =
                    ConnectionPool.open("postgres-upload", settings.url(), 0, uploadersMax, timeout, telemetry);
            return new Database(writer, reader, uploader, sql.join(), telemetry);
        } catch (RuntimeException failed) {
            reader.close();
            writer.close();
            throw failed;
        }
    }

    /**
     * Brings the schema to this program's version, as {@link #open} does first of all.
     *
     * @throws DatabaseStartException as {@link #open}
     */
    public static void migrate(DatabaseSettings settings) {
        new Schema(settings.directUrl()).migrate();
    }

    /**
     * Has jOOQ get ready, which takes as long as a login. Nobody else may use it meanwhile: two threads that initialize its
     * classes could wait for each other.
     */
    private static DSLContext firstQuery(HikariDataSource reader) {
        DSLContext sql = ConnectionPool.context(reader);
        sql.selectFrom(EVENTS).getSQL();
        return sql;
    }

    public EventLog eventLog() {
        return eventLog;
    }

    public ApiKeys apiKeys() {
        return apiKeys;
    }

    public KeyTokens keyTokens() {
        return keyTokens;
    }

    public UploadLog uploads() {
        return uploads;
    }

    public Conversations conversations() {
        return conversations;
    }

    public Usage usage() {
        return usage;
    }

    public Transcripts transcripts() {
        return transcripts;
    }

    public Search search() {
        return search;
    }

    /** For the one thread that keeps it up to date. */
    public SearchIndex searchIndex() {
        return searchIndex;
    }

    /** How long PostgreSQL took to answer just now. */
    public Duration ping() {
        long start = System.nanoTime();
        try (Connection connection = reader.getConnection()) {
            if (!connection.isValid((int) ConnectionPool.CONNECT_TIMEOUT.toSeconds())) {
                throw new SQLException("no answer in time", "08006");
            }
        } catch (SQLException failed) {
            throw PostgresFailures.translated(failed);
        }
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /**
     * Conversations that are ACTIVE though no event of theirs, of any type, has come for so long, by their ids.
     *
     * @param max at most so many
     */
    public List<IdleConversation> idleConversations(Duration silence, int max) {
        Field<OffsetDateTime> before = Expressions.ago(silence);
        // Not all events move their conversation's last_received_at: log entries touch the log alone.
        Field<OffsetDateTime> lastEvent = field(select(EVENTS.RECEIVED_AT)
                .from(EVENTS)
                .where(EVENTS.CONVERSATION_ID.eq(CONVERSATIONS.ID))
                .orderBy(EVENTS.POSITION.desc())
                .limit(1));
        Field<OffsetDateTime> last = coalesce(lastEvent, CONVERSATIONS.LAST_RECEIVED_AT);
        try {
            return idle.select(CONVERSATIONS.ID, last)
                    .from(CONVERSATIONS)
                    .where(CONVERSATIONS.STATUS.eq(DSL.inline("ACTIVE")))
                    .and(CONVERSATIONS.LAST_RECEIVED_AT.lt(before))
                    .and(last.lt(before))
                    .orderBy(CONVERSATIONS.ID)
                    .limit(max)
                    .fetch(row ->
                            new IdleConversation(row.value1(), row.value2().toInstant()));
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    /** For the one thread that deletes old events. */
    public Retention retention() {
        return retention;
    }

    /** What PostgreSQL says of itself; asking takes it some milliseconds. */
    public DatabaseStatistics statistics() {
        return statistics.ask();
    }

    /** By the pool's name. */
    public Map<String, PoolState> pools() {
        Map<String, PoolState> states = new LinkedHashMap<>();
        List.of(writer, reader, uploader).forEach(pool -> states.put(pool.getPoolName(), state(List.of(pool))));
        return states;
    }

    public PoolState poolState() {
        return state(List.of(writer, reader, uploader));
    }

    private static PoolState state(List<HikariDataSource> pools) {
        return new PoolState(
                sum(pools, HikariPoolMXBean::getActiveConnections),
                sum(pools, HikariPoolMXBean::getIdleConnections),
                sum(pools, HikariPoolMXBean::getThreadsAwaitingConnection),
                pools.stream().mapToInt(HikariDataSource::getMaximumPoolSize).sum());
    }

    private static int sum(List<HikariDataSource> pools, ToIntFunction<HikariPoolMXBean> of) {
        return pools.stream()
                .map(HikariDataSource::getHikariPoolMXBean)
                .mapToInt(of)
                .sum();
    }

    @Override
    public void close() {
        uploader.close();
        reader.close();
        writer.close();
    }
}
