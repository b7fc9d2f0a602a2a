package dev.agentpipe.server.upload;

import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/** What tests of uploads share. */
final class Uploading {

    static final String EVENT_FILE = "application/x-ndjson";
    static final String SESSION = "application/json";

    /** What the CLI left behind: three event files, and two runs with {@code --json}. */
    static final List<String> FILES = List.of(
            "events_c1ca63b5-84b4-4e0f-89dc-6b1ca2f45402.jsonl",
            "events_ea11be4b-80d6-4b77-8fae-1a726fbe3403.jsonl",
            "events_e6508155-3713-401b-b5ab-0aff2ecb4130.jsonl",
            "stdout.json-run.jsonl",
            "stdout.driver-json.jsonl");

    private Uploading() {}

    static String file(String name) {
        try (InputStream in = Uploading.class.getResourceAsStream("/fixtures/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Answer upload(TestServer server, String type, String body, String... headers) {
        return upload(server, type, body.getBytes(StandardCharsets.UTF_8), headers);
    }

    static Answer upload(TestServer server, String type, byte[] body, String... headers) {
        return server.send(request(server, type, body, headers));
    }

    static HttpRequest request(TestServer server, String type, byte[] body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.uri("/api/sessions/upload"))
                .timeout(Duration.ofSeconds(60))
                .setHeader("Authorization", "Bearer " + TestServer.KEY)
                .setHeader("Content-Type", type)
                .POST(BodyPublishers.ofByteArray(body));
        for (int i = 0; i < headers.length; i += 2) {
            request.setHeader(headers[i], headers[i + 1]);
        }
        return request.build();
    }

    static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** All that is stored, but for what says when and where it came; in the order of the log. */
    static String state(TestServer server) {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        select jsonb_pretty(jsonb_build_object(
                            'events', (select jsonb_agg(to_jsonb(e) - '{position,received_at}'::text[] order by position)
                                from events e),
                            'identities', (select jsonb_agg(identity order by identity) from event_identities),
                            'messages', (select jsonb_agg(to_jsonb(m) - 'position' order by position) from messages m),
                            'agents', (select jsonb_agg(to_jsonb(a) order by conversation_id, ordinal)
                                from conversation_agents a),
                            'conversations', (select jsonb_agg(
                                to_jsonb(c) - '{created_at,last_received_at,source}'::text[] order by id)
                                from conversations c)))
                        """)) {
            row.next();
            return row.getString(1);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
