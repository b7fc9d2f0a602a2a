package dev.agentpipe.server.metrics;

import dev.agentpipe.db.postgres.DatabaseTelemetry;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** What the work with PostgreSQL tells. Statements and pools have names that stand in the code. Thread-safe. */
final class DatabaseMetrics implements DatabaseTelemetry {

    private record Statement(Timer took, Counter failed) {}

    private record Pool(Timer waited, Counter timedOut) {}

    private final Meters meters;
    private final Map<String, Statement> statements = new ConcurrentHashMap<>();
    private final Map<String, Pool> pools = new ConcurrentHashMap<>();

    DatabaseMetrics(Meters meters) {
        this.meters = meters;
    }

    @Override
    public void executed(String name, long nanos, boolean failed) {
        Statement statement = statements.computeIfAbsent(name, this::statement);
        statement.took.record(nanos, TimeUnit.NANOSECONDS);
        if (failed) {
            statement.failed.increment();
        }
    }

    private Statement statement(String name) {
        return new Statement(
                meters.timer(
                        "agentpipe.database.query",
                        "A statement, by what it is for",
                        Meters.LATENCY,
                        "statement",
                        name),
                meters.counter("agentpipe.database.query.failures", null, "Statements that failed", "statement", name));
    }

    @Override
    public void connected(String pool, long waitedNanos) {
        pool(pool).waited.record(waitedNanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void timedOut(String pool) {
        pool(pool).timedOut.increment();
    }

    private Pool pool(String name) {
        return pools.computeIfAbsent(
                name,
                unseen -> new Pool(
                        meters.timer(
                                "agentpipe.database.pool.wait",
                                "How long threads waited for a connection",
                                Meters.LATENCY,
                                "pool",
                                unseen),
                        meters.counter(
                                "agentpipe.database.pool.timeouts",
                                null,
                                "Waits for a connection that were in vain",
                                "pool",
                                unseen)));
    }
}
