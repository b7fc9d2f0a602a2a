package dev.agentpipe.server.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.TestServer;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What clients of agentpipe-web already ask for: every URL, parameter and name of the read API as it was promised to them,
 * written down once more, so that no change of the document takes one away unseen.
 */
final class PromisedCallsTest {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static TestServer server;
    private static Api api;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        api = new Api(server.get("/api/openapi.json").response().body());
        server.ingest(
                "{\"type\":\"conversation.started\",\"timestamp\":\"2026-11-22T14:34:21Z\",\"data\":{\"conversation_id\":\"c-1\","
                        + "\"mode\":\"reactive\",\"initial_prompt\":\"x\",\"participants\":[{\"agent_type\":\"claude\",\"model\":\"m\"}]}}");
        server.message("c-1", "promised-1", "x");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/api/conversations?status=ACTIVE&mode=reactive&source=cli-stream&agentType=claude&model=m"
                        + "&startDate=2026-01-01&endDate=2036-12-31T23:59:59Z&page=1&limit=5&sort=createdAt&order=desc",
                "/api/conversations?pageSize=100&sortBy=startedAt&sortOrder=asc",
                "/api/conversations?sort=totalCost",
                "/api/conversations?sort=totalTokens",
                "/api/conversations?sort=totalDuration",
                "/api/conversations?sort=totalMessages",
                "/api/conversations/c-1",
                "/api/conversations/c-1?includeMessages=false",
                "/api/conversations/c-1/messages?page=1&limit=10",
                "/api/conversations/c-1/export?format=json",
                "/api/conversations/c-1/export?format=jsonl",
                "/api/conversations/c-1/export?format=csv",
                "/api/conversations/c-1/export?format=markdown",
                "/api/messages/recent?limit=50&status=ACTIVE",
                "/api/search?type=agents",
                "/api/search?type=models",
                "/api/metrics/summary?startDate=2026-01-01&endDate=2026-12-31",
                "/api/metrics/summary?startDate=2026-11-22&endDate=2026-11-23&interval=hour",
                "/api/realtime/stats",
                "/api/openapi.json",
                "/api/health",
                "/api/realtime/stream?conversationId=c-1&conversationId=c-2,c-3&types=message.created,log.entry&replay=1000"
                        + "&named=true",
                "/api/stream?lastEventId=nonsense"
            })
    void url_isAnswered_andAllOfItIsDocumented(String url) {
        String path = url.replaceFirst("\\?.*", "").replace("/c-1", "/{id}");
        ApiCall call = ApiCall.of("GET " + path, 200).at(url);

        new AnswerCheck(api).check(call, call.send(server));
        List<String> known = api.parameters(api.operation("GET " + path), "query").stream()
                .map(parameter -> parameter.get("name").stringValue())
                .toList();
        for (String parameter : url.replaceFirst("^[^?]*\\??", "").split("&")) {
            String name = parameter.replaceFirst("=.*", "");
            assertTrue(name.isEmpty() || known.contains(name), () -> "not documented: " + name);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    /api/conversations       | streamPosition conversations pagination
                    /api/conversations       | /conversations/0 id name mode status source startedAt completedAt initialPrompt \
                    summaryText totalMessages totalTokens totalCost totalDuration errorMessage participants messageCount
                    /api/conversations       | /conversations/0/participants/0 agentType agentName
                    /api/conversations       | /pagination page pageSize totalCount totalPages hasNextPage hasPreviousPage
                    /api/conversations/c-1   | streamPosition id participants messages
                    /api/conversations/c-1/messages | data pagination
                    /api/messages/recent     | messages
                    /api/metrics/summary     | totalConversations activeConversations totalMessages totalTokens totalCost \
                    averageConversationDuration topAgents
                    /api/metrics/summary     | /topAgents/0 type count totalCost
                    """)
    void names_areThosePromised(String path, String names) {
        JsonNode object = server.get(path).json();
        for (String name : names.split(" +")) {
            if (name.startsWith("/")) {
                object = object.at(name);
            } else {
                assertTrue(object.has(name), () -> name + " is missing in " + path);
            }
        }
    }

    @Test
    void search_takesEveryPromisedMember() {
        ApiCall call = ApiCall.of("POST /api/search", 200).json("""
                        {"query": "x", "filters": {"status": ["ACTIVE"], "agentTypes": ["claude"], "models": ["m"],
                          "startDate": "2026-01-01", "endDate": "2036-12-31", "minCost": 0, "maxCost": 10, "minTokens": 0,
                          "maxTokens": 1000}, "page": 1, "limit": 10, "sort": "createdAt", "order": "asc"}
                        """);
        ApiCall.Answer answer = call.send(server);

        new AnswerCheck(api).check(call, answer);
        JsonNode found = JSON.readTree(answer.body());
        assertEquals("c-1", found.at("/results/0/id").stringValue(), answer::body);
        assertEquals("promised-1", found.at("/results/0/messagePreview/0/id").stringValue());
        assertTrue(found.has("pagination"));
    }
}
