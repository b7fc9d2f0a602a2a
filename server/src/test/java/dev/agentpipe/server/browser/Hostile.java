package dev.agentpipe.server.browser;

import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/** Conversations whose every text, ids and names included, wants to be more than a text. */
final class Hostile {

    /** In JavaScript, it gives itself away by {@code owned}. */
    static final List<String> TEXTS = List.of(
            "<script>window.owned=1</script>",
            "\"><img src=x onerror=window.owned=1>",
            "'><svg/onload=window.owned=1>' onmouseover='window.owned=1",
            "</script></title></textarea></pre></style>--><iframe srcdoc='<script>parent.owned=1</script>'>",
            "<!--<script>window.owned=1<!--",
            "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><script>window.owned=1</script></html>",
            "]]><script>window.owned=1</script>",
            "javascript:window.owned=1//",
            "[x](javascript:window.owned=1) ![y](z\"onerror=\"window.owned=1) <javascript:window.owned=1> owned",
            "{{constructor.constructor('window.owned=1')()}} ${window.owned=1} <%= owned %>",
            "+ADw-script+AD4-window.owned=1+ADw-/script+AD4-",
            "owned\r\ndata: {\"type\":\"forged\"}\r\n\r\nevent: forged\r\nid: 1\r\n\r\n",
            "owned\ndata: forged\n\n:\nretry: 1\n\n",
            "owned\rdata: forged\r\r",
            "owned\u2028data: forged\u2029\u0085\u000b\u000cdata: forged",
            "owned \u202Etxt.exe\u2066\u200B\uFEFF\u00AD",
            "owned \u0001\u0007\u001b]0;x\u0007\u001b[2J\u007f\u009b31m",
            "owned/../..//%2F%5c\\ ;a=b?c#d&e+f",
            "=cmd|' /C owned'!A0",
            "owned;=cmd|' /C owned'!A0\n=1+1\t@SUM(1)");

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final List<String> EVENTS = List.of(
            "conversation.started.with-command",
            "message.created.full",
            "log.entry",
            "conversation.error",
            "conversation.completed.with-summary");

    /** Words of the wire, which no text can stand for. */
    private static final List<String> KEPT = List.of("type", "timestamp", "status", "level");

    private Hostile() {}

    /** A conversation of all kinds of events, each of its texts being this one. */
    static void store(TestServer server, String text) {
        for (String name : EVENTS) {
            ObjectNode event = (ObjectNode) JSON.readTree(fixture(name));
            fill(event, text);
            ObjectNode data = (ObjectNode) event.get("data");
            data.put("conversation_id", id(text));
            data.put("role", text);
            data.put(text, text); // a name that nobody knows
            if (data.has("participants")) {
                data.set("participants", participants(text));
            }
            Answer answer = server.ingest(event.toString());
            if (answer.status() != 201) {
                throw new AssertionError(name + " " + answer);
            }
        }
    }

    private static ArrayNode participants(String text) {
        ArrayNode participants = JSON.createArrayNode();
        ObjectNode one = participants.addObject();
        List.of("agent_id", "agent_type", "name", "model", "prompt", "cli_version")
                .forEach(name -> one.put(name, text));
        return participants;
    }

    /** The same as a session, which has a name, too. */
    static void upload(TestServer server, String text) {
        Map<String, Object> session = Map.of(
                "conversation",
                        Map.of(
                                "id",
                                "s" + id(text),
                                "name",
                                text,
                                "mode",
                                text,
                                "initial_prompt",
                                text,
                                "started_at",
                                "2026-11-22T14:34:22Z",
                                "status",
                                "ERROR",
                                "error_message",
                                text,
                                "system_info",
                                Map.of(text, text),
                                "metadata",
                                Map.of(text, text)),
                "agents", List.of(Map.of("agent_type", text, "agent_name", text, "model", text)),
                "messages",
                        List.of(Map.of(
                                "agent_type", text,
                                "agent_name", text,
                                "content", text,
                                "timestamp", "2026-11-22T14:34:23Z")));
        Answer answer = server.send(HttpRequest.newBuilder(server.uri("/api/sessions/upload"))
                .header("Authorization", "Bearer " + TestServer.KEY)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(JSON.writeValueAsString(session)))
                .build());
        if (answer.status() != 201) {
            throw new AssertionError(answer.toString());
        }
    }

    /** The conversation's id, too. */
    static String id(String text) {
        return text;
    }

    /** As a part of a URL's path, or of its query. */
    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static void fill(JsonNode node, String text) {
        if (node instanceof ObjectNode object) {
            for (String name : List.copyOf(object.propertyNames())) {
                JsonNode value = object.get(name);
                if (value.isString() && !KEPT.contains(name)) {
                    object.put(name, text);
                } else {
                    fill(value, text);
                }
            }
        } else if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                if (array.get(i).isString()) {
                    array.set(i, StringNode.valueOf(text));
                } else {
                    fill(array.get(i), text);
                }
            }
        }
    }

    private static String fixture(String name) {
        try (InputStream in = Hostile.class.getResourceAsStream("/fixtures/" + name + ".jsonl")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
