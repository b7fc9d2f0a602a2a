package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.TestServer;
import java.io.BufferedWriter;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Large uploads to a server with 256 MB of heap, while it takes events; and the end of the server in the middle of one.
 * {@code -Dtest.jvm.more=-Dupload.mib=64} makes them as large as they may be, and prints what they took.
 */
final class LargeUploadTest {

    private static final int MESSAGES = 10_000;
    private static final int MIB = Integer.getInteger("upload.mib", 16);
    private static final int UPLOAD_BYTES = MIB << 20;
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    @TempDir
    private Path folder;

    private final HttpClient client = HttpClient.newHttpClient();
    private ServerProcess server;
    private URI uri;

    @BeforeEach
    void start() throws IOException {
        server = new ServerProcess(
                folder.resolve("data"), Map.of("AGENTPIPE_BRIDGE_API_KEY", TestServer.KEY, "LOG_LEVEL", "debug"));
        uri = server.awaitReady();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void largestEventFileAndSession_besideLoad_areStoredAndNobodyLosesAnEvent() throws Exception {
        Path eventFile = write("events.jsonl", "", LargeUploadTest::event, "\n", "");
        Path session = write(
                "session.json",
                "{\"conversation\":{\"id\":\"session\",\"name\":\"n\",\"mode\":\"m\",\"initial_prompt\":\"p\","
                        + "\"started_at\":\"2026-11-22T10:00:00Z\",\"status\":\"COMPLETED\"},\"agents\":[],\"messages\":[",
                LargeUploadTest::message,
                ",\n",
                "]}");
        try (Load load = Load.startRepeating("m", () -> uri, TestServer.KEY, 4)) {
            load.awaitMore(100);
            long start = System.nanoTime();
            CompletableFuture<HttpResponse<String>> first = upload(eventFile, "application/x-ndjson");
            CompletableFuture<HttpResponse<String>> second = upload(session, "application/json");
            assertEquals(201, first.join().statusCode(), first.join()::body);
            assertEquals(201, second.join().statusCode(), second.join()::body);
            long millis = (System.nanoTime() - start) / 1_000_000;
            load.stop();
            if (Integer.getInteger("upload.mib") != null) {
                System.out.println(millis + " ms for both; slowest ingest " + load.slowest() + "; "
                        + Files.readAllLines(Path.of("/proc/" + server.handle().pid() + "/status")).stream()
                                .filter(line -> line.startsWith("VmHWM"))
                                .toList()
                        + server.output()
                                .lines()
                                .filter(line -> line.contains("appends waited"))
                                .toList());
            }
            assertEquals(0, load.refused(), "what the CLI would have lost");
            load.acknowledged(); // each answer was right
        }
        assertEquals(
                2L * MESSAGES, number("select count(*) from messages where conversation_id in ('file', 'session')"));
        assertEquals(MESSAGES, number("select count(*) from events where conversation_id = 'file'"));
        assertEquals(1, number("select count(*) from events where conversation_id = 'session'"));
        assertEquals(List.of(), server.complaints());
    }

    @Test
    void server_killedInTheMiddleOfAnUpload_hasNothingOfIt() throws Exception {
        Path eventFile = write("events.jsonl", "", LargeUploadTest::event, "\n", "");
        CompletableFuture<HttpResponse<String>> answer = upload(eventFile, "application/x-ndjson");
        Await.until("some of it is written", PATIENCE, () -> written() > UPLOAD_BYTES / 8);
        server.kill();
        try {
            answer.join();
            throw new AssertionError("it was answered before the kill: " + answer.join());
        } catch (CompletionException cutOff) {
            assertTrue(cutOff.getCause() instanceof IOException, cutOff::toString);
        }
        server = new ServerProcess(folder.resolve("data"), Map.of("AGENTPIPE_BRIDGE_API_KEY", TestServer.KEY));
        uri = server.awaitReady();
        for (String table : List.of("messages", "events", "event_identities", "conversations")) {
            assertEquals(0, number("select count(*) from " + table), table);
        }
    }

    private interface Line {
        String of(int number, String content);
    }

    /** Content that hardly can be compressed: the most work for whoever stores it. */
    private Path write(String name, String before, Line line, String between, String after) throws IOException {
        Path file = folder.resolve(name);
        Random random = new Random(name.hashCode());
        int contentBytes = UPLOAD_BYTES / MESSAGES - 300;
        StringBuilder content = new StringBuilder(contentBytes);
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            out.write(before);
            for (int i = 0; i < MESSAGES; i++) {
                content.setLength(0);
                while (content.length() < contentBytes) {
                    content.append(Long.toString(random.nextLong() >>> 1, 36)).append(' ');
                }
                out.write(i == 0 ? "" : between);
                out.write(line.of(i, content.toString()));
            }
            out.write(after);
        }
        assertTrue(
                Files.size(file) > UPLOAD_BYTES * 0.85 && Files.size(file) <= UPLOAD_BYTES,
                Files.size(file) + " bytes");
        return file;
    }

    private static String event(int number, String content) {
        return TestServer.messageBody("file", "file-" + number, content);
    }

    private static String message(int number, String content) {
        return "{\"agent_type\":\"claude\",\"agent_name\":\"A\",\"timestamp\":\"2026-11-22T10:00:00Z\",\"content\":\""
                + content + "\",\"sequence_number\":" + number + "}";
    }

    private CompletableFuture<HttpResponse<String>> upload(Path file, String type) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(uri.resolve("/api/sessions/upload"))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + TestServer.KEY)
                .header("Content-Type", type)
                .POST(BodyPublishers.ofFile(file))
                .build();
        return client.sendAsync(request, BodyHandlers.ofString());
    }

    /** Bytes of the messages, also those that are not committed. */
    private long written() {
        try {
            return number("select pg_total_relation_size('messages')");
        } catch (SQLException | IOException e) {
            throw new AssertionError(e);
        }
    }

    private long number(String query) throws SQLException, IOException {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }
}
