package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command as its user sees it, with a real server. */
final class UploadCommandTest {

    private static final String STARTED =
            "{\"type\":\"conversation.started\",\"timestamp\":\"2026-01-01T10:00:00Z\",\"data\":"
                    + "{\"conversation_id\":\"%s\",\"mode\":\"m\",\"initial_prompt\":\"p\",\"participants\":[]}}\n";
    private static final String MESSAGE =
            "{\"type\":\"message.created\",\"timestamp\":\"2026-01-01T10:00:0%d.5Z\",\"data\":"
                    + "{\"conversation_id\":\"%s\",\"message_id\":\"%s-%d\",\"agent_type\":\"a\",\"content\":\"x\"}}\n";

    @TempDir
    private Path home;

    private StringWriter out = new StringWriter();
    private StringWriter err = new StringWriter();

    @Test
    void ownFolder_isMovedIn_andARepeatSendsNothing() throws Exception {
        Path folder = Files.createDirectories(home.resolve(".agentpipe/events"));
        for (int i = 0; i < 20; i++) {
            Files.writeString(folder.resolve("events_c" + i + ".jsonl"), conversation("c" + i));
        }
        Files.writeString(folder.resolve("events_torn.jsonl"), conversation("torn") + "{\"type\":\"mess");
        Files.writeString(folder.resolve("events_wrong.jsonl"), conversation("wrong") + "{\"type\":\"nonsense\"}\n");
        try (TestServer server = TestServer.start();
                Stored stored = new Stored(server)) {
            server.message("c0", "c0-1", "x");
            assertEquals(1, upload(server));
            assertEquals(21, stored.count("conversations", "true"));
            assertEquals(42, stored.count("messages", "true"));
            assertTrue(
                    lastLine(out).startsWith("22 files: 21 sent, 1 failed. 63 lines sent: 41 new messages, "),
                    out.toString());
            assertTrue(err.toString().contains("events_wrong.jsonl: line 4 /type: "), err.toString());
            assertTrue(err.toString().contains("events_torn.jsonl: line 4 is incomplete"), err.toString());

            Files.delete(folder.resolve("events_wrong.jsonl"));
            assertEquals(0, upload(server, "--again"));
            assertEquals(42, stored.count("messages", "true"));
            assertTrue(lastLine(out).endsWith(" 0 new messages, 63 duplicates."), out.toString());
        }
        assertFalse((out.toString() + err).contains(TestServer.KEY), "the key is not shown");
    }

    @Test
    void json_isALineForEachFileAndOneOfSums() throws Exception {
        Path file = Files.writeString(home.resolve("a.jsonl"), conversation("c"));
        try (TestServer server = TestServer.start()) {
            assertEquals(
                    1,
                    upload(
                            server,
                            "--json",
                            file.toString(),
                            home.resolve("none").toString()));
        }
        List<JsonNode> lines =
                out.toString().lines().map(JsonMapper.shared()::readTree).toList();
        assertEquals(3, lines.size());
        assertEquals("FAILED", lines.get(0).get("status").asString());
        assertEquals(2, lines.get(1).get("added").asInt());
        assertEquals(1, lines.get(2).get("failed").asInt());
        assertEquals(3, lines.get(2).get("lines").asInt());
    }

    @Test
    void dryRun_needsNeitherServerNorKey() throws Exception {
        Path file = Files.writeString(home.resolve("a.jsonl"), conversation("c"));

        assertEquals(0, run(Map.of("HOME", home.toString()), "--dry-run", file.toString()));
        assertEquals("1 file: 1 valid. 3 lines.", lastLine(out));
    }

    @Test
    void ownFolder_thatIsNotThere_isNothingToDo() {
        assertEquals(0, run(Map.of("HOME", home.toString()), "--dry-run"));
        assertTrue(out.toString().startsWith("There is no folder " + home.resolve(".agentpipe")), out.toString());
    }

    @Test
    void key_nowhereOrAsAnArgument_isWrongUsage() {
        assertEquals(2, run(Map.of("HOME", home.toString()), "--url", "https://pipe.example", "x.jsonl"));
        assertTrue(err.toString().startsWith("which key? "), err.toString());
        assertEquals(2, run(Map.of(), "--key", "ap_live_on-the-line", "x.jsonl"));
        assertFalse(err.toString().contains("ap_live_on-the-line"), err.toString());
    }

    @Test
    void key_refused_endsItWithASummary() throws Exception {
        Path file = Files.writeString(home.resolve("a.jsonl"), conversation("c"));
        try (TestServer server = TestServer.start()) {
            Map<String, String> wrong =
                    Map.of("HOME", home.toString(), "AGENTPIPE_STREAM_API_KEY", "ap_live_of-another");
            assertEquals(1, run(wrong, "--url", server.uri("").toString(), file.toString()));
        }
        assertTrue(err.toString().contains("refuses the key: 401 unauthorized"), err.toString());
        assertEquals("1 file: 0 sent, 1 not tried. 0 lines sent: 0 new messages, 0 duplicates.", lastLine(out));
    }

    private static String conversation(String id) {
        return STARTED.formatted(id) + MESSAGE.formatted(1, id, id, 1) + MESSAGE.formatted(2, id, id, 2);
    }

    private static String lastLine(StringWriter text) {
        List<String> lines = text.toString().lines().toList();
        return lines.get(lines.size() - 1);
    }

    private int upload(TestServer server, String... arguments) {
        List<String> all = new ArrayList<>(List.of("--url", server.uri("").toString()));
        all.addAll(List.of(arguments));
        return run(
                Map.of("HOME", home.toString(), "AGENTPIPE_STREAM_API_KEY", TestServer.KEY),
                all.toArray(String[]::new));
    }

    private int run(Map<String, String> environment, String... arguments) {
        out = new StringWriter();
        err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("upload"));
        all.addAll(List.of(arguments));
        return Commands.of(environment)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all.toArray(String[]::new));
    }
}
