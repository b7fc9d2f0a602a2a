package dev.agentpipe.server.transfer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.transfer.FileOutcome.Status;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class UploadTest {

    private static final String LINE = "{\"type\":\"log.entry\",\"data\":{\"n\":%d}}\n";
    private static final String SESSION = "{\"conversation\":{\"name\":\"s\"},\n\"messages\":[]}\n";

    @TempDir
    private Path folder;

    @TempDir
    private Path state;

    private final List<FileOutcome> outcomes = new ArrayList<>();
    private final List<String> waits = new ArrayList<>();
    private final RecordedStop stop = new RecordedStop();
    private UploadServer server;

    /** Waits for nobody. */
    private static final class RecordedStop extends Stop {
        private final List<Duration> pauses = new ArrayList<>();
        private int stopsAtPause = -1;

        @Override
        boolean pause(Duration duration) {
            pauses.add(duration);
            if (pauses.size() - 1 == stopsAtPause) {
                request();
            }
            return isRequested();
        }
    }

    @BeforeEach
    void start() throws IOException {
        server = new UploadServer();
    }

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void files_ofAllShapes_areSentAsWhatTheyAre() throws Exception {
        write("a.jsonl", LINE.formatted(1) + LINE.formatted(2));
        Files.write(folder.resolve("b.ndjson.gz"), gzip(LINE.formatted(3)));
        write("c.json", SESSION);
        write("d.json", "{\"name\":\"some-package\"}");
        write("e.txt", LINE.formatted(9));
        Files.createDirectory(folder.resolve("f"));
        write("f/g.JSONL", LINE.formatted(4));
        write("h.jsonl", "");

        upload(folder.toString());

        assertEquals(
                List.of(LINE.formatted(1) + LINE.formatted(2), LINE.formatted(3), SESSION, LINE.formatted(4)),
                server.bodies());
        assertEquals(
                List.of(Status.DONE, Status.DONE, Status.DONE, Status.SKIPPED, Status.DONE, Status.EMPTY), statuses());
    }

    @Test
    void file_namedByItself_mustBeOne() throws Exception {
        Path other = write("d.json", "{\"name\":\"some-package\"}");

        upload(other.toString(), folder.resolve("none").toString());

        assertEquals(List.of(Status.FAILED, Status.FAILED), statuses());
        assertEquals(List.of("no such file or folder"), outcomes.get(0).problems());
        assertEquals(List.of(), server.bodies());
    }

    @Test
    void badFile_isToldByLineAndPointer_andTheOthersGoOn() throws Exception {
        write("a.jsonl", LINE.formatted(1) + "{\"type\":\"bad\"}\n");
        write("b.jsonl", LINE.formatted(2));
        write("c.jsonl", "bad\nnothing of this is JSON\n");

        upload(folder.toString());

        assertEquals(List.of(Status.FAILED, Status.DONE, Status.FAILED), statuses());
        assertEquals(
                List.of("line 2 /data/mode: Expected a string."),
                outcomes.get(0).problems());
        assertEquals(List.of(LINE.formatted(2)), server.bodies());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"type\":\"log.entry\",\"da", "{\"type\":\"log.entry\",\"data\":{\"x\":\"\\u00", "{"})
    void lastLine_incomplete_isLeftOutAndTold(String half) throws Exception {
        Path file = write("a.jsonl", LINE.formatted(1) + half);

        upload(file.toString());

        assertEquals(List.of(LINE.formatted(1)), server.bodies());
        assertEquals(Status.DONE, outcomes.get(0).status());
        assertTrue(outcomes.get(0).note().startsWith("line 2 is incomplete"), outcomes.toString());
    }

    @Test
    void lastLine_completeWithoutItsBreak_isSent() throws Exception {
        Path file = write("a.jsonl", LINE.formatted(1) + LINE.formatted(2).strip());

        upload(file.toString());

        assertEquals(2, server.stored());
        assertEquals("", outcomes.get(0).note());
    }

    @Test
    void unchangedFiles_doNotTravelAgain_butGrownOnesDo() throws Exception {
        write("a.jsonl", LINE.formatted(1));
        Path growing = write("b.jsonl", LINE.formatted(2));
        write("c.json", SESSION);
        upload(folder.toString());
        Files.writeString(growing, LINE.formatted(2) + LINE.formatted(3));
        outcomes.clear();

        upload(folder.toString());

        assertEquals(List.of(Status.UNCHANGED, Status.DONE, Status.UNCHANGED), statuses());
        assertEquals(1, outcomes.get(1).added());
        assertEquals(1, outcomes.get(1).duplicates());
        assertEquals(4, server.bodies().size());
    }

    @Test
    void unchangedFiles_forAnotherLog_travelAgain() throws Exception {
        write("a.jsonl", LINE.formatted(1));
        upload(folder.toString());
        server.becomeAnother("zzz");

        upload(folder.toString());

        assertEquals(List.of(Status.DONE, Status.DONE), statuses());
        assertEquals(1, server.stored());
    }

    @Test
    void failedFile_isNotRemembered() throws Exception {
        write("a.jsonl", "{\"type\":\"bad\"}\n");
        upload(folder.toString());
        upload(folder.toString());

        assertEquals(List.of(Status.FAILED, Status.FAILED), statuses());
    }

    @Test
    void doneList_tornByAKill_isReadAsFarAsItGoes() throws Exception {
        write("a.jsonl", LINE.formatted(1));
        write("b.jsonl", LINE.formatted(2));
        upload(folder.toString());
        try (var files = Files.list(state)) {
            Path list = files.findFirst().orElseThrow();
            byte[] all = Files.readAllBytes(list);
            Files.write(list, Arrays.copyOf(all, all.length - 10));
        }
        outcomes.clear();

        upload(folder.toString());
        upload(folder.toString());

        assertEquals(List.of(Status.UNCHANGED, Status.DONE, Status.UNCHANGED, Status.UNCHANGED), statuses());
    }

    @Test
    void file_ofMoreThanAServerTakes_isSplitByLines() throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 2 * Upload.PIECE_LINES_MAX + 1; i++) {
            lines.append(LINE.formatted(i));
        }
        upload(write("a.jsonl", lines.toString()).toString());

        assertEquals(
                List.of(10_000L, 10_000L, 1L),
                server.bodies().stream().map(body -> body.lines().count()).toList());
        assertEquals(lines.toString(), String.join("", server.bodies()));
        assertEquals(20_001, outcomes.get(0).added());
    }

    @Test
    void server_thatTakesLess_getsHalves_andLinesKeepTheirNumbers() throws Exception {
        server.takeAtMost(2);
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 7; i++) {
            lines.append(i == 5 ? "{\"type\":\"bad\"}\n" : LINE.formatted(i));
        }

        upload(write("a.jsonl", lines.toString()).toString());

        assertEquals(
                List.of("line 6 /data/mode: Expected a string."),
                outcomes.get(0).problems());
        assertEquals(Status.FAILED, outcomes.get(0).status());
        assertTrue(server.bodies().stream().allMatch(body -> body.lines().count() <= 2));
    }

    @Test
    void oneLine_tooLargeForTheServer_fails() throws Exception {
        server.takeAtMost(0);

        upload(write("a.jsonl", LINE.formatted(1)).toString());

        assertEquals(List.of("413 upload_too_large: As told"), outcomes.get(0).problems());
    }

    @Test
    void lineLongerThanAnyEvent_isNoEventFile() throws Exception {
        byte[] noise = new byte[LineReader.LINE_BYTES_MAX + 1];
        Arrays.fill(noise, (byte) 'x');
        Path file = Files.write(folder.resolve("a.jsonl"), noise);

        upload(file.toString());

        assertTrue(outcomes.get(0).problems().get(0).contains("no file of events"), outcomes.toString());
        assertEquals(List.of(), server.bodies());
    }

    @Test
    void brokenGzip_failsAloneAndSaysSo() throws Exception {
        Files.write(
                folder.resolve("a.jsonl.gz"),
                Arrays.copyOf(gzip(LINE.formatted(1).repeat(50)), 40));
        write("b.jsonl", LINE.formatted(2));

        upload(folder.toString());

        assertEquals(List.of(Status.FAILED, Status.DONE), statuses());
        assertTrue(outcomes.get(0).problems().get(0).startsWith("cannot be read: EOFException"), outcomes.toString());
    }

    @Test
    void limit_thatTellsWhenToComeBack_isNoOutage() throws Exception {
        write("a.jsonl", LINE.formatted(1));
        for (int i = 0; i < 20; i++) {
            server.answerNext("429 Retry-After: 6");
        }

        upload(folder.toString());

        assertEquals(List.of(Status.DONE), statuses());
        assertEquals(20, waits.size());
        assertTrue(waits.get(19).endsWith("next try in 6 s"), waits.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"503", "429", "502", "504", "408", "cut"})
    void server_thatCannotNow_isTriedAgain(String answer) throws Exception {
        server.answerNext(answer, answer);
        upload(write("a.jsonl", LINE.formatted(1)).toString());

        assertEquals(List.of(Status.DONE), statuses());
        assertEquals(1, server.stored());
        assertEquals(2, stop.pauses.size());
        assertTrue(stop.pauses.get(1).toMillis() >= 1_000, stop.pauses.toString());
    }

    @Test
    void retryAfter_isWaitedFor_withinReason() throws Exception {
        server.answerNext("429 Retry-After: 20", "503 Retry-After: 999999", "503 Retry-After: tomorrow");
        upload(write("a.jsonl", LINE.formatted(1)).toString());

        assertEquals(List.of(Status.DONE), statuses());
        assertEquals(Duration.ofSeconds(20), stop.pauses.get(0));
        assertEquals(Duration.ofMinutes(2), stop.pauses.get(1));
        assertTrue(stop.pauses.get(2).compareTo(Duration.ofSeconds(4)) <= 0, stop.pauses.toString());
        assertTrue(waits.get(0).contains("429 scripted"), waits.toString());
    }

    @Test
    void server_thatStaysAway_isGivenUpOn() throws Exception {
        server.answerNext("503", "503", "503", "503", "503", "503", "503", "503", "503");
        Path file = write("a.jsonl", LINE.formatted(1));

        assertThrows(GaveUpException.class, () -> upload(file.toString()));
        assertEquals(7, stop.pauses.size());
        assertEquals(List.of(), outcomes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"401", "403", "301", "307"})
    void answersThatStayTheSame_endTheRunAtOnce(String answer) throws Exception {
        server.answerNext(answer);
        write("a.jsonl", LINE.formatted(1));
        write("b.jsonl", LINE.formatted(2));

        assertThrows(GaveUpException.class, () -> upload(folder.toString()));
        assertEquals(List.of(), stop.pauses);
    }

    @Test
    void unknownHost_isNotTriedAgain() throws Exception {
        Path file = write("a.jsonl", LINE.formatted(1));
        TransferClient client =
                new TransferClient(URI.create("http://nowhere.invalid"), UploadServer.KEY, stop, waits::add);

        GaveUpException failed =
                assertThrows(GaveUpException.class, () -> run(client, DoneList.forgetful(), file.toString()));
        assertTrue(failed.getMessage().contains("there is no host of this name"), failed.getMessage());
    }

    @Test
    void stop_whileItWaits_endsTheRun_andARepeatCompletesIt() throws Exception {
        write("a.jsonl", LINE.formatted(1));
        write("b.jsonl", LINE.formatted(2));
        server.answerNext("503");
        stop.stopsAtPause = 0;
        upload(folder.toString());
        assertEquals(List.of(), statuses());

        TransferClient again = new TransferClient(server.uri(), UploadServer.KEY, new Stop(), waits::add);
        run(again, DoneList.forgetful(), folder.toString());

        assertEquals(2, server.stored());
    }

    @Test
    void dryRun_findsWhatTheServerWouldRefuse_andSendsNothing() throws Exception {
        write("a.jsonl", "{\"type\":\"bridge.test\",\"data\":{}}\n\n{\"type\":\"message.created\",\"data\":{}}\n");
        write("b.jsonl", "{\"type\":\"bridge.test\",\"data\":{}}\n");
        write("c.json", SESSION);

        Upload.dryRun(listener(), stop).run(SourceFiles.find(List.of(folder.toString())));

        assertEquals(List.of(Status.FAILED, Status.DONE, Status.FAILED), statuses());
        assertTrue(outcomes.get(0).problems().get(0).startsWith("line 3 /data/conversation_id: "), outcomes.toString());
        assertTrue(outcomes.get(2).problems().toString().contains("/agents: Required"), outcomes.toString());
        assertEquals(List.of(), server.bodies());
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private static byte[] gzip(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    private void upload(String... sources) throws Exception {
        TransferClient client = new TransferClient(server.uri(), UploadServer.KEY, stop, waits::add);
        try (DoneList done = DoneList.of(client, state, waits::add)) {
            run(client, done, sources);
        }
    }

    private void run(TransferClient client, DoneList done, String... sources) throws Exception {
        Upload.to(client, done, listener()).run(SourceFiles.find(List.of(sources)));
    }

    private UploadListener listener() {
        return new UploadListener() {
            @Override
            public void begin(int number, int files, String file) {}

            @Override
            public void sending(long lineFrom, int lines, int compressedBytes) {}

            @Override
            public void done(FileOutcome outcome) {
                outcomes.add(outcome);
            }
        };
    }

    private List<Status> statuses() {
        return outcomes.stream().map(FileOutcome::status).toList();
    }
}
