package dev.agentpipe.server.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Await;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What people find, over HTTP, once all is in the index. */
final class SearchTest {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static TestServer server;

    @BeforeAll
    static void talk() {
        server = TestServer.start();
        start("words", "Plan the migration of the Database", "claude", "opus", 10);
        message("words", "w1", "We are running the deployments tonight; café naïve.");
        message("words", "w2", "The quick brown fox jumps over the lazy dog");
        start("code", "Fix the queue", "codex", "gpt-4o", 500);
        message("code", "c1", "Call queue.take() in getUserName, then snake_case_name and dev.agentpipe.core.Main");
        message("code", "c2", "HTTPServer2 is written in C++, not in C# or utf8 at 3.14");
        start("cjk", "北京大学在哪里", "gemini", "pro", 90);
        message("cjk", "j1", "我住在北京，学习中文。東京タワーへ行きましたか");
        message("cjk", "j2", "한국어를 공부합니다 สวัสดีครับ");
        start("emoji", "ship it \uD83D\uDE80", "claude", "sonnet", 7);
        message(
                "emoji",
                "e1",
                "Thumbs \uD83D\uDC4D\uD83C\uDFFD and family \uD83D\uDC69\u200D\uD83D\uDC69\u200D\uD83D\uDC67");
        message("emoji", "e2", "<script>alert('pwned')</script> & <b>bold</b>");
        complete("emoji", "A summary that speaks of zebras");
        awaitIndexed();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            fox                      | words
            FOX Dog                  | words
            fox zebra                |
            running                  | words
            run                      | words
            deployment               | words
            cafe                     | words
            CAFÉ                     | words
            migration                | words
            "quick brown"            | words
            "brown quick"            |
            "lazy dog                | words
            the -fix -quokka -needle | words
            fox -dog                 |
            fox -"dog lazy"          | words
            fox -"lazy dog"          |
            jum*                     | words
            "run"                    | words
            queue.take()             | code
            take                     | code
            getUserName              | code
            getusername              | code
            getUse*                  | code
            username                 |
            "user name"              | code
            snake_case_name          | code
            case                     | code
            dev.agentpipe.core       | code
            agentpipe                | code
            dev.agent*               | code
            HTTPServer2              | code
            server                   | code
            c++                      | code
            C#                       | code
            utf8                     | code
            3.14                     | code
            北京                      | cjk
            京                       | cjk
            学习中文                   | cjk
            京北                      |
            北京大学                   | cjk
            東京タワー                 | cjk
            タワ                      | cjk
            行きました                  | cjk
            한국어                    | cjk
            스와                      |
            ครับ                     | cjk
            \uD83D\uDE80             | emoji
            👍                       | emoji
            👍🏿                      | emoji
            👩‍👩‍👧                   | emoji
            zebras                   | emoji
            zebra                    | emoji
            <script>                 | emoji
            alert('pwned')           | emoji
            pwned'; drop table       |
            a\\b:*&!(                 |
            !!!                      |
            """)
    void query_findsTheConversation(String query, String found) {
        assertEquals(
                found == null ? List.of() : List.of(found),
                ids(search(question(unescaped(query)))),
                () -> search(question(unescaped(query))).toString());
    }

    private static String unescaped(String query) {
        return query.replace("\\uD83D\\uDE80", "\uD83D\uDE80").replace("\\\\", "\\");
    }

    @Test
    void typing_takesTheLastWordForABeginning() {
        assertEquals(List.of(), ids(search(question("quick bro"))));
        assertEquals(List.of("words"), ids(search(question("quick bro").put("typing", true))));
    }

    @Test
    void snippet_isPlainTextWithPlacesBesideIt() {
        JsonNode preview = search(question("alert bold")).at("/results/0/messagePreview/0");

        String content = preview.get("content").stringValue();
        assertEquals("<script>alert('pwned')</script> & <b>bold</b>", content);
        assertEquals(List.of("alert", "bold"), marked(preview));
        assertEquals("e2", preview.get("id").stringValue());
    }

    @Test
    void snippet_ofADescription_saysWhichFieldItIs() {
        JsonNode excerpts = search(question("zebra")).at("/results/0/excerpts");

        assertEquals("summary", excerpts.at("/0/field").stringValue());
        assertEquals(List.of("zebras"), marked(excerpts.get(0)));
    }

    @Test
    void snippet_ofChinese_marksTheCharacters() {
        JsonNode preview = search(question("学习中文")).at("/results/0/messagePreview/0");

        assertEquals(List.of("学习中文"), marked(preview));
    }

    @Test
    void snippet_ofALongMessage_isWhereTheMatchIs() {
        String far = "padding words ".repeat(30_000) + "the needle is here " + "more of it ".repeat(100);
        start("long", "A long one", "claude", "opus", 1);
        message("long", "l1", far);
        for (int i = 0; i < 2; i++) {
            JsonNode preview = search(question("\"needle is here\"")).at("/results/0/messagePreview/0");
            assertEquals(List.of("needle is here"), marked(preview));
            assertTrue(preview.get("content").stringValue().length() < 260);
            awaitIndexed(); // the second time from the index, in one of its many parts
        }
        assertTrue(count("select count(*) from search_documents where conversation_id = 'long'") > 5);
    }

    private static List<String> marked(JsonNode snippet) {
        String content = snippet.get("content").stringValue();
        return StreamSupport.stream(snippet.get("highlights").spliterator(), false)
                .map(range -> content.substring(
                        range.get("start").intValue(), range.get("end").intValue()))
                .toList();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"status":["COMPLETED"]}                            | emoji
            {"status":["COMPLETED","ERROR"],"models":["opus"]}  |
            {"agentTypes":["codex","gemini"]}                   | cjk code
            {"agentTypes":["claude"],"models":["opus"]}         | words
            {"agentTypes":["codex"],"models":["opus"]}          |
            {"models":["gpt-4o"]}                               | code
            {"minTokens":500}                                   | code
            {"maxTokens":7}                                     | emoji
            {"minTokens":10,"maxTokens":90}                     | cjk words
            {"minCost":0.5}                                     | code
            {"maxCost":0.007}                                   | emoji
            {"minCost":0.01,"maxCost":0.09}                     | cjk words
            {"endDate":"2020-01-01"}                            |
            {"startDate":"2020-01-01T00:00:00+02:00","endDate":"2999-12-31"} | cjk code emoji words
            """)
    void filter_letsThroughWhatItSays_withAndWithoutAQuery(String filters, String expected) {
        List<String> ids = expected == null ? List.of() : List.of(expected.split(" "));
        JsonNode filter = JSON.readTree(filters);

        ObjectNode all = question("");
        all.set("filters", filter);
        assertEquals(
                ids,
                ids(search(all)).stream()
                        .filter(List.of("words", "code", "cjk", "emoji")::contains)
                        .sorted()
                        .toList());

        ObjectNode worded = question("migration -nothere");
        worded.set("filters", filter);
        assertEquals(ids.contains("words") ? List.of("words") : List.of(), ids(search(worded)));
    }

    @Test
    void sort_and_pages_goThroughAll() {
        ObjectNode question =
                question("").put("sort", "totalTokens").put("order", "asc").put("limit", 2);
        question.putObject("filters").put("minTokens", 7); // those of the other tests have less

        assertEquals(List.of("emoji", "words"), ids(search(question)));
        JsonNode second = search(question.put("page", 2));
        assertEquals(List.of("cjk", "code"), ids(second));
        assertEquals(4, second.at("/pagination/total").intValue());
        assertEquals(2, second.at("/pagination/pages").intValue());
        assertEquals(List.of(), ids(search(question.put("page", 3))));
        assertEquals(
                List.of("code", "cjk"),
                ids(search(question.put("page", 1).put("order", "desc").put("sort", "totalCost"))));
    }

    @Test
    void result_hasWhatAPageShows() {
        JsonNode result = search(question("queue")).at("/results/0");

        assertEquals("code", result.get("id").stringValue());
        assertEquals("Fix the queue", result.get("initialPrompt").stringValue());
        assertEquals("ACTIVE", result.get("status").stringValue());
        assertEquals("codex", result.at("/participants/0/agentType").stringValue());
        assertEquals("gpt-4o", result.at("/participants/0/model").stringValue());
        assertEquals("0.5", result.get("totalCost").toString());
        assertEquals(2, result.get("matches").intValue());
        assertTrue(result.get("createdAt").stringValue().endsWith("Z"));
        assertTrue(result.get("score").doubleValue() > 0);
    }

    @Test
    void newMessage_isFoundAtOnce_withWhatItsFiltersAllow() {
        start("fresh", "Fresh", "amp", "m", 3);
        for (int i = 0; i < 20; i++) {
            message("fresh", "f" + i, "unmistakable" + i);
            JsonNode answer = search(question("unmistakable" + i));
            assertEquals(List.of("fresh"), ids(answer));
            assertTrue(answer.at("/index/complete").booleanValue());
            ObjectNode filtered = question("unmistakable" + i);
            filtered.putObject("filters").putArray("models").add("other");
            assertEquals(List.of(), ids(search(filtered)));
        }
    }

    @Test
    void betterMatch_comesFirst() {
        start("rank1", "Something else", "claude", "opus", 1);
        message(
                "rank1",
                "r1",
                "quokka once, in a long message about many other things that have nothing to do with it");
        start("rank2", "The quokka", "claude", "opus", 1);
        message("rank2", "r2", "quokka quokka");

        assertEquals(List.of("rank2", "rank1"), ids(search(question("quokka"))));
        assertEquals(List.of("rank1", "rank2"), ids(search(question("quokka").put("order", "asc"))));
    }

    @Test
    void kinds_areCounted() {
        JsonNode agents = server.get("/api/search?type=agents").json().get("agents");
        assertTrue(StreamSupport.stream(agents.spliterator(), false)
                .anyMatch(kind -> kind.get("type").stringValue().equals("gemini")
                        && kind.get("count").intValue() == 1));
        assertEquals("claude", agents.at("/0/type").stringValue());
        JsonNode models = server.get("/api/search?type=models").json().get("models");
        assertTrue(StreamSupport.stream(models.spliterator(), false)
                .anyMatch(kind -> kind.get("model").stringValue().equals("gpt-4o")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "?type=", "?type=users", "?type=agents%20"})
    void kinds_ofAnotherType_areRefused(String query) {
        Answer answer = server.get("/api/search" + query);
        if (query.endsWith("%20")) {
            assertEquals(200, answer.status());
            return;
        }
        assertEquals(400, answer.status(), answer::toString);
        assertEquals("type", answer.json().at("/errors/0/pointer").stringValue());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"query":7}                                    | /query
            {"query":["a"]}                                | /query
            {"query":"a\\u0000b"}                          | /query
            {"query":"a\\ud800"}                           | /query
            {"query":"-only -excluded"}                    | /query
            {"query":"a*"}                                 | /query
            {"query":"aa* bb* cc* dd*"}                    | /query
            {"typing":"yes"}                               | /typing
            {"page":0}                                     | /page
            {"page":1.5}                                   | /page
            {"page":"1"}                                   | /page
            {"page":1000000000}                            | /page
            {"limit":0}                                    | /limit
            {"limit":1000000000}                           | /limit
            {"limit":1e99}                                 | /limit
            {"sort":"colour"}                              | /sort
            {"sort":null,"order":"up"}                     | /order
            {"filters":[]}                                 | /filters
            {"filters":{"status":"ACTIVE"}}                | /filters/status
            {"filters":{"status":["active"]}}              | /filters/status
            {"filters":{"agentTypes":[1]}}                 | /filters/agentTypes/0
            {"filters":{"models":[null]}}                  | /filters/models/0
            {"filters":{"startDate":"yesterday"}}          | /filters/startDate
            {"filters":{"endDate":"2026-02-30"}}           | /filters/endDate
            {"filters":{"startDate":"2026-02-01","endDate":"2026-01-01"}} | /filters/startDate
            {"filters":{"minCost":-1}}                     | /filters/minCost
            {"filters":{"minCost":"1"}}                    | /filters/minCost
            {"filters":{"maxCost":1e999999999}}            | /filters/maxCost
            {"filters":{"minCost":2,"maxCost":1}}          | /filters/minCost
            {"filters":{"minTokens":1.5}}                  | /filters/minTokens
            {"filters":{"maxTokens":-1}}                   | /filters/maxTokens
            {"filters":{"maxTokens":9223372036854775808}}  | /filters/maxTokens
            """)
    void badMember_isNamed(String body, String pointer) {
        Answer answer = post(body);

        assertEquals(400, answer.status(), answer::toString);
        assertEquals("invalid_parameter", answer.json().get("code").stringValue());
        assertEquals(pointer, answer.json().at("/errors/0/pointer").stringValue());
        assertEquals(1, answer.json().get("errors").size());
    }

    @Test
    void hostileQueries_areRefusedOrCheap() {
        assertEquals(400, post(question("x".repeat(10_000)).toString()).status());
        StringBuilder words = new StringBuilder();
        for (int i = 0; i < 250; i++) {
            words.append("w").append(i % 10).append((char) ('a' + i % 26)).append(' ');
        }
        assertEquals(400, post(question(words.toString()).toString()).status());
        assertEquals(200, post(question("word ".repeat(190)).toString()).status());
        assertEquals(200, post(question("中".repeat(900)).toString()).status());
        assertEquals(200, post(question("a_b".repeat(300)).toString()).status());
        assertEquals(200, post(question("\"".repeat(900)).toString()).status());
        assertEquals(413, post("{\"query\":\"" + "x".repeat(70_000) + "\"}").status());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]]", "nul", "{\"page\":1,\"page\":2}", "{} {}"})
    void malformedBody_isRefused(String body) {
        Answer answer = post(body);

        assertEquals(400, answer.status(), answer::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "7", "null", "\"query\""})
    void bodyThatIsNoObject_isRefused(String body) {
        assertEquals(400, post(body).status());
    }

    @Test
    void deepBody_isRefused() {
        assertEquals(
                400,
                post("{\"x\":" + "[".repeat(10_000) + "]".repeat(10_000) + "}").status());
    }

    @Test
    void deletedConversation_isNotFound() {
        start("gone", "Gone", "claude", "opus", 1);
        message("gone", "g1", "vanishing words");
        awaitIndexed();
        assertEquals(List.of("gone"), ids(search(question("vanishing"))));

        run("delete from messages where conversation_id = 'gone'");
        run("delete from conversations where id = 'gone'");

        assertEquals(List.of(), ids(search(question("vanishing"))));
        assertEquals(0, count("select count(*) from search_documents where conversation_id = 'gone'"));
        run("delete from conversation_agents where conversation_id = 'gone'");
    }

    private static ObjectNode question(String query) {
        return JSON.createObjectNode().put("query", query);
    }

    private static JsonNode search(ObjectNode question) {
        Answer answer = post(question.toString());
        assertEquals(200, answer.status(), answer::toString);
        return answer.json();
    }

    private static Answer post(String body) {
        return server.send(HttpRequest.newBuilder(server.uri("/api/search"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build());
    }

    private static List<String> ids(JsonNode answer) {
        return StreamSupport.stream(answer.get("results").spliterator(), false)
                .map(result -> result.get("id").stringValue())
                .toList();
    }

    private static void start(String id, String prompt, String agent, String model, int tokens) {
        ObjectNode event = JSON.createObjectNode().put("type", "conversation.started");
        ObjectNode data = event.putObject("data")
                .put("conversation_id", id)
                .put("mode", "round-robin")
                .put("initial_prompt", prompt);
        data.putArray("participants")
                .addObject()
                .put("agent_type", agent)
                .put("agent_name", agent)
                .put("model", model);
        ingest(event);
        ObjectNode first = JSON.createObjectNode().put("type", "message.created");
        first.putObject("data")
                .put("conversation_id", id)
                .put("message_id", id + "-0")
                .put("agent_type", agent)
                .put("content", "")
                .put("tokens_used", tokens)
                .put("cost", new java.math.BigDecimal(tokens).movePointLeft(3));
        ingest(first);
    }

    private static void message(String conversation, String id, String content) {
        ObjectNode event = JSON.createObjectNode().put("type", "message.created");
        event.putObject("data")
                .put("conversation_id", conversation)
                .put("message_id", id)
                .put("agent_type", "claude")
                .put("content", content);
        ingest(event);
    }

    private static void complete(String conversation, String summary) {
        ObjectNode event = JSON.createObjectNode().put("type", "conversation.completed");
        event.putObject("data")
                .put("conversation_id", conversation)
                .put("status", "completed")
                .putObject("summary")
                .put("text", summary);
        ingest(event);
    }

    private static void ingest(ObjectNode event) {
        Answer answer = server.ingest(event.toString());
        assertEquals(201, answer.status(), answer::toString);
    }

    private static void awaitIndexed() {
        Await.until("all is in the index", () -> count("select log_head() - position from search_index") == 0);
        assertFalse(count("select count(*) from search_documents") == 0);
    }

    private static long count(String query) {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static void run(String command) {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(command);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
