package dev.agentpipe.server.upload;

import static dev.agentpipe.server.upload.Uploading.EVENT_FILE;
import static dev.agentpipe.server.upload.Uploading.FILES;
import static dev.agentpipe.server.upload.Uploading.file;
import static dev.agentpipe.server.upload.Uploading.gzip;
import static dev.agentpipe.server.upload.Uploading.state;
import static dev.agentpipe.server.upload.Uploading.upload;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Event files, as the CLI keeps them and as its {@code --json} prints them. */
final class EventFileUploadTest {

    @AutoClose
    private static final TestServer server = TestServer.start();

    @AutoClose
    private static final Stored stored = new Stored(server);

    @BeforeEach
    void empty() {
        stored.execute("truncate events, event_identities, conversations, messages, conversation_agents");
    }

    @AfterEach
    void nothingIsUnderWay() {
        assertEquals(0, stored.count("messages", "position <= 0"));
        assertEquals(0, stored.count("events", "position <= 0"));
    }

    private static List<String> lines(String name) {
        return file(name).lines().toList();
    }

    private static void ingestAll(List<String> lines) {
        for (String line : lines) {
            Answer answer = server.ingest(line);
            assertTrue(answer.status() == 201 || answer.status() == 200, answer::toString);
        }
    }

    @Test
    void files_ofTheCli_leaveTheSameRowsAsTheirEventsLive() {
        FILES.forEach(name -> ingestAll(lines(name)));
        String live = state(server);
        empty();
        for (String name : FILES) {
            Answer answer = upload(server, EVENT_FILE, file(name));
            assertEquals(201, answer.status(), answer::toString);
        }
        assertEquals(live, state(server));
        assertEquals(0, stored.count("conversations", "source <> 'cli-upload'"));
    }

    @Test
    void file_uploaded_tellsWhatItBrought() {
        Answer answer = upload(server, EVENT_FILE, file(FILES.get(0)));

        assertEquals(
                "{\"success\":true,\"conversation_id\":\"c1ca63b5-84b4-4e0f-89dc-6b1ca2f45402\","
                        + "\"messages_created\":4,\"participants_created\":2,\"duplicates\":0}",
                answer.response().body());
    }

    @Test
    void files_uploadedAgain_changeNothing() {
        String all = FILES.stream().map(Uploading::file).collect(Collectors.joining("\n"));
        Answer first = upload(server, EVENT_FILE, all);
        assertEquals(5, first.json().get("conversation_ids").size());
        String before = stored.fingerprint();

        Answer again = upload(server, EVENT_FILE, all);

        assertEquals(200, again.status(), again::toString);
        assertEquals(0, again.json().get("messages_created").asInt());
        assertEquals(0, again.json().get("participants_created").asInt());
        assertEquals(
                all.lines().filter(line -> !line.isEmpty()).distinct().count(),
                again.json().get("duplicates").asInt());
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void file_partOfWhichCameLive_endsInTheSameRows() {
        List<String> lines = lines(FILES.get(3));
        ingestAll(lines);
        String live = state(server);
        for (int some : List.of(2, 3, 5)) {
            empty();
            ingestAll(IntStream.range(0, lines.size())
                    .filter(i -> i % some == 0)
                    .mapToObj(lines::get)
                    .toList());
            int known = (lines.size() + some - 1) / some;
            Answer answer = upload(server, EVENT_FILE, file(FILES.get(3)));
            assertEquals(201, answer.status(), answer::toString);
            assertEquals(known, answer.json().get("duplicates").asInt());
            assertEquals(sorted(live), sorted(state(server)));

            ingestAll(lines);
            assertEquals(sorted(live), sorted(state(server)), "sent live afterwards");
        }
    }

    /** The order of the log is that of arrival. */
    private static List<String> sorted(String state) {
        return state.lines().map(line -> line.replace(",", "")).sorted().toList();
    }

    @Test
    void line_thatIsWrong_isNamedAndNothingIsStored() {
        String before = stored.fingerprint();
        String file = file(FILES.get(0)).replaceFirst("\"agent_type\":\"claude\",\"agent_name\"", "\"agent_name\"")
                + "not json\n\n{\"type\":\"no.such\",\"data\":{}}\n";

        Answer answer = upload(server, EVENT_FILE, file);

        assertEquals(400, answer.status());
        assertEquals("invalid_upload", answer.json().get("code").asString());
        assertEquals(3, answer.json().get("errors").size(), answer::toString);
        assertEquals(3, answer.json().at("/errors/0/line").asInt());
        assertEquals("/data/agent_type", answer.json().at("/errors/0/pointer").asString());
        assertEquals(8, answer.json().at("/errors/1/line").asInt());
        assertEquals(10, answer.json().at("/errors/2/line").asInt());
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void plainText_ofTheCli_isSkipped() {
        List<String> lines = lines(FILES.get(3));
        String file = lines.get(0) + "\r\n\n\n⏸️  Interrupted. Shutting down gracefully...\n"
                + String.join("\n", lines.subList(1, lines.size()))
                + "\n\n💾 Conversation state saved to: /home/a/state.json";

        Answer answer = upload(server, EVENT_FILE, "\uFEFF" + file);

        assertEquals(201, answer.status(), answer::toString);
        assertEquals(lines.size(), stored.count("events", "true"));
    }

    @Test
    void file_ofNothing_isNothingNew() {
        Answer answer = upload(server, EVENT_FILE, "\n \r\n");

        assertEquals(200, answer.status());
        assertTrue(answer.json().get("conversation_id").isNull());
        assertEquals(200, upload(server, EVENT_FILE, "").status());
    }

    @Test
    void gzip_ofAFile_isUnpacked() {
        byte[] packed = gzip(file(FILES.get(0)).getBytes(StandardCharsets.UTF_8));

        assertEquals(
                201,
                upload(server, EVENT_FILE, packed, "Content-Encoding", "gzip").status());
        assertEquals(4, stored.count("messages", "true"));

        byte[] cut = java.util.Arrays.copyOf(packed, packed.length - 10);
        assertEquals(
                400, upload(server, EVENT_FILE, cut, "Content-Encoding", "gzip").status());
        Answer noGzip = upload(server, EVENT_FILE, file(FILES.get(0)), "Content-Encoding", "gzip");
        assertEquals("invalid_upload", noGzip.json().get("code").asString());
        Answer other = upload(server, EVENT_FILE, packed, "Content-Encoding", "br");
        assertEquals(415, other.status());
        assertEquals("gzip", other.header("Accept-Encoding"));
    }

    @Test
    void messageId_takenByAnother_isAConflictOfTheWholeFile() {
        server.message("c", "m1", "hello");
        server.message("other", "m3", "there");
        String before = stored.fingerprint();
        String file =
                TestServer.messageBody("c", "m0", "new") + "\n" + TestServer.messageBody("c", "m1", "hello") + "\n"
                        + TestServer.messageBody("c", "m1", "changed") + "\n"
                        + TestServer.messageBody("c", "m3", "there") + "\n"
                        + TestServer.messageBody("c", "m0", "twice") + "\n";

        Answer answer = upload(server, EVENT_FILE, file);

        assertEquals(409, answer.status());
        assertEquals("message_id_conflict", answer.json().get("code").asString());
        List<Integer> places = answer.json()
                .get("errors")
                .valueStream()
                .map(error -> error.get("line").asInt())
                .toList();
        assertEquals(List.of(3, 4, 5), places);
        assertEquals("/data/message_id", answer.json().at("/errors/0/pointer").asString());
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void event_withoutTime_isARepeatWhenUploadedAgain() {
        String file =
                "{\"type\":\"log.entry\",\"data\":{\"conversation_id\":\"c\",\"level\":\"info\",\"content\":\"x\"}}\n"
                        + "{\"type\":\"message.created\",\"data\":{\"conversation_id\":\"c\",\"agent_type\":\"a\",\"content\":\"x\"}}";
        assertEquals(201, upload(server, EVENT_FILE, file).status());
        String before = stored.fingerprint();
        Answer again = upload(server, EVENT_FILE, file);
        assertEquals(200, again.status());
        assertEquals(2, again.json().get("duplicates").asInt());
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void streams_ofOtherNodes_getTheEventsInTheOrderOfTheFile() throws Exception {
        try (TestServer one = TestServer.start();
                TestServer other = TestServer.on(one.databaseUrl(), settings -> settings);
                RawStream here = one.stream("/api/realtime/stream");
                RawStream there = other.stream("/api/realtime/stream")) {
            here.block();
            there.block();
            assertEquals(201, upload(one, EVENT_FILE, file(FILES.get(0))).status());
            List<String> expected = lines(FILES.get(0)).stream()
                    .map(line -> line.replaceAll(",\"command\":\\{[^}]*}", ""))
                    .toList();
            for (RawStream stream : List.of(here, there)) {
                for (String line : expected) {
                    String block = stream.event();
                    assertTrue(block.contains(line.substring(0, 60)), block);
                }
            }
            long next = one.message("after", "after", "x");
            assertEquals(next, RawStream.position(here.event()));
            assertEquals(next, RawStream.position(there.event()));
        }
    }

    @Test
    void caller_withoutKeyOrWithAnotherType_isRefused() {
        assertEquals(
                401, upload(server, EVENT_FILE, "", "Authorization", "Bearer x").status());
        assertEquals(415, upload(server, "text/plain", "").status());
        Answer get = server.get("/api/sessions/upload");
        assertEquals(405, get.status());
        assertNull(get.header("Retry-After"));
        assertFalse(get.header("Allow").isEmpty());
    }
}
