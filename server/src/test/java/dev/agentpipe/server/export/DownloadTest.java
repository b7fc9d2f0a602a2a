package dev.agentpipe.server.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Exports of long conversations, to clients of all kinds. */
final class DownloadTest {

    private static final int MESSAGES = 4_000;

    private static TestServer server;
    private static Stored stored;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        stored = new Stored(server);
        // The messages below are put in at positions up to there.
        stored.execute(
                "insert into events (position, type, event_at, payload) values (10000, 'bridge.test', now(), '{}')");
    }

    @AfterAll
    static void stop() {
        stored.close();
        server.close();
    }

    /** 4,000 messages of 5 kB, 20 MB in all, in the reverse of their numbers; some have no number, and two the same. */
    private static String longConversation(String id) {
        server.message(id, id + "-first", "x");
        stored.execute(
                "insert into messages (conversation_id, position, message_id, agent_type, content, sequence_number,"
                        + " created_at) select '" + id
                        + "', n, 'm' || n, 'claude', n || ' ' || repeat(md5(n::text), 160),"
                        + " case when n % 10 > 0 then " + MESSAGES + " - n / 2 end, now() - n * interval '1 second'"
                        + " from generate_series(1, " + (MESSAGES - 1) + ") as n");
        return id;
    }

    private static List<String> orderOf(String id) {
        return stored
                .rows("messages", "conversation_id = ? order by sequence_number, created_at, position", id)
                .stream()
                .map(row -> row.get("message_id").stringValue())
                .toList();
    }

    private static List<String> messageIds(String json) {
        List<String> ids = new ArrayList<>();
        for (JsonNode message : JsonMapper.shared().readTree(json).get("messages")) {
            ids.add(message.get("message_id").stringValue());
        }
        return ids;
    }

    @Test
    void longConversation_isWholeAndInOrder() {
        String id = longConversation("long");
        assertEquals(
                orderOf(id),
                messageIds(
                        server.get("/api/conversations/long/export").response().body()));
        Answer lines = server.get("/api/conversations/long/export?format=jsonl");
        assertEquals(MESSAGES, lines.response().body().lines().count());
    }

    /** Reads chunks; the body so far, and whether it came to its end. */
    private record Body(String text, boolean isComplete) {}

    private static final class Client implements AutoCloseable {

        private final Socket socket = new Socket();
        private final DataInputStream in;

        Client(String path) throws IOException {
            socket.setReceiveBufferSize(16 << 10);
            socket.connect(new java.net.InetSocketAddress("127.0.0.1", server.port()));
            socket.setSoTimeout(30_000);
            socket.getOutputStream()
                    .write(RawHttp.head("GET " + path + " HTTP/1.1", 0).getBytes(StandardCharsets.US_ASCII));
            in = new DataInputStream(socket.getInputStream());
            assertTrue(line(in).contains("200"));
            while (!line(in).isEmpty()) {
                // headers
            }
        }

        Body rest() throws IOException {
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            try {
                for (int size = chunk(); size > 0; size = chunk()) {
                    body.write(in.readNBytes(size));
                    line(in);
                }
                return new Body(body.toString(StandardCharsets.UTF_8), true);
            } catch (IOException cut) {
                return new Body(body.toString(StandardCharsets.UTF_8), false);
            }
        }

        private int chunk() throws IOException {
            return Integer.parseInt(line(in), 16);
        }

        private static String line(InputStream in) throws IOException {
            StringBuilder line = new StringBuilder();
            for (int c = in.read(); c != '\n'; c = in.read()) {
                if (c < 0) {
                    throw new IOException("cut off");
                }
                line.append((char) c);
            }
            return line.toString().strip();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    @Test
    void messagesThatComeMeanwhile_areNotInIt() throws Exception {
        String id = longConversation("meanwhile");
        List<String> before = orderOf(id);
        try (Client client = new Client("/api/conversations/meanwhile/export")) {
            server.message(id, "late", "x");
            Body body = client.rest();
            assertTrue(body.isComplete);
            assertEquals(before, messageIds(body.text));
        }
    }

    @Test
    void deletedMeanwhile_isCutOff_notEnded() throws Exception {
        longConversation("deleted");
        try (Client client = new Client("/api/conversations/deleted/export?format=csv")) {
            stored.execute("delete from messages where conversation_id = 'deleted'");
            Body body = client.rest();
            assertFalse(body.isComplete);
            assertTrue(body.text.length() > 100_000, "what was read before");
        }
    }

    /** As many as may be under way stop reading: they hold no thread. When they have gone, their places are free. */
    @Test
    void clientsThatDoNotRead_holdNoThread() throws Exception {
        longConversation("stalled");
        List<Client> clients = new ArrayList<>();
        try {
            for (int i = 0; i < ExportHandler.EXPORTS_MAX; i++) {
                clients.add(new Client("/api/conversations/stalled/export"));
            }
            Answer full = server.get("/api/conversations/stalled/export");
            assertEquals(503, full.status());
            assertEquals("too_many_exports", full.json().get("code").stringValue());
            assertEquals(200, server.get("/api/metrics/summary").status(), "other reads go on");
        } finally {
            for (Client client : clients) {
                client.close();
            }
        }
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (server.get("/api/conversations/stalled/export?format=csv").status() == 503) {
            assertTrue(System.nanoTime() < deadline, "places are given back");
        }
    }
}
