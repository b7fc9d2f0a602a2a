package dev.agentpipe.server;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.tls.TestTls;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A server on a free port and a database of its own, and short words for what tests say to it. */
public final class TestServer implements AutoCloseable {

    public static final String KEY = "ap_test_a-key-for-tests-only";

    /** May delete, too. */
    public static final String ADMIN_KEY = "ap_test_an-admin-key-for-tests-only";

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String databaseUrl;
    private final AgentPipe pipe;
    private final HttpClient client = TestTls.client(HttpClient.Version.HTTP_2);

    private TestServer(String databaseUrl, UnaryOperator<SettingsBuilder> settings) {
        this.databaseUrl = databaseUrl;
        SecretsSearch.hide(KEY);
        SecretsSearch.hide(ADMIN_KEY);
        SettingsBuilder builder = Settings.builder()
                .environment(Settings.Environment.TEST)
                .apiKeys(List.of(new ApiKey(KEY)))
                .adminKeys(List.of(new ApiKey(ADMIN_KEY)))
                .host("127.0.0.1")
                .port(0)
                .databaseUrl(databaseUrl)
                .databasePoolMin(1)
                .databasePoolMax(6)
                .metrics(false)
                .rateLimits(Settings.RateLimits.OFF);
        this.pipe = AgentPipe.start(settings.apply(builder).build());
    }

    public static TestServer start() {
        return start(UnaryOperator.identity());
    }

    public static TestServer start(UnaryOperator<SettingsBuilder> settings) {
        return new TestServer(TestPostgres.newDatabase(), settings);
    }

    /** Another node on a database that is in use. */
    public static TestServer on(String databaseUrl, UnaryOperator<SettingsBuilder> settings) {
        return new TestServer(databaseUrl, settings);
    }

    public String databaseUrl() {
        return databaseUrl;
    }

    public int port() {
        return pipe.uri().getPort();
    }

    /** Of {@code /metrics}; only where the settings ask for it. */
    public int metricsPort() {
        return pipe.metricsPort().orElseThrow();
    }

    public URI uri(String path) {
        return pipe.uri().resolve(path);
    }

    /** A connection to the database, to see what is stored. */
    public Connection connect() throws SQLException {
        return TestPostgres.connect(databaseUrl);
    }

    /** An answer whose body is text, JSON in most cases. */
    public record Answer(int status, HttpResponse<String> response) {
        public JsonNode json() {
            return JSON.readTree(response.body());
        }

        public String header(String name) {
            return response.headers().firstValue(name).orElse(null);
        }

        @Override
        public String toString() {
            return status + " " + response.body();
        }
    }

    public Answer ingest(String body, String... headers) {
        return ingest(body.getBytes(StandardCharsets.UTF_8), headers);
    }

    /** Posts a body to ingest, with the key and as JSON unless the headers say otherwise. */
    public Answer ingest(byte[] body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri("/api/ingest"))
                .timeout(PATIENCE)
                .setHeader("Authorization", "Bearer " + KEY)
                .setHeader("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(body));
        for (int i = 0; i < headers.length; i += 2) {
            request.setHeader(headers[i], headers[i + 1]);
        }
        return send(request.build());
    }

    public Answer get(String path, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path)).timeout(PATIENCE);
        for (int i = 0; i < headers.length; i += 2) {
            request.setHeader(headers[i], headers[i + 1]);
        }
        return send(request.build());
    }

    public Answer send(HttpRequest request) {
        try {
            HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
            SecretsSearch.answered(response.headers().map() + response.body());
            return new Answer(response.statusCode(), response);
        } catch (IOException e) {
            throw new AssertionError(request + " failed", e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Opens a stream; {@code path} such as {@code /api/realtime/stream?named=true}. */
    public RawStream stream(String path, String... headers) throws IOException {
        return RawStream.open(port(), "HTTP/1.1", path, headers);
    }

    /** Posts a message of a conversation; returns its position. */
    public long message(String conversation, String id, String content) {
        Answer answer = ingest(messageBody(conversation, id, content));
        if (answer.status() != 201) {
            throw new AssertionError(answer.toString());
        }
        String eventId = answer.json().get("event_id").asString();
        return Long.parseLong(eventId.substring(eventId.lastIndexOf('-') + 1));
    }

    /** @param content as it stands in JSON */
    public static String messageBody(String conversation, String id, String content) {
        return "{\"type\":\"message.created\",\"timestamp\":\"2026-11-22T14:34:22.338448708Z\",\"data\":"
                + "{\"conversation_id\":\"" + conversation + "\",\"message_id\":\"" + id
                + "\",\"agent_type\":\"claude\",\"content\":\"" + content + "\"}}";
    }

    @Override
    public void close() {
        pipe.close();
    }
}
