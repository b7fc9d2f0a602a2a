package dev.agentpipe.db.conversations;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.conversations.ConversationOrder.By;
import dev.agentpipe.db.local.TestPostgres;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jooq.Query;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the reads of conversations cost among 100,000 conversations and a million messages: blocks that PostgreSQL touches,
 * and never a walk over a table.
 */
final class ConversationPlanTest {

    private static final Set<String> BIG_TABLES = Set.of("conversations", "messages", "conversation_agents", "events");

    /** A walk over one of the indexes of lists. */
    private static final int WHOLE_INDEX = 3_000;

    private static TestRows rows;

    @BeforeAll
    static void fill() {
        String url = TestPostgres.newDatabase();
        Database.open(TestPostgres.settings(url)).close();
        rows = new TestRows(url);
        SeededConversations.fill(rows);
        ReadTransaction.SETTINGS.forEach((setting, value) -> rows.run("set " + setting + " = '" + value + "'"));
    }

    @AfterAll
    static void close() {
        rows.close();
    }

    private static ConversationFilter filter(String status, String mode, String agentType, String model) {
        return new ConversationFilter(
                Stream.ofNullable(status).toList(),
                Optional.ofNullable(mode),
                Optional.empty(),
                Optional.ofNullable(agentType),
                Optional.ofNullable(model),
                Optional.empty(),
                Optional.empty());
    }

    private static ConversationFilter between(String from, String to) {
        return new ConversationFilter(
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.of(Instant.parse(from)),
                Optional.of(Instant.parse(to)));
    }

    /** A place in the middle of the list. */
    private static ConversationPlace middle(By by) {
        return new ConversationPlace(
                switch (by) {
                    case CREATED_AT, STARTED_AT ->
                        BigDecimal.valueOf(Instant.parse("2026-06-01T00:00:00Z").getEpochSecond() * 1_000_000);
                    case TOTAL_MESSAGES -> BigDecimal.TEN;
                    case TOTAL_TOKENS -> BigDecimal.valueOf(50_000);
                    case TOTAL_COST -> new BigDecimal("0.5");
                    case TOTAL_DURATION -> BigDecimal.valueOf(5_000);
                },
                "8");
    }

    @ParameterizedTest
    @EnumSource
    void page_costsWhatItHas_inAnyOrder_atAnyDepth(By by) {
        for (boolean isDescending : new boolean[] {true, false}) {
            ConversationOrder order = new ConversationOrder(by, isDescending);
            ConversationListing all = new ConversationListing(ConversationFilter.ALL, order);
            // The ACTIVE ones are looked at one by one, 500 of them.
            boolean isMerged = by != By.CREATED_AT && by != By.STARTED_AT;
            assertCost(all.page(null, 0, 21), isMerged ? 700 : 30);
            assertCost(all.page(middle(by), 0, 21), isMerged ? 700 : 30);
            assertCost(all.page(null, 10_000, 21), isMerged ? 1_000 : 600);
            assertCost(
                    new ConversationListing(filter("COMPLETED", "reactive", null, null), order).page(null, 0, 21),
                    isMerged ? 1_200 : 100);
        }
    }

    @ParameterizedTest
    @EnumSource
    void page_ofFew_costsNoMoreThanAnIndex(By by) {
        ConversationOrder order = new ConversationOrder(by, true);
        assertCost(new ConversationListing(filter("ERROR", null, null, null), order).page(null, 0, 101), WHOLE_INDEX);
        assertCost(new ConversationListing(filter("ERROR", "none", null, null), order).page(null, 0, 101), WHOLE_INDEX);
        assertCost(
                new ConversationListing(between("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"), order)
                        .page(null, 0, 101),
                WHOLE_INDEX);
        assertCost(new ConversationListing(filter("ACTIVE", null, null, null), order).page(null, 0, 101), WHOLE_INDEX);
    }

    @ParameterizedTest
    @EnumSource
    void page_ofParticipants_beginsWithWhatIsRarer(By by) {
        ConversationOrder order = new ConversationOrder(by, true);
        assertCost(new ConversationListing(filter(null, null, "claude", null), order).page(null, 0, 21), 3_000);
        assertCost(new ConversationListing(filter(null, null, "rare", null), order).page(null, 0, 21), 1_500);
        assertCost(new ConversationListing(filter(null, null, null, "rare-1"), order).page(null, 0, 21), 1_500);
        assertCost(new ConversationListing(filter(null, null, "rare", "rare-1"), order).page(null, 0, 21), 1_500);
        assertCost(new ConversationListing(filter(null, null, "claude", "claude-1"), order).page(null, 0, 21), 3_000);
        assertCost(new ConversationListing(filter(null, null, "claude", "gemini-x"), order).page(null, 0, 21), 3_000);
    }

    @Test
    void total_looksAtNoTable() {
        ConversationOrder order = new ConversationOrder(By.CREATED_AT, true);
        assertCost(new ConversationListing(ConversationFilter.ALL, order).total(), WHOLE_INDEX);
        assertCost(new ConversationListing(filter("ERROR", "reactive", null, null), order).total(), WHOLE_INDEX);
        assertCost(new ConversationListing(between("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"), order).total(), 50);
        assertCost(new ConversationListing(filter(null, null, "rare", null), order).total(), 1_000);
    }

    /** It ends at a count that is shown as "at least". */
    @Test
    void total_ofCommonParticipants_isBounded() {
        ConversationOrder order = new ConversationOrder(By.CREATED_AT, true);
        assertCost(new ConversationListing(filter(null, null, "claude", null), order).total(), 2_000);
        assertCost(new ConversationListing(filter("COMPLETED", null, "claude", "claude-1"), order).total(), 60_000);
    }

    @Test
    void rowsOfAPage_areFoundByTheirIds() {
        ConversationOrder order = new ConversationOrder(By.TOTAL_COST, true);
        assertCost(
                Conversations.listed(
                        new ConversationListing(ConversationFilter.ALL, order)
                                .page(null, 0, 101)
                                .asTable("places"),
                        order),
                1_500);
        List<String> ids = rows.rows("select id from conversations where created_at < '2026-01-01 05:00' ").stream()
                .map(row -> row.get("id"))
                .toList();
        assertTrue(ids.size() > 50);
        assertCost(Conversations.participantsOf(ids), 5 * ids.size());
    }

    @Test
    void messages_areSortedInTheIndex_andOnlyThoseOfThePageAreRead() {
        ConversationMessages messages = new ConversationMessages(DSL.using(SQLDialect.POSTGRES));
        assertCost(messages.places(SeededConversations.BIG, null, 0, 10_001), 200);
        assertCost(messages.places(SeededConversations.BIG, null, 9_000, 51), 200);
        assertCost(messages.places(SeededConversations.HUGE, new MessagePlace(100_000, 0, 0), 0, 51), 3_000);
        List<MessagePlace> places = new ArrayList<>();
        for (long position = 200_080; position < 240_080; position += 80) {
            places.add(new MessagePlace(position, 0, position));
        }
        assertCost(ConversationMessages.rows(SeededConversations.BIG, places), 5 * places.size());
    }

    @Test
    void recent_costsAFewMessagesOfAFewConversations() {
        ConversationMessages messages = new ConversationMessages(DSL.using(SQLDialect.POSTGRES));
        assertCost(messages.recentPlaces("ACTIVE", 50), 2_000);
        assertCost(messages.recentPlaces("COMPLETED", 50), 2_000);
        assertCost(messages.recentPlaces("ERROR", 50), WHOLE_INDEX + 2_000);
    }

    private static void assertCost(Query query, int blocksMax) {
        String sql = DSL.using(SQLDialect.POSTGRES).renderInlined(query);
        String explained = rows.value("explain (analyze, buffers, timing off, format json) " + sql);
        JsonNode plan = JsonMapper.shared().readTree(explained).get(0).get("Plan");
        List<String> walked = new ArrayList<>();
        collectWalked(plan, walked);
        assertEquals(List.of(), walked, explained);
        long blocks = plan.get("Shared Hit Blocks").asLong()
                + plan.get("Shared Read Blocks").asLong();
        assertTrue(blocks <= blocksMax, () -> blocks + " blocks: " + sql + "\n" + explained);
    }

    private static void collectWalked(JsonNode node, List<String> walked) {
        String table = node.path("Relation Name").stringValue("");
        if (node.get("Node Type").stringValue().equals("Seq Scan") && BIG_TABLES.contains(table)) {
            walked.add(table);
        }
        node.path("Plans").forEach(child -> collectWalked(child, walked));
    }
}
