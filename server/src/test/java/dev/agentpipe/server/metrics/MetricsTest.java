package dev.agentpipe.server.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.agentpipe.server.AgentPipe;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.StartException;
import dev.agentpipe.server.TestRedis;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import dev.agentpipe.server.tls.TestTls;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** One server with everything that can be measured, and some of everything that can happen to it. */
final class MetricsTest {

    private static final Pattern DOCUMENTED = Pattern.compile(
            "^\\| `([a-z0-9_]+)` \\| (gauge|counter|histogram|summary) \\|([^|]*)\\|", Pattern.MULTILINE);
    private static final Pattern QUOTED = Pattern.compile("`([a-z_]+)`");
    private static final String SECRET_CONVERSATION = "conversation-of-nobody";

    private static TestRedis redis;
    private static TestServer server;
    private static String text;
    private static Exposed exposed;

    @BeforeAll
    static void useEverything() throws Exception {
        redis = TestRedis.start("maxmemory 64mb");
        server = TestServer.start(settings -> TestTls.on()
                .apply(settings)
                .metrics(true)
                .metricsPort(0)
                .canaryInterval(Duration.ofMillis(100))
                .redact(true)
                .redis(redis.url(), null));
        HttpClient client = TestTls.client(HttpClient.Version.HTTP_1_1);
        HttpRequest stream =
                HttpRequest.newBuilder(server.uri("/api/realtime/stream")).build();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                client.send(stream, BodyHandlers.ofInputStream()).body(), StandardCharsets.UTF_8))) {
            String message = TestServer.messageBody(SECRET_CONVERSATION, "m-1", "sk-ant-api03-" + "x".repeat(93));
            assertEquals(201, server.ingest(message).status());
            assertEquals(200, server.ingest(message).status());
            awaitLine(reader, "message.created");
        }
        assertEquals(400, server.ingest("{").status());
        assertEquals(
                400,
                server.ingest("{\"type\":\"nobody." + SECRET_CONVERSATION + "\"}")
                        .status());
        assertEquals(404, server.get("/api/" + SECRET_CONVERSATION).status());
        assertEquals(
                200, server.get("/api/conversations/" + SECRET_CONVERSATION).status());
        assertEquals(
                200, server.get("/api/conversations/" + SECRET_CONVERSATION).status());
        assertEquals(201, upload().status());
        server.get("/api/realtime/stream?replay=x");
        System.gc();
        Await.until("all was looked at", () -> {
            text = scrape("text/plain").response().body();
            exposed = Exposed.of(text);
            return exposed.value("agentpipe_canary_seconds_count") >= 2
                    && exposed.value("agentpipe_database_table_bytes") > 0
                    && exposed.value("agentpipe_stream_duration_seconds_count") >= 1
                    && exposed.value("agentpipe_redis_memory_bytes") > 0
                    && exposed.value("agentpipe_health_status") == 0
                    && exposed.value("agentpipe_broadcast_lag_positions") == 0
                    && exposed.value("jvm_gc_pause_seconds_count") > 0;
        });
    }

    @AfterAll
    static void stop() {
        server.close();
        redis.close();
    }

    private static void awaitLine(BufferedReader reader, String part) throws Exception {
        String line = reader.readLine();
        while (line != null && !line.contains(part)) {
            line = reader.readLine();
        }
    }

    private static Answer upload() {
        return server.send(HttpRequest.newBuilder(server.uri("/api/sessions/upload"))
                .header("Authorization", "Bearer " + TestServer.KEY)
                .header("Content-Type", "application/x-ndjson")
                .POST(BodyPublishers.ofString(TestServer.messageBody(SECRET_CONVERSATION, "m-2", "hello") + "\n"))
                .build());
    }

    private static Answer scrape(String accept) {
        return metrics("GET", "/metrics", accept);
    }

    private static Answer metrics(String method, String path, String accept) {
        URI uri = URI.create("http://127.0.0.1:" + server.metricsPort() + path);
        return server.send(HttpRequest.newBuilder(uri)
                .header("Accept", accept)
                .method(method, BodyPublishers.noBody())
                .build());
    }

    @Test
    void document_hasWhatIsExposed_andNothingElse() throws Exception {
        Map<String, String> documented = new TreeMap<>();
        Matcher line = DOCUMENTED.matcher(Files.readString(Path.of("../docs/METRICS.md")));
        while (line.find()) {
            Set<String> labels = new TreeSet<>();
            Matcher label = QUOTED.matcher(line.group(3));
            while (label.find()) {
                labels.add(label.group(1));
            }
            documented.put(line.group(1), line.group(2) + " " + labels);
            if (line.group(2).equals("histogram") || line.group(2).equals("summary")) {
                documented.put(line.group(1) + "_max", "gauge " + labels);
            }
        }
        Map<String, String> found = new TreeMap<>();
        exposed.families().forEach((name, family) -> found.put(name, family.type() + " " + family.labels()));

        assertEquals(documented, found);
    }

    @Test
    void labels_areNothingThatAClientHasSent() {
        assertFalse(text.contains(SECRET_CONVERSATION), "a client's word in the metrics");
        assertTrue(exposed.value("agentpipe_http_problems_total", "route", "other", "code", "not_found") >= 1);
        assertTrue(exposed.value("agentpipe_http_request_seconds_count", "route", "/api/conversations/{id}") >= 2);
    }

    @Test
    void values_areWhatHasHappened() {
        assertEquals(1, exposed.value("agentpipe_ingest_events_total", "type", "message.created", "outcome", "stored"));
        assertEquals(1, exposed.value("agentpipe_ingest_events_total", "outcome", "duplicate"));
        assertEquals(1, exposed.value("agentpipe_ingest_failed_total", "code", "invalid_json"));
        assertEquals(1, exposed.value("agentpipe_ingest_failed_total", "code", "unknown_event_type"));
        assertEquals(2, exposed.value("agentpipe_ingest_append_seconds_count"));
        assertEquals(2, exposed.value("agentpipe_ingest_group_events_sum"));
        assertEquals(2, exposed.value("agentpipe_database_query_seconds_count", "statement", "append"));
        assertEquals(2, exposed.value("agentpipe_ingest_commit_seconds_count"));
        assertEquals(
                4, exposed.value("agentpipe_http_request_seconds_count", "route", "/api/ingest", "method", "POST"));
        assertEquals(1, exposed.value("agentpipe_upload_seconds_count", "outcome", "stored"));
        assertEquals(1, exposed.value("agentpipe_streams_started_total", "start", "live"));
        assertEquals(1, exposed.value("agentpipe_streams_ended_total", "reason", "gone"));
        assertTrue(exposed.value("agentpipe_stream_deliveries_total") >= 1);
        assertTrue(exposed.value("agentpipe_stream_written_bytes_total") > 100);
        assertTrue(exposed.value("agentpipe_broadcast_delay_seconds_count") >= 1);
        assertTrue(exposed.value("agentpipe_redacted_total") >= 1);
        assertEquals(1, exposed.value("agentpipe_cache_requests_total", "result", "hit"));
        assertEquals(64 << 20, exposed.value("agentpipe_redis_memory_limit_bytes"));
        assertEquals(1, exposed.value("agentpipe_redis_up"));
        assertEquals(1, exposed.value("agentpipe_database_up"));
        assertEquals(0, exposed.value("agentpipe_health_status"));
        assertEquals(0, exposed.value("agentpipe_canary_failures_total"));
        for (String share : Set.of("agentpipe_disk_free_bytes", "agentpipe_machine_memory_available_bytes")) {
            double part = exposed.value(share)
                    / exposed.value(share.replace("_free_", "_size_").replace("_available_", "_size_"));
            assertTrue(part > 0 && part < 1, share + " " + part);
        }
        assertTrue(exposed.value("agentpipe_database_connections") >= 1);
        assertTrue(exposed.value("agentpipe_database_connections_limit")
                > exposed.value("agentpipe_database_connections"));
    }

    @Test
    void buckets_endWhereAlertsAre() {
        for (String border : Set.of("0.05", "0.2", "0.5", "1.0")) {
            assertTrue(text.contains("le=\"" + border + "\""), border);
        }
    }

    @Test
    void text_passesTheCheckOfPrometheus() throws Exception {
        Path promtool = Path.of("/usr/bin/promtool");
        assertTrue(Files.isExecutable(promtool) || !"true".equals(System.getenv("CI")), "CI needs promtool");
        assumeTrue(Files.isExecutable(promtool), "there is no promtool (Debian's package prometheus)");
        Process check = new ProcessBuilder(promtool.toString(), "check", "metrics")
                .redirectErrorStream(true)
                .start();
        check.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        check.getOutputStream().close();
        String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertTrue(check.waitFor(20, TimeUnit.SECONDS));
        assertEquals("", said);
        assertEquals(0, check.exitValue());
    }

    @Test
    void port_hasTheMetricsInBothFormats_andNothingElse() {
        Answer plain = scrape("*/*");
        Answer open = scrape("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3");

        assertEquals("text/plain; version=0.0.4; charset=utf-8", plain.header("Content-Type"));
        assertTrue(open.header("Content-Type").startsWith("application/openmetrics-text; version=1.0.0"));
        assertTrue(open.response().body().endsWith("# EOF\n"), "all of it");
        assertEquals(404, metrics("GET", "/", "*/*").status());
        assertEquals(404, metrics("GET", "/api/health", "*/*").status());
        assertEquals(405, metrics("POST", "/metrics", "*/*").status());
        assertEquals(404, server.get("/metrics").status(), "not on the server's own port");
    }

    @Test
    void port_taken_refusesTheStartAndSaysHowToMendIt() {
        int taken = server.metricsPort();

        StartException refused = assertThrows(
                StartException.class,
                () -> TestServer.on(
                                server.databaseUrl(),
                                settings -> settings.metrics(true).metricsPort(taken))
                        .close());

        for (String word : Set.of("port " + taken, "METRICS_PORT", "ENABLE_METRICS=false")) {
            assertTrue(refused.getMessage().contains(word), refused.getMessage());
        }
    }

    @Test
    void registryOfAnEmbedder_getsTheSame_withoutAPortAndWithoutTheJvm() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        Settings settings = Settings.builder()
                .environment(Settings.Environment.TEST)
                .apiKeys(List.of(new ApiKey(TestServer.KEY)))
                .port(0)
                .databaseUrl(server.databaseUrl())
                .metrics(false)
                .build();
        try (AgentPipe pipe = AgentPipe.start(settings, registry)) {
            assertTrue(pipe.metricsPort().isEmpty());
            assertEquals(1, registry.get("agentpipe.ready").gauge().value());
            assertTrue(registry.get("agentpipe.database.query").timers().size() > 1);
            assertTrue(registry.find("jvm.memory.used").gauges().isEmpty());
        }
        Set<String> names = new LinkedHashSet<>();
        registry.getMeters().forEach(meter -> names.add(meter.getId().getName().split("\\.")[0]));
        assertEquals(Set.of("agentpipe"), names);
    }
}
