package dev.agentpipe.server.metrics;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.DatabaseStatistics;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What PostgreSQL says of itself: asked now and then, by one thread at a time, and told from what was seen. */
final class DatabaseState {

    private record Seen(DatabaseStatistics statistics, Instant at) {}

    private static final Logger log = LoggerFactory.getLogger(DatabaseState.class);

    private final Supplier<DatabaseStatistics> ask;
    private final Map<MultiGauge, ToLongFunction<DatabaseStatistics.Table>> ofTables = new LinkedHashMap<>();
    private volatile Seen seen;

    DatabaseState(Meters meters, Supplier<DatabaseStatistics> ask) {
        this.ask = ask;
        gauge(meters, "agentpipe.log.head.position", null, "The last position of the log", DatabaseStatistics::head);
        gauge(meters, "agentpipe.log.floor.position", null, "Events up to here are deleted", DatabaseStatistics::floor);
        gauge(
                meters,
                "agentpipe.log.oldest.event.timestamp",
                "seconds",
                "When the oldest event that is kept came",
                one -> one.oldestEvent().map(Instant::getEpochSecond).orElse(null));
        gauge(meters, "agentpipe.database.size", "bytes", "The whole database", DatabaseStatistics::bytes);
        gauge(
                meters,
                "agentpipe.database.connections",
                null,
                "Connections that PostgreSQL has, from all its clients",
                DatabaseStatistics::connections);
        gauge(
                meters,
                "agentpipe.database.connections.limit",
                null,
                "How many it may have",
                DatabaseStatistics::connectionsMax);
        gauge(
                meters,
                "agentpipe.database.oldest.transaction",
                "seconds",
                "How long the oldest transaction has been open",
                one -> one.oldestTransaction().toMillis() / 1e3);
        meters.gauge(
                "agentpipe.database.read.timestamp",
                "seconds",
                "When PostgreSQL was asked for all this",
                () -> seen == null ? null : seen.at.getEpochSecond());
        table(
                meters,
                "agentpipe.database.table.bytes",
                null,
                "A table without indexes",
                DatabaseStatistics.Table::bytes);
        table(
                meters,
                "agentpipe.database.index",
                "bytes",
                "The indexes of a table",
                DatabaseStatistics.Table::indexBytes);
        table(
                meters,
                "agentpipe.database.table.rows",
                null,
                "Rows, as many as PostgreSQL thinks that there are",
                DatabaseStatistics.Table::rows);
        table(
                meters,
                "agentpipe.database.dead",
                "rows",
                "Versions of rows that vacuum has not made free yet",
                DatabaseStatistics.Table::deadRows);
    }

    private void gauge(Meters meters, String name, String unit, String help, Function<DatabaseStatistics, Number> of) {
        meters.gauge(name, unit, help, () -> {
            Seen last = seen;
            return last == null ? null : of.apply(last.statistics);
        });
    }

    private void table(
            Meters meters, String name, String unit, String help, ToLongFunction<DatabaseStatistics.Table> of) {
        ofTables.put(MultiGauge.builder(name).baseUnit(unit).description(help).register(meters.registry()), of);
    }

    /** Blocks for a moment. */
    void look() {
        try {
            DatabaseStatistics statistics = ask.get();
            seen = new Seen(statistics, Instant.now());
            ofTables.forEach((gauge, of) -> gauge.register(
                    statistics.tables().stream()
                            .<MultiGauge.Row<?>>map(
                                    table -> MultiGauge.Row.of(Tags.of("table", table.name()), of.applyAsLong(table)))
                            .toList(),
                    true));
        } catch (LogUnavailableException e) {
            log.debug("PostgreSQL is asked for its state later", e); // whoever needs the database says that it is away
        }
    }
}
