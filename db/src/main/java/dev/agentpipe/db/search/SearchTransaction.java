package dev.agentpipe.db.search;

import static dev.agentpipe.db.generated.Tables.SEARCH_DOCUMENTS;
import static org.jooq.impl.DSL.condition;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.max;
import static org.jooq.impl.DSL.val;

import dev.agentpipe.db.search.Search.Request;
import dev.agentpipe.db.search.Search.Results;
import dev.agentpipe.db.search.SearchHits.Hit;
import dev.agentpipe.db.search.text.DocumentParts;
import dev.agentpipe.db.search.text.SearchQuery;
import java.util.List;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.SelectConditionStep;
import org.jooq.SortField;
import org.jooq.Table;
import tools.jackson.databind.json.JsonMapper;

/**
 * One search. The index (GIN) knows which documents have the words, in no order, so a word that is in every third message is
 * the hard case: to rank all of them takes seconds. Therefore:
 *
 * <ol>
 *   <li>Matches are counted, up to {@link #COUNTED_MAX}. If there are no more, as with nearly every question, they are
 *       sorted by their positions and ranked: all of them, and the answer is exact, or the newest {@link #HITS_MAX}. Of a
 *       phrase, documents that have its words are counted, up to {@link #LOOKED_AT_MAX}. Where PostgreSQL's statistics
 *       expect far more, nothing is counted.
 *   <li>Else the newest {@link #HITS_MAX} are found, by looks at ranges of positions from the newest to older ones: how
 *       long the next one must be is told by how much the last one had, and how long it may be by the time that it took.
 *       These are ranked; the total is a lower bound.
 *   <li>With filters, as many matches are counted, and their conversations looked up. If even these are too many, it
 *       is the documents of the conversations that pass which are looked at, if they are few, or else the newest that pass.
 *   <li>What the index does not have yet is analyzed here and now: see {@link SearchTail}.
 * </ol>
 *
 * <p>Its time has an end: no range is begun after {@link #BUDGET_NANOS}, and PostgreSQL gives up a statement that takes
 * longer than {@link #STATEMENT_MILLIS_MAX}.
 */
final class SearchTransaction {

    /** Documents that are ranked. */
    static final int HITS_MAX = 1_000;

    /** Documents that are looked up to see how many there are, and which are the newest; a microsecond or two each. */
    private static final int COUNTED_MAX = 5_000;

    /** Documents that are looked at one by one, for a phrase or for whether the filters let their conversation through. */
    private static final int LOOKED_AT_MAX = 20_000;

    /** An estimate may be wrong: only what is far above the limit is not counted at all. */
    private static final int ESTIMATE_FACTOR = 4;

    /** So many times what PostgreSQL expects of a word that its statistics do not know: one of a thousand documents. */
    private static final double KNOWN_SHARE_MIN = 2 / 1_000.0;

    /** The newest documents, by which a beginning of words is taken for common if one of so many has it. */
    private static final int SAMPLE = 2_000;

    private static final int COMMON_SHARE = 50;

    /** Conversations that are few enough to look at all that they have of a word. */
    private static final int CONVERSATIONS_MAX = 1_000;

    private static final long RANGE_MIN = 8_192;
    private static final int RANGE_GROWTH_MAX = 16;

    /** Matches do not lie evenly. */
    private static final double RANGE_RESERVE = 1.25;

    private static final long BUDGET_NANOS = 300_000_000;
    private static final int STATEMENT_MILLIS_MAX = 3_000;

    /** Room for the places of a word that is everywhere: with less, PostgreSQL keeps pages and looks at all on them. */
    private static final String WORK_MEM = "16MB";

    /** Those of a description count more, see {@link DocumentParts.Weight}. PostgreSQL wants them from D to A. */
    private static final String WEIGHTS = "{0.2, 0.2, 0.5, 1}";

    /** Divides by the logarithm of the length. */
    private static final int NORMALIZATION = 1;

    private final DSLContext sql;
    private final Request request;
    private final SearchFilter filter;
    private final SearchHits hits = new SearchHits();
    private boolean isLowerBound;

    SearchTransaction(DSLContext sql, Request request) {
        this.sql = sql;
        this.request = request;
        this.filter = new SearchFilter(request.filters());
    }

    /** Whether words of a document match; the same for those that are not stored yet. */
    static Condition matches(Field<?> words, SearchQuery query) {
        return condition("{0} @@ {1}::tsquery", words, val(query.tsQuery()));
    }

    static Field<Double> rank(Field<?> words, SearchQuery query) {
        return field(
                "ts_rank({0}::real[], {1}, {2}::tsquery, {3})",
                Double.class, val(WEIGHTS), words, val(query.tsQuery()), val(NORMALIZATION));
    }

    Results run() {
        sql.execute("set transaction isolation level repeatable read, read only");
        set("statement_timeout", Integer.toString(STATEMENT_MILLIS_MAX));
        set("jit", "off");
        SearchPage page = new SearchPage(sql, request);
        if (request.query() == null) {
            return page.ofAll(filter);
        }
        Record state = sql.resultQuery("""
                        select position, log_head(), rebuilt_id is null and position >= floor
                            and (analysis = {0} or analysis = 0 and position = 0)
                        from search_index, event_log""", val(DocumentParts.VERSION)).fetchSingle();
        long indexed = state.get(0, Long.class);
        long head = state.get(1, Long.class);
        SearchTail tail = new SearchTail(sql, request.query(), indexed, head);
        if (!request.query().isEmpty()) {
            // How common the words are decides about the plan; to read all documents is never the right one.
            set("plan_cache_mode", "force_custom_plan");
            set("enable_seqscan", "off");
            set("work_mem", WORK_MEM);
            findIndexed();
            set("enable_seqscan", "on");
            tail.find(filter, hits);
        }
        boolean isComplete = state.get(2, Boolean.class) && tail.isComplete();
        return page.ofHits(hits, isLowerBound, isComplete ? head : indexed, isComplete);
    }

    private void set(String setting, String value) {
        sql.select(field("set_config({0}, {1}, true)", val(setting), val(value)))
                .fetch();
    }

    private void findIndexed() {
        SearchQuery query = request.query();
        Condition matches = matches(SEARCH_DOCUMENTS.WORDS, query);
        Condition passes = filter.ofDocument();
        if (query.hasShortPrefix() && isCommon()) {
            isLowerBound = true;
            // As a function, not as an operator: to gather all that begins so from the index takes longer than to look.
            findNewest(condition("ts_match_vq({0}, {1}::tsquery)", SEARCH_DOCUMENTS.WORDS, val(query.tsQuery()))
                    .and(passes));
            return;
        }
        int lookedAtMax = filter.isEmpty() && !query.hasPhrase() ? COUNTED_MAX : LOOKED_AT_MAX;
        int candidates = isSurelyMoreThan(lookedAtMax) ? Integer.MAX_VALUE : candidates(lookedAtMax);
        // Not an index's order: PostgreSQL might rather walk along all positions than look the words up.
        SortField<?> newest =
                field("{0} + 0", Long.class, SEARCH_DOCUMENTS.POSITION).desc();
        if (candidates <= lookedAtMax) {
            fetch(matches.and(passes), newest, HITS_MAX);
            return;
        }
        if (!filter.isEmpty()) {
            List<String> ids = filter.passing(sql, CONVERSATIONS_MAX + 1);
            if (ids.size() <= CONVERSATIONS_MAX) {
                fetch(matches.and(SEARCH_DOCUMENTS.CONVERSATION_ID.in(ids)), newest, HITS_MAX);
                return;
            }
        }
        isLowerBound = true;
        findNewest(matches.and(passes));
    }

    /** By PostgreSQL's statistics, which know the common words and of the others nothing. */
    private boolean isSurelyMoreThan(int max) {
        long expected = estimate();
        if (expected <= ESTIMATE_FACTOR * (long) max) {
            return false;
        }
        double all = sql.resultQuery(
                        "select reltuples from pg_class where oid = {0}::regclass", val("search_documents"))
                .fetchSingle()
                .get(0, Double.class);
        return expected > KNOWN_SHARE_MIN * all;
    }

    /** How many documents PostgreSQL expects to have all words. */
    private long estimate() {
        String plan = sql.resultQuery("explain (format json) {0}", candidates())
                .fetchSingle()
                .get(0, String.class);
        return JsonMapper.shared().readTree(plan).at("/0/Plan/Plan Rows").longValue();
    }

    private int candidates(int max) {
        return sql.select(count())
                .from(candidates().limit(max + 1))
                .fetchSingle()
                .value1();
    }

    private SelectConditionStep<?> candidates() {
        return sql.selectOne()
                .from(SEARCH_DOCUMENTS)
                .where(condition(
                        "{0} @@ {1}::tsquery",
                        SEARCH_DOCUMENTS.WORDS, val(request.query().wordsTsQuery())));
    }

    /** Whether many of the newest documents match. */
    private boolean isCommon() {
        int sample = sql.select(count().filterWhere(condition(
                        "ts_match_vq(words, {0}::tsquery)", val(request.query().tsQuery()))))
                .from(sql.select(SEARCH_DOCUMENTS.WORDS)
                        .from(SEARCH_DOCUMENTS)
                        .orderBy(SEARCH_DOCUMENTS.POSITION.desc())
                        .limit(SAMPLE))
                .fetchSingle()
                .value1();
        return sample >= SAMPLE / COMMON_SHARE;
    }

    private void findNewest(Condition condition) {
        long end = System.nanoTime() + BUDGET_NANOS;
        Long last = sql.select(max(SEARCH_DOCUMENTS.POSITION))
                .from(SEARCH_DOCUMENTS)
                .fetchSingle()
                .value1();
        long upTo = last == null ? -1 : last;
        long range = RANGE_MIN;
        long left = BUDGET_NANOS;
        while (upTo >= 0 && hits.count() < HITS_MAX && left > 0) {
            int before = hits.count();
            Condition inRange = SEARCH_DOCUMENTS.POSITION.gt(upTo - range).and(SEARCH_DOCUMENTS.POSITION.le(upTo));
            fetch(condition.and(inRange), SEARCH_DOCUMENTS.POSITION.desc(), HITS_MAX - before);
            upTo -= range;
            long took = left - (end - System.nanoTime());
            left -= took;
            range = nextRange(range, hits.count() - before, HITS_MAX - hits.count(), took, left);
        }
    }

    private static long nextRange(long range, int found, int missing, long tookNanos, long leftNanos) {
        double wanted = found == 0 ? Double.MAX_VALUE : RANGE_RESERVE * range * missing / found;
        double affordable = (double) range * leftNanos / tookNanos;
        return (long) Math.max(RANGE_MIN, Math.min(Math.min(wanted, affordable), (double) RANGE_GROWTH_MAX * range));
    }

    /** @param max of them at the most; that there are more is noted */
    private void fetch(Condition condition, SortField<?> order, int max) {
        // Ranked is what is left of them: the inner limit keeps PostgreSQL from ranking first.
        Table<?> found = sql.select(
                        SEARCH_DOCUMENTS.CONVERSATION_ID,
                        SEARCH_DOCUMENTS.POSITION,
                        SEARCH_DOCUMENTS.PART,
                        SEARCH_DOCUMENTS.CHARS_FROM,
                        SEARCH_DOCUMENTS.CHARS,
                        SEARCH_DOCUMENTS.WORDS)
                .from(SEARCH_DOCUMENTS)
                .where(condition)
                .orderBy(order)
                .limit(max + 1)
                .asTable("found");
        List<Hit> rows = sql.select(
                        found.field(SEARCH_DOCUMENTS.CONVERSATION_ID),
                        found.field(SEARCH_DOCUMENTS.POSITION),
                        found.field(SEARCH_DOCUMENTS.PART),
                        found.field(SEARCH_DOCUMENTS.CHARS_FROM),
                        found.field(SEARCH_DOCUMENTS.CHARS),
                        rank(found.field(SEARCH_DOCUMENTS.WORDS), request.query()))
                .from(found)
                .fetch(row ->
                        new Hit(row.value1(), row.value2(), row.value3(), row.value4(), row.value5(), row.value6()));
        isLowerBound |= rows.size() > max;
        rows.stream().limit(max).forEach(hits::add);
    }
}
