package dev.agentpipe.server.privacy;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;

/**
 * All that a server tells whoever reads: the answers to every GET in its OpenAPI document, with their headers, searches, and
 * streams. A URL that is added to the document is asked by itself.
 */
final class EveryAnswer {

    private static final List<String> STREAMS = List.of("/api/realtime/stream", "/api/stream");
    private static final List<String> EXPORTS = List.of("json", "jsonl", "csv", "markdown");

    private final TestServer server;
    private final String conversationId;
    private final String[] headers;
    private final Map<String, String> answers = new LinkedHashMap<>();

    private EveryAnswer(TestServer server, String conversationId, String... headers) {
        this.server = server;
        this.conversationId = conversationId;
        this.headers = headers;
    }

    /**
     * @param words to search for
     * @param headers such as those of a key
     * @return the answers by what was asked
     */
    static Map<String, String> of(TestServer server, String conversationId, List<String> words, String... headers)
            throws IOException {
        EveryAnswer every = new EveryAnswer(server, conversationId, headers);
        every.ask(words);
        return every.answers;
    }

    /** What was asked, where the answer has this text. */
    static TreeSet<String> holding(Map<String, String> answers, String text) {
        TreeSet<String> holding = new TreeSet<>();
        answers.forEach((question, answer) -> {
            if (answer.contains(text)) {
                holding.add(question);
            }
        });
        return holding;
    }

    private void ask(List<String> words) throws IOException {
        for (String path :
                server.get("/api/openapi.json", headers).json().get("paths").propertyNames()) {
            if (!STREAMS.contains(path) && !path.contains("{file}")) {
                get(path.replace("{id}", conversationId));
            }
        }
        assertTrue(answers.size() >= 10, answers.keySet().toString());
        get("/api/conversations/" + conversationId + "?includeMessages=false");
        get("/api/conversations?limit=100&sort=totalCost");
        get("/api/conversations?command=x");
        EXPORTS.forEach(format -> get("/api/conversations/" + conversationId + "/export?format=" + format));
        get("/api/search?type=agents");
        get("/api/search?type=models");
        words.forEach(this::search);
        String last = UUID.randomUUID().toString();
        server.message("the-last", last, last);
        for (String path : STREAMS) {
            stream(path + "?replay=1000", last);
            stream(path + "?replay=1000&named=true&conversationId=the-last," + conversationId, last);
            stream(path + "?replay=1000&types=message.created,conversation.started,log.entry", last);
        }
    }

    private void get(String path) {
        Answer answer = server.get(path, headers);
        answers.put(path, answer.response().headers() + answer.toString());
        String tag = answer.header("ETag");
        if (tag != null) {
            String[] conditional = Arrays.copyOf(headers, headers.length + 2);
            conditional[headers.length] = "If-None-Match";
            conditional[headers.length + 1] = tag;
            answers.put(path + " again", server.get(path, conditional).toString());
        }
    }

    private void search(String word) {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.uri("/api/search"))
                .setHeader("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"query\":\"" + word + "\"}"));
        for (int i = 0; i < headers.length; i += 2) {
            request.setHeader(headers[i], headers[i + 1]);
        }
        // The query is told again.
        answers.put(
                "search " + word, server.send(request.build()).toString().replace("\"query\":\"" + word + "\"", ""));
    }

    /** @param last what the last message of all says */
    private void stream(String path, String last) throws IOException {
        List<String> events = new ArrayList<>();
        try (RawStream stream = server.stream(path, headers)) {
            do {
                events.add(stream.event());
            } while (!events.get(events.size() - 1).contains(last));
            answers.put("stream " + path, stream.head() + String.join("", events));
        }
    }
}
