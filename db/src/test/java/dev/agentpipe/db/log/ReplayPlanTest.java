package dev.agentpipe.db.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.TestPostgres;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Query;
import org.jooq.SQLDialect;
import org.jooq.SortOrder;
import org.jooq.conf.ParamType;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What replay costs, in a log of a million events: blocks that PostgreSQL touches, and rows that it looks at in vain. Once
 * planned with the values known, once without, as PostgreSQL may do for a statement that it sees often.
 */
final class ReplayPlanTest {

    private static final int HEAD = 1_000_000;
    private static final int PAGE = 512;
    private static final int PAGE_BYTES = 256 << 10;

    /** The MD5 digest of 900-7. */
    private static final String SMALL = "b5d1a2364064fd3a93f9d0f043a86e21";

    private static TestRows rows;
    private static final DSLContext SQL = DSL.using(SQLDialect.POSTGRES);
    private static final PostgresEventLog LOG = new PostgresEventLog(null, SQL);

    enum Planned {
        WITH_VALUES,
        WITHOUT_VALUES
    }

    /** @param rejected rows that were read and did not match */
    private record Cost(long blocks, long rejected, Set<String> nodes) {}

    /**
     * Three of ten events belong to one conversation, which has ended in the middle of the log; the others to conversations
     * of 100 events each. One of a hundred is a log entry; there are three errors, and three tests of a bridge at the
     * beginning.
     */
    @BeforeAll
    static void fill() {
        String url = TestPostgres.newDatabase();
        Database.open(TestPostgres.settings(url)).close();
        rows = new TestRows(url);
        rows.run("alter table events set unlogged, drop constraint events_pkey");
        rows.run("drop index events_conversation, events_rare_type");
        rows.run("""
                insert into events (position, type, conversation_id, event_at, payload)
                select n,
                    case when n <= 3 then 'bridge.test' when n in (1000, 2000, 600000) then 'conversation.error'
                        when mod(n, 100) = 0 then 'log.entry' else 'message.created' end,
                    case when n <= 500000 and mod(n, 10) < 6 then 'big' else md5(n / 1000 || '-' || mod(n, 10)) end,
                    now(), repeat('x', 200)
                from generate_series(1, %d) as n
                """.formatted(HEAD));
        rows.run("alter table events add primary key (position)");
        rows.run("create index events_conversation on events (conversation_id, position)");
        rows.run("create index events_rare_type on events (type, position) where type <> 'message.created'");
        rows.run("analyze events");
        rows.run("vacuum event_log");
    }

    @AfterAll
    static void close() {
        rows.close();
    }

    @ParameterizedTest
    @EnumSource
    void all_costsAPage(Planned planned) {
        assertCost(read(planned, HEAD - 10, EventFilter.ALL), 12, 0, "events_pkey");
        assertCost(read(planned, HEAD - 50_000, EventFilter.ALL), 40, 0, "events_pkey");
        assertCost(read(planned, HEAD, EventFilter.ALL), 8, 0, "events_pkey");
        assertCost(beforeLast(planned, 1_000, EventFilter.ALL), 70, 0, "events_pkey");
    }

    @ParameterizedTest
    @EnumSource
    void conversation_costsWhatItHas(Planned planned) {
        EventFilter small = ofConversations(SMALL);
        assertCost(read(planned, 0, small), 70, 0, "events_conversation");
        assertCost(read(planned, 950_000, small), 10, 0, "events_conversation");
        assertCost(beforeLast(planned, 1_000, small), 70, 0, "events_conversation");
        assertCost(read(planned, 0, ofConversations("nobody")), 10, 0, "events_conversation");
    }

    /** A plan that waits for its events along the log would look at half a million others. */
    @ParameterizedTest
    @EnumSource
    void largeConversationWithNothingNew_costsNothing(Planned planned) {
        assertCost(read(planned, 500_000, ofConversations("big")), 10, 0, "events_conversation");
        assertCost(beforeLast(planned, 10, ofConversations("big")), 20, 0, "events_conversation");
        assertCost(beforeLast(planned, 0, ofConversations("big")), 10, 0, "events_conversation");
    }

    @ParameterizedTest
    @EnumSource
    void manyConversations_costWhatTheyHave(Planned planned) {
        EventFilter hundred = ofConversations(
                rows
                        .rows("select conversation_id from events where position > 900000 and mod(position, 1000) = 7")
                        .stream()
                        .map(row -> row.get("conversation_id"))
                        .toArray(String[]::new));
        assertCost(read(planned, HEAD - 10_000, hundred), 1_600, 0, "events_conversation");
        assertCost(read(planned, HEAD, hundred), 700, 0, "events_conversation");
    }

    @ParameterizedTest
    @EnumSource
    void rareTypes_costWhatThereIs(Planned planned) {
        EventFilter rare = ofTypes(EventType.BRIDGE_TEST, EventType.CONVERSATION_ERROR);
        assertCost(read(planned, 0, rare), 30, 0, "events_rare_type");
        assertCost(read(planned, 600_000, rare), 15, 0, "events_rare_type");
        assertCost(beforeLast(planned, 1_000, rare), 30, 0, "events_rare_type");
        assertCost(beforeLast(planned, 10, ofTypes(EventType.LOG_ENTRY)), 20, 0, "events_rare_type");
        assertCost(beforeLast(planned, 10, ofTypes(EventType.CONVERSATION_STARTED)), 20, 0, "events_rare_type");
    }

    @ParameterizedTest
    @EnumSource
    void commonestType_isFoundOnTheWay(Planned planned) {
        EventFilter messages = ofTypes(EventType.MESSAGE_CREATED, EventType.CONVERSATION_ERROR);
        assertCost(read(planned, HEAD - 50_000, messages), 50, 10, "events_pkey");
        assertCost(beforeLast(planned, 1_000, messages), 80, 20, "events_pkey");
    }

    /** Neither the log nor a large conversation is walked through for a match that may not be there. */
    @ParameterizedTest
    @EnumSource
    void typeInConversation_looksAtSoManyAndNoMore(Planned planned) {
        EventFilter small = new EventFilter(Set.of(SMALL), Set.of(EventType.CONVERSATION_ERROR));
        assertCost(read(planned, 880_000, small), 70, 100, "events_conversation");
        assertCost(beforeLast(planned, 10, small), 70, 100, "events_conversation");

        EventFilter big = new EventFilter(Set.of("big"), Set.of(EventType.CONVERSATION_STARTED));
        int most = MatchingRecords.LOOKED_AT_MAX;
        assertCost(read(planned, 0, big), 2_500, most, "events_conversation");
        assertCost(beforeLast(planned, 10, big), 2_500, most, "events_conversation");
    }

    private static EventFilter ofConversations(String... ids) {
        return new EventFilter(Set.of(ids), Set.of());
    }

    private static EventFilter ofTypes(EventType... types) {
        return new EventFilter(Set.of(), Set.of(types));
    }

    private static void assertCost(Cost cost, int blocksMax, int rejectedMax, String index) {
        assertTrue(cost.blocks <= blocksMax, cost::toString);
        assertTrue(cost.rejected <= rejectedMax, cost::toString);
        assertTrue(cost.nodes.contains(index), cost::toString);
        assertEquals(
                Set.of(),
                cost.nodes.stream().filter("Seq Scan on events"::equals).collect(Collectors.toSet()));
    }

    private static Cost read(Planned planned, long after, EventFilter filter) {
        MatchingRecords matching = new MatchingRecords(filter, SortOrder.ASC, PAGE);
        return cost(planned, LOG.pageOf(matching.between(after, matching.endOf(after, HEAD)), PAGE_BYTES));
    }

    private static Cost beforeLast(Planned planned, int count, EventFilter filter) {
        return cost(planned, LOG.beforeFirstOf(new MatchingRecords(filter, SortOrder.DESC, count).between(0, HEAD)));
    }

    private static Cost cost(Planned planned, Query query) {
        rows.run("set plan_cache_mode = "
                + (planned == Planned.WITH_VALUES ? "force_custom_plan" : "force_generic_plan"));
        rows.run("prepare replay as " + query.getSQL(ParamType.NAMED).replaceAll(":(\\d+)", "\\$$1"));
        String values =
                query.getBindValues().stream().map(ReplayPlanTest::literal).collect(Collectors.joining(", "));
        String explained =
                rows.value("explain (analyze, buffers, timing off, format json) execute replay (" + values + ")");
        rows.run("deallocate replay");
        JsonNode plan = JsonMapper.shared().readTree(explained).get(0).get("Plan");
        List<JsonNode> nodes = new ArrayList<>();
        collect(plan, nodes);
        return new Cost(
                plan.get("Shared Hit Blocks").asLong()
                        + plan.get("Shared Read Blocks").asLong(),
                nodes.stream()
                        .mapToLong(node -> node.path("Rows Removed by Filter").asLong()
                                * node.path("Actual Loops").asLong())
                        .sum(),
                nodes.stream()
                        .map(node -> node.has("Index Name")
                                ? node.get("Index Name").asString()
                                : node.get("Node Type").asString() + " on "
                                        + node.path("Relation Name").asString())
                        .collect(Collectors.toSet()));
    }

    private static String literal(Object value) {
        return value instanceof Object[] array
                ? "array[" + Arrays.stream(array).map(ReplayPlanTest::literal).collect(Collectors.joining(", ")) + "]"
                : value instanceof String text ? "'" + text + "'" : value.toString();
    }

    private static void collect(JsonNode node, List<JsonNode> nodes) {
        nodes.add(node);
        node.path("Plans").forEach(child -> collect(child, nodes));
    }
}
