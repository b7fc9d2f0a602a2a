package dev.agentpipe.server.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Await;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** With REDACT, by all ways in and out; and beside a server of the same database without it. */
final class RedactionTest {

    /** A part of every secret here, also as the index of the search has it. */
    private static final String PART = "quetzalmarker";

    private static final String KEY = "sk-ant-api03-" + PART + "0123456789";
    private static final String ESCAPED = "\\u0073k-ant-api03-" + PART.replace("q", "\\u0071") + "\\u0030123456789";
    private static final String MARK = "[redacted: anthropic key]";
    private static final String[] ADMIN = {"Authorization", "Bearer " + TestServer.ADMIN_KEY};

    private static TestServer on;
    private static TestServer off;

    @BeforeAll
    static void start() {
        on = TestServer.start(settings -> settings.redact(true));
        off = TestServer.on(on.databaseUrl(), settings -> settings);
    }

    @AfterAll
    static void stop() {
        off.close();
        on.close();
    }

    private static Answer upload(TestServer server, String type, String body) {
        return server.send(HttpRequest.newBuilder(server.uri("/api/sessions/upload"))
                .header("Authorization", "Bearer " + TestServer.KEY)
                .header("Content-Type", type)
                .POST(BodyPublishers.ofString(body))
                .build());
    }

    @Test
    void secrets_areNowhere_whicheverWayTheyCame() throws Exception {
        String session = """
                {"conversation":{"id":"session","name":"KEY","mode":"m","initial_prompt":"KEY","started_at":"2026-11-22T14:34:21Z",\
                "status":"COMPLETED","error_message":"KEY","metadata":{"a":["KEY"]},"unknown":"KEY","api_key":"PART",\
                "summary":{"text":"KEY"},"command":{"args":["--token","PART"]},"system_info":{"KEY_":"KEY"}},\
                "agents":[{"agent_type":"claude","prompt":"KEY","name":"a"}],"messages":[{"agent_type":"claude","agent_name":"a",\
                "content":"The key is KEY!","timestamp":"2026-11-22T14:34:22Z"}],"more":{"password":"PART"}}""".replace("KEY_", "k").replace("KEY", ESCAPED).replace("PART", PART);
        String events = """
                {"type":"conversation.started","timestamp":"2026-11-22T14:34:21Z","data":{"conversation_id":"CONV","mode":"m",\
                "initial_prompt":"KEY","participants":[{"agent_type":"claude","name":"KEY","prompt":"KEY"}],\
                "system_info":{"os":"KEY"},"command":{"full_command":"run --api-key PART","args":["--api-key","PART"]}}}
                {"type":"message.created","timestamp":"2026-11-22T14:34:22Z","data":{"conversation_id":"CONV","message_id":"CONV-1",\
                "agent_type":"claude","content":"The key is KEY!","x":{"y":["KEY"]}}}
                {"type":"message.created","timestamp":"2026-11-22T14:34:22Z","data":{"conversation_id":"CONV",\
                "agent_type":"claude","content":"Without an id: KEY"}}
                {"type":"log.entry","timestamp":"2026-11-22T14:34:23Z","data":{"conversation_id":"CONV","level":"info","content":"KEY"}}
                {"type":"conversation.error","timestamp":"2026-11-22T14:34:24Z","data":{"conversation_id":"CONV","error_message":"KEY"}}
                {"type":"conversation.completed","timestamp":"2026-11-22T14:34:25Z","data":{"conversation_id":"CONV","status":"completed",\
                "summary":{"short_text":"KEY","text":"KEY"}}}
                """.replace("KEY", ESCAPED).replace("PART", PART);
        try (CapturedLog log = new CapturedLog("dev.agentpipe")) {
            for (int time = 0; time < 2; time++) {
                Answer live = on.ingest(events.replace("CONV", "live"), "Content-Type", "application/x-ndjson");
                assertEquals(time == 0 ? 6 : 0, live.json().get("accepted").asInt(), live::toString);
                assertEquals(time == 0 ? 0 : 6, live.json().get("duplicates").asInt(), live::toString);
                Answer file = upload(on, "application/x-ndjson", events.replace("CONV", "file"));
                assertEquals(time == 0 ? 201 : 200, file.status(), file::toString);
                Answer whole = upload(on, "application/json", session);
                assertEquals(time == 0 ? 201 : 200, whole.status(), whole::toString);
                assertTrue(!(live.toString() + file + whole).contains(PART), "an answer tells it");
            }
            Await.until(
                    "all is in the index",
                    () -> EveryTable.number(on, "select log_head() - position from search_index") == 0);

            assertEquals(List.of(), EveryTable.holding(on, PART));
            for (String conversation : List.of("live", "file", "session")) {
                Map<String, String> answers = EveryAnswer.of(on, conversation, List.of(PART, "redacted"), ADMIN);
                assertEquals(new TreeSet<>(), EveryAnswer.holding(answers, PART));
                assertTrue(
                        EveryAnswer.holding(answers, "The key is " + MARK + "!").size() > 4, answers::toString);
                assertTrue(answers.get("/api/conversations/" + conversation).contains("[redacted: secret]"));
            }
            assertEquals(
                    List.of(),
                    log.events().stream()
                            .filter(one -> one.toString().contains(PART))
                            .toList());
        }
    }

    @Test
    void repeat_whenOneOfThemWasRedacted_isARepeat() {
        for (TestServer first : List.of(on, off)) {
            TestServer second = first == on ? off : on;
            String id = first == on ? "first-on" : "first-off";
            first.message("repeats", id, "Use " + KEY.replace(PART, "other") + " for it.");

            Answer same = second.ingest(
                    TestServer.messageBody("repeats", id, "Use " + KEY.replace(PART, "other") + " for it."));
            assertEquals(200, same.status(), same::toString);
            Answer file = upload(
                    second,
                    "application/x-ndjson",
                    TestServer.messageBody("repeats", id, "Use " + KEY.replace(PART, "other") + " for it."));
            assertEquals(200, file.status(), file::toString);
            Answer different = second.ingest(
                    TestServer.messageBody("repeats", id, "Try " + KEY.replace(PART, "other") + " for it."));
            assertEquals(409, different.status(), different::toString);
        }
    }
}
