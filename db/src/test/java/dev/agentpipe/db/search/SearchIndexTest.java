package dev.agentpipe.db.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.ReadResult;
import dev.agentpipe.core.event.ReadResult.Item.Accepted;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.db.search.Search.Filters;
import dev.agentpipe.db.search.Search.Request;
import dev.agentpipe.db.search.Search.Results;
import dev.agentpipe.db.search.Search.Sort;
import dev.agentpipe.db.search.text.SearchQuery;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

final class SearchIndexTest {

    private final String url = TestPostgres.newDatabase();
    private Database database = Database.open(TestPostgres.settings(url));
    private final TestRows rows = new TestRows(url);
    private final EventReader reader = new EventReader(EventLimits.DEFAULT, Clock.systemUTC());

    @AfterEach
    void close() {
        rows.close();
        database.close();
    }

    @Test
    void steps_bringTheIndexToTheHead_eachMessageOnce() {
        started("c", "the prompt");
        for (int i = 0; i < 1_200; i++) {
            message("c", "m" + i, "word" + i % 7);
        }

        assertTrue(stepsToTheEnd() > 3);

        assertEquals("1200", rows.value("select count(*) from search_documents where part = 0"));
        assertEquals("1", rows.value("select count(*) from search_documents where part < 0"));
        assertEquals("0", rows.value("select log_head() - position from search_index"));
        assertEquals(1, database.searchIndex().step().position() - head() + 1);
        assertEquals("1201", rows.value("select count(*) from search_documents"));
    }

    @Test
    void step_thatIsCutOff_isDoneAgain() {
        for (int i = 0; i < 700; i++) {
            message("c", "m" + i, "word" + i);
        }
        database.searchIndex().step();
        // What a server that is killed in its step leaves: nothing, since PostgreSQL takes it back.
        rows.run("begin");
        rows.run("update search_index set position = 690");
        rows.run("rollback");
        database.close();
        database = Database.open(TestPostgres.settings(url));

        stepsToTheEnd();

        assertEquals("700", rows.value("select count(distinct position) from search_documents"));
        assertEquals("700", rows.value("select count(*) from search_documents"));
    }

    @Test
    void ofTwoServers_oneWorks_andTheOtherOneGoesOn() throws SQLException {
        message("c", "m", "word");
        try (Connection other = TestPostgres.connect(url);
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("select pg_advisory_xact_lock(" + 0x6167_656e_7470_6971L + ")");

            assertFalse(database.searchIndex().step().isMine());
            assertEquals("0", rows.value("select count(*) from search_documents"));
            assertEquals(1, found("word").total(), "found all the same");
        }
        stepsToTheEnd();
        try (Database second = Database.open(TestPostgres.settings(url))) {
            message("c", "m2", "word");
            assertTrue(second.searchIndex().step().isMine());
        }
        assertEquals("2", rows.value("select count(*) from search_documents"));
    }

    @Test
    void messagesOfAnUpload_areFoundByItsEvent_inSteps() {
        message("c", "live", "word");
        upload("c", 1_100);
        message("c", "later", "word");

        stepsToTheEnd();

        assertEquals("1102", rows.value("select count(*) from search_documents where part = 0"));
        assertEquals("1", rows.value("select count(*) from search_documents where part < 0"), "its prompt");
        assertEquals("0", rows.value("select within from search_index"));
    }

    @Test
    void tail_isSearchedWithoutTheIndex_andSaysWhereItEnds() {
        started("c", "zebra");
        message("c", "m1", "alpha beta");
        Results results = found("alpha");
        assertEquals(1, results.total());
        assertTrue(results.isComplete());
        assertEquals(head(), results.position());
        assertEquals(1, found("zebra").total());
        assertEquals(0, found("alpha -beta").total());

        for (int i = 0; i < 500; i++) {
            message("c", "more" + i, "gamma" + i);
        }
        assertEquals(1, found("gamma499").total(), "the newest");
        assertFalse(found("gamma499").isComplete());
        assertEquals(0, found("gamma499").position(), "what the index has");
        stepsToTheEnd();
        assertTrue(found("alpha").isComplete());
        assertEquals(1, found("alpha").total());
    }

    @Test
    void newDescription_takesThePlaceOfTheOldOne() {
        message("c", "m", "hello");
        stepsToTheEnd();
        started("c", "alpha prompt");
        stepsToTheEnd();
        completed("c", "beta summary");
        stepsToTheEnd();

        assertEquals(1, found("alpha beta").total());
        assertEquals("1", rows.value("select count(*) from search_documents where part < 0"));
        assertEquals(
                List.of("initialPrompt", "summary"),
                found("alpha beta").results().get(0).excerpts().stream()
                        .map(Search.Excerpt::field)
                        .toList());
    }

    @Test
    void deletedConversation_leavesNothing_evenIfItWasBeingIndexed() {
        message("c", "m", "secret");
        message("d", "n", "secret");
        stepsToTheEnd();
        rows.run("create table kept as select * from search_documents where conversation_id = 'c'");
        rows.run("delete from messages where conversation_id = 'c'");
        rows.run("delete from conversations where id = 'c'");
        assertEquals(List.of("d"), ids(found("secret")));
        assertEquals("1", rows.value("select count(*) from search_documents"));

        // A step that had read the message before it was deleted writes its document afterwards.
        rows.run("insert into search_documents select * from kept");
        append("conversation.deleted", "c");
        assertEquals(List.of("d"), ids(found("secret")), "a document without a conversation shows nothing");
        stepsToTheEnd();
        assertEquals("1", rows.value("select count(*) from search_documents"));
    }

    @Test
    void indexBehindTheFloor_isMadeAnewFromWhatIsStored() {
        started("a", "prompt of a");
        for (int i = 0; i < 600; i++) {
            message("a", "a" + i, "word");
        }
        message("b", "b", "word");
        stepsToTheEnd();
        rows.run("delete from search_documents where position > 100");
        rows.run("update search_index set position = 5");
        rows.run("update event_log set floor = 300");
        rows.run("delete from events where position <= 300");
        message("b", "b2", "word");

        assertFalse(found("word").isComplete());
        stepsToTheEnd();

        assertEquals("602", rows.value("select count(*) from search_documents where part = 0"));
        assertEquals("1", rows.value("select count(*) from search_documents where part < 0"));
        assertTrue(found("word").isComplete());
    }

    @Test
    void indexOfOlderRules_isMadeAnew_andOfNewerOnesLeftAlone() {
        message("a", "a", "word");
        message("b", "b", "word");
        stepsToTheEnd();
        rows.run("update search_index set analysis = 0");
        rows.run("update search_documents set words = 'old'");

        stepsToTheEnd();
        assertEquals("0", rows.value("select count(*) from search_documents where words @@ 'old'"));
        assertEquals("2", rows.value("select count(*) from search_documents"));

        rows.run("update search_index set analysis = 1000");
        message("b", "b2", "word");
        assertFalse(database.searchIndex().step().isMine());
        assertFalse(found("word").isComplete());
    }

    @Test
    void textThatCannotBeIndexed_isLeftOut_andTheOthersAreNot() {
        for (int i = 0; i < 20; i++) {
            message("c", "m" + i, i == 11 ? "poison" : "word" + i);
        }
        rows.run("alter table search_documents add constraint poison check (not words @@ 'poison')");

        stepsToTheEnd();

        assertEquals("20", rows.value("select count(*) from search_documents"));
        assertEquals("1", rows.value("select count(*) from search_documents where words = ''"));
        assertEquals(1, found("word19").total());
    }

    @Test
    void anyText_hasDocumentsThatPostgresTakes() {
        List<String> texts = new ArrayList<>();
        texts.add("'quotes' \\backslash\\ \\' :* & | ! <-> () {} \"");
        texts.add("x".repeat(1_000_000));
        texts.add("é".repeat(500_000));
        texts.add("ab ".repeat(300_000));
        texts.add("\uD83D\uDE80".repeat(200_000));
        texts.add("中".repeat(300_000));
        StringBuilder different = new StringBuilder();
        for (int i = 0; i < 120_000; i++) {
            different.append(Integer.toString(i, 36)).append("é ");
        }
        texts.add(different.toString());
        StringBuilder all = new StringBuilder();
        for (int c = 1; c < 0x20000; c++) {
            if (c < 0xD800 || c > 0xDFFF) {
                all.appendCodePoint(c).append(c % 5 == 0 ? " " : "");
            }
        }
        texts.add(all.toString());
        for (int i = 0; i < texts.size(); i++) {
            message("c", "m" + i, texts.get(i));
        }

        stepsToTheEnd();

        assertEquals("0", rows.value("select count(*) from search_documents where words = ''"));
        assertEquals(
                Integer.toString(texts.size()), rows.value("select count(distinct position) from search_documents"));
        assertEquals(1, found("\"2m7é 2m8é\"").total());
    }

    @Test
    void commonWord_isAnsweredFromTheNewest_asALowerBound() {
        for (int c = 0; c < 30; c++) {
            List<String> contents = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                contents.add("common " + (c == 0 && i == 0 ? "oldest" : "x" + i));
            }
            messages("c" + c, contents);
        }
        started("c0", "prompt");
        stepsToTheEnd();

        Results common = found("common");
        assertTrue(common.totalIsLowerBound());
        assertEquals(10, common.total(), "1,000 messages of 100 each");
        assertFalse(ids(common).contains("c0"));
        Results rare = found("common oldest");
        assertFalse(rare.totalIsLowerBound());
        assertEquals(List.of("c0"), ids(rare));
        Results filtered = database.search()
                .find(new Request(
                        SearchQuery.parse("common", false),
                        new Filters(List.of(), List.of("claude"), List.of(), null, null, null, null, null, null),
                        Sort.RELEVANCE,
                        true,
                        0,
                        100));
        assertEquals(List.of("c0"), ids(filtered), "old, but the only one that passes");
        assertFalse(filtered.totalIsLowerBound());
    }

    private int stepsToTheEnd() {
        int steps = 0;
        while (!database.searchIndex().step().isDone()) {
            assertTrue(++steps < 1_000);
        }
        return steps;
    }

    private long head() {
        return database.eventLog().state().head();
    }

    private Results found(String query) {
        return database.search()
                .find(new Request(SearchQuery.parse(query, false), Filters.NONE, Sort.RELEVANCE, true, 0, 100));
    }

    private static List<String> ids(Results results) {
        return results.results().stream().map(Search.FoundConversation::id).toList();
    }

    private void started(String conversation, String prompt) {
        append(
                "conversation.started",
                Map.of(
                        "conversation_id",
                        conversation,
                        "mode",
                        "round-robin",
                        "initial_prompt",
                        prompt,
                        "participants",
                        List.of(Map.of("agent_type", "claude"))));
    }

    private void completed(String conversation, String summary) {
        append(
                "conversation.completed",
                Map.of(
                        "conversation_id",
                        conversation,
                        "status",
                        "completed",
                        "summary",
                        Map.of("short_text", summary, "text", summary + " at length")));
    }

    private void message(String conversation, String id, String content) {
        append("message.created", message(id, conversation, content, "codex"));
    }

    private static Map<String, Object> message(String id, String conversation, String content, String agent) {
        return Map.of("conversation_id", conversation, "message_id", id, "agent_type", agent, "content", content);
    }

    private void messages(String conversation, List<String> contents) {
        List<Event> events = new ArrayList<>();
        for (String content : contents) {
            events.add(event(
                    "message.created", message(conversation + "-" + events.size(), conversation, content, "codex")));
        }
        database.eventLog().append(events);
    }

    private void append(String type, Map<String, Object> data) {
        database.eventLog().append(List.of(event(type, data)));
    }

    private Event event(String type, Map<String, Object> data) {
        byte[] json = JsonMapper.shared()
                .writeValueAsString(Map.of("type", type, "timestamp", "2026-01-01T00:00:00Z", "data", data))
                .getBytes(StandardCharsets.UTF_8);
        ReadResult.Events read = (ReadResult.Events) reader.readJson(json);
        return ((Accepted) read.items().get(0)).event();
    }

    /** An event of the server's own. */
    private void append(String type, String conversation) {
        rows.run("insert into events (position, type, conversation_id, event_at, payload) select log_head() + 1, '"
                + type + "', '" + conversation + "', now(), '{}'");
    }

    /** Messages have positions, but no events. */
    private void upload(String conversation, int count) {
        rows.run("update conversations set initial_prompt = 'uploaded' where id = '" + conversation + "'");
        rows.run("insert into messages (conversation_id, position, message_id, content, created_at) select '"
                + conversation + "', log_head() + n, 'up' || n, 'uploaded ' || n, now() from generate_series(1, "
                + count + ") as n");
        rows.run("insert into events (position, type, conversation_id, event_at, payload) select log_head() + 1 + "
                + count + ", 'session.uploaded', '" + conversation + "', now(), '{}'");
    }
}
