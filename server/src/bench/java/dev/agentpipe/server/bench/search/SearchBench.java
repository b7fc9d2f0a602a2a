package dev.agentpipe.server.bench.search;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.ReadResult;
import dev.agentpipe.core.event.ReadResult.Item.Accepted;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.local.LocalPostgres;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.db.search.Search;
import dev.agentpipe.db.search.Search.Filters;
import dev.agentpipe.db.search.Search.Sort;
import dev.agentpipe.db.search.SearchIndex;
import dev.agentpipe.db.search.text.SearchQuery;
import dev.agentpipe.server.http.Json;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntFunction;
import org.HdrHistogram.Histogram;
import org.slf4j.LoggerFactory;

/**
 * {@code bin/bench search FOLDER|URL [MESSAGES]}: fills a PostgreSQL of its own in the folder, or the one at the URL, with
 * messages (a million), or takes those that are there, indexes them, and measures searches: words by how common they are, phrases, prefixes, Chinese,
 * filters. Processor times are those of this process and of PostgreSQL together.
 */
public final class SearchBench {

    private static final int MESSAGES_DEFAULT = 1_000_000;
    private static final int MESSAGES_A_CONVERSATION = 10;
    private static final int BATCH = 512;
    private static final int SEARCHES = 60;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final PrintStream OUT = System.out;

    private final Database database;
    /** By which PostgreSQL's processes are known. */
    private final String folder;

    private final Vocabulary vocabulary = new Vocabulary(42);

    private SearchBench(Database database, String folder) {
        this.database = database;
        this.folder = folder;
    }

    public static void main(String[] args) {
        ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
        int messages = args.length > 1 ? Integer.parseInt(args[1]) : MESSAGES_DEFAULT;
        if (args[0].startsWith("postgresql://")) {
            DatabaseSettings settings = DatabaseSettings.of(args[0], null, 1, 4, TIMEOUT);
            measure(settings, args[0], messages);
            return;
        }
        Path folder = Path.of(args[0]).toAbsolutePath();
        try (LocalPostgres postgres = LocalPostgres.start(folder.resolve("postgres"))) {
            measure(postgres.settings(1, 4, TIMEOUT), folder.toString(), messages);
        }
    }

    private static void measure(DatabaseSettings settings, String folder, int messages) {
        try (Database database = Database.open(settings)) {
            SearchBench bench = new SearchBench(database, folder);
            bench.fill(messages);
            bench.index();
            bench.searches();
        }
    }

    private void fill(int messages) {
        if (database.eventLog().state().head() > 0) {
            return;
        }
        long cpu = cpuMillis();
        long start = System.nanoTime();
        EventReader reader = new EventReader(EventLimits.DEFAULT, Clock.systemUTC());
        List<Event> batch = new ArrayList<>();
        for (int i = 0; i < messages; i++) {
            if (i % MESSAGES_A_CONVERSATION == 0) {
                batch.add(started(reader, i / MESSAGES_A_CONVERSATION));
            }
            batch.add(message(reader, i));
            if (batch.size() >= BATCH || i == messages - 1) {
                database.eventLog().append(batch);
                batch.clear();
            }
        }
        print("append", messages, start, cpu);
    }

    private Event started(EventReader reader, int conversation) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("conversation_id", "conversation-" + conversation);
        data.put("mode", "round-robin");
        data.put("initial_prompt", vocabulary.message());
        String agent = conversation % 3 == 0 ? "claude" : conversation % 3 == 1 ? "gemini" : "codex";
        String model = conversation % 500 == 0 ? "rare-model" : agent + "-large";
        data.put("participants", List.of(Map.of("agent_type", agent, "agent_name", agent, "model", model)));
        return event(reader, "conversation.started", data);
    }

    private Event message(EventReader reader, int number) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("conversation_id", "conversation-" + number / MESSAGES_A_CONVERSATION);
        data.put("message_id", "message-" + number);
        data.put("agent_type", "claude");
        data.put("agent_name", "Claude");
        data.put("content", vocabulary.message());
        data.put("tokens_used", number % 1000);
        data.put("cost", 0.001);
        return event(reader, "message.created", data);
    }

    private static Event event(EventReader reader, String type, Map<String, Object> data) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("type", type);
        event.put("data", data);
        ReadResult.Events read = (ReadResult.Events) reader.readJson(Json.bytes(event));
        return ((Accepted) read.items().get(0)).event();
    }

    private void index() {
        long cpu = cpuMillis();
        long start = System.nanoTime();
        SearchIndex index = database.searchIndex();
        long before = -1;
        SearchIndex.Step step = index.step();
        long first = step.position();
        while (!step.isDone()) {
            step = index.step();
            if (step.position() / 100_000 != before) {
                before = step.position() / 100_000;
                OUT.println("  indexed up to " + step.position());
            }
        }
        if (step.position() > first) {
            print("index", step.position() - first, start, cpu);
        }
    }

    private void searches() {
        OUT.println("search                      n    found    p50 ms   p95 ms   max ms   CPU ms each");
        search("rare word (1 of 100,000)", i -> vocabulary.ofRank(40_000 + 97 * i), Filters.NONE);
        search("selective (1 of 1,000)", i -> vocabulary.ofRank(3_000 + 31 * i), Filters.NONE);
        search("middling (1 of 100)", i -> vocabulary.ofRank(500 + i), Filters.NONE);
        search("common (1 of 10)", i -> vocabulary.ofRank(55 + i % 10), Filters.NONE);
        search("common (3 of 10)", i -> vocabulary.ofRank(14 + i % 5), Filters.NONE);
        search("commonest", i -> vocabulary.ofRank(i % 3), Filters.NONE);
        search("two common", i -> vocabulary.ofRank(14 + i % 5) + " " + vocabulary.ofRank(20 + i % 7), Filters.NONE);
        search(
                "common and selective",
                i -> vocabulary.ofRank(14 + i % 5) + " " + vocabulary.ofRank(3_000 + 31 * i),
                Filters.NONE);
        search("phrase of common", i -> '"' + vocabulary.ofRank(14) + ' ' + vocabulary.ofRank(i) + '"', Filters.NONE);
        search("prefix of 2", i -> vocabulary.ofRank(14 + i % 30).substring(0, 2) + "*", Filters.NONE);
        search("prefix of 5", i -> vocabulary.ofRank(30_000 + i).substring(0, 5) + "*", Filters.NONE);
        search("Chinese pair, common", i -> "的一是不了人我在".substring(i % 6, i % 6 + 2), Filters.NONE);
        search("Chinese, one character", i -> "的一是不了人我在".substring(i % 6, i % 6 + 1), Filters.NONE);
        search("common, excluding", i -> vocabulary.ofRank(14) + " -" + vocabulary.ofRank(i), Filters.NONE);
        search("common, 1 of 3 passes", i -> vocabulary.ofRank(14 + i % 5), model("claude-large"));
        search("common, 1 of 500 passes", i -> vocabulary.ofRank(14 + i % 5), model("rare-model"));
        search("middling, 1 of 3 passes", i -> vocabulary.ofRank(500 + i), model("claude-large"));
        search("nothing but a filter", i -> null, model("claude-large"));
    }

    private static Filters model(String model) {
        return new Filters(List.of(), List.of(), List.of(model), null, null, null, null, null, null);
    }

    private void search(String name, IntFunction<String> query, Filters filters) {
        Histogram micros = new Histogram(3);
        long found = 0;
        long cpu = 0;
        for (int i = -SEARCHES / 6; i < SEARCHES; i++) { // the first to warm up
            if (i == 0) {
                cpu = cpuMillis();
            }
            String text = query.apply(Math.abs(i));
            Search.Request request = new Search.Request(
                    text == null ? null : SearchQuery.parse(text, false), filters, Sort.RELEVANCE, true, 0, 20);
            long start = System.nanoTime();
            Search.Results results = database.search().find(request);
            if (i >= 0) {
                micros.recordValue((System.nanoTime() - start) / 1_000);
                found += results.total();
            }
        }
        OUT.printf(
                Locale.ROOT,
                "%-25s %4d %8d %9.1f %8.1f %8.1f %9.1f%n",
                name,
                SEARCHES,
                found / SEARCHES,
                micros.getValueAtPercentile(50) / 1_000.0,
                micros.getValueAtPercentile(95) / 1_000.0,
                micros.getMaxValue() / 1_000.0,
                (cpuMillis() - cpu) / (double) SEARCHES);
    }

    private void print(String what, long count, long start, long cpu) {
        OUT.printf(
                Locale.ROOT,
                "%s: %d in %.0f s, processor %.0f us each%n",
                what,
                count,
                (System.nanoTime() - start) / 1e9,
                (cpuMillis() - cpu) * 1_000.0 / count);
    }

    /** Of this process, PostgreSQL's first one, and those that it has started. */
    private long cpuMillis() {
        long millis = cpu(ProcessHandle.current());
        for (ProcessHandle first : ProcessHandle.allProcesses()
                .filter(one -> one.info().commandLine().orElse("").contains(folder))
                .filter(one -> !one.equals(ProcessHandle.current()))
                .toList()) {
            millis += cpu(first) + first.children().mapToLong(SearchBench::cpu).sum();
        }
        return millis;
    }

    private static long cpu(ProcessHandle process) {
        return process.info().totalCpuDuration().map(Duration::toMillis).orElse(0L);
    }
}
