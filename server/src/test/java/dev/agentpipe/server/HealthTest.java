package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.TestServer.Answer;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

final class HealthTest {

    /** More connections than workers. */
    private final TestServer server = TestServer.start(settings -> settings.databasePoolMax(24));

    @AfterEach
    void stop() {
        server.close();
    }

    private String status() {
        return server.get("/api/health").json().get("status").stringValue();
    }

    @Test
    void report_ofAHealthyServer_hasTheShapeOfTheContract() throws IOException {
        Instant before = Instant.now().minusMillis(1);
        long position = server.message("c", "m", "x");
        try (RawStream stream = server.stream("/api/stream")) {
            stream.block();
            Await.until("position", () -> stream(server).get("position").longValue() == position);

            Answer answer = server.get("/api/health");

            assertEquals(200, answer.status());
            assertEquals("application/json; charset=utf-8", answer.header("Content-Type"));
            assertEquals("no-store", answer.header("Cache-Control"));
            JsonNode health = answer.json();
            assertEquals(
                    List.of("status", "timestamp", "version", "uptimeSeconds", "checks"),
                    List.copyOf(health.propertyNames()));
            assertEquals("healthy", health.get("status").stringValue());
            Instant timestamp = Instant.parse(health.get("timestamp").stringValue());
            assertTrue(!timestamp.isBefore(before) && !timestamp.isAfter(Instant.now()), timestamp.toString());
            assertEquals(Version.current(), health.get("version").stringValue());
            assertTrue(health.get("uptimeSeconds").isIntegralNumber());
            JsonNode checks = health.get("checks");
            assertEquals(List.of("database", "redis", "stream"), List.copyOf(checks.propertyNames()));
            assertEquals("up", checks.at("/database/status").stringValue());
            assertTrue(checks.at("/database/latencyMs").doubleValue() >= 0);
            assertEquals("{\"status\":\"not_configured\"}", checks.get("redis").toString());
            assertEquals(
                    "{\"status\":\"up\",\"connections\":1,\"position\":" + position
                            + ",\"ended\":{\"gone\":0,\"stalled\":0,"
                            + "\"aged\":0,\"shutdown\":0,\"not_retained\":0,\"forbidden\":0,\"failed\":0}}",
                    checks.get("stream").toString());
        }
        assertEquals(
                "{\"status\":\"live\"}", server.get("/api/health/live").json().toString());
        assertEquals(
                "{\"status\":\"ready\"}", server.get("/api/health/ready").json().toString());
        Await.until(
                "the stream is gone", () -> stream(server).get("connections").intValue() == 0);
        assertEquals(1, stream(server).at("/ended/gone").intValue());
        Await.until(
                "time passes",
                () -> server.get("/api/health").json().get("uptimeSeconds").longValue() >= 1);
    }

    private static JsonNode stream(TestServer server) {
        return server.get("/api/health").json().at("/checks/stream");
    }

    @Test
    void database_away_isUnhealthyAndBackIsHealthy() throws Exception {
        try (RawStream stream = server.stream("/api/stream")) {
            stream.block();
            close(server.databaseUrl());
            Await.until("unhealthy", () -> status().equals("unhealthy"));

            Answer health = server.get("/api/health");
            assertEquals(503, health.status());
            assertEquals(
                    "{\"status\":\"down\"}",
                    health.json().at("/checks/database").toString());
            assertEquals(200, server.get("/api/health/live").status());
            Answer refused = server.ingest(TestServer.messageBody("c", "m", "x"));
            assertEquals(503, refused.status());
            assertEquals("database_unavailable", refused.json().get("code").stringValue());

            elsewhere("alter database " + name(server.databaseUrl()) + " allow_connections true");
            Await.until("healthy", () -> status().equals("healthy"));
            Await.until(
                    "taken",
                    () -> server.ingest(TestServer.messageBody("c", "m", "x")).status() < 300);
            assertTrue(stream.event().contains("\"message_id\":\"m\""), "the stream stayed open");
        }
    }

    private static void close(String databaseUrl) throws SQLException {
        elsewhere("alter database " + name(databaseUrl) + " allow_connections false");
        elsewhere("select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + name(databaseUrl) + "'");
    }

    private static String name(String databaseUrl) {
        return databaseUrl.replaceAll(".*/|\\?.*", "");
    }

    private static void elsewhere(String sql) throws SQLException {
        try (Connection other = TestPostgres.connect(TestPostgres.newDatabase());
                Statement statement = other.createStatement()) {
            statement.execute(sql);
        }
    }

    @Test
    void draining_isNotReadyAndDegraded() throws Exception {
        Thread closing = new Thread(server::close);
        try (RawStream stream = server.stream("/api/stream");
                RawHttp http = RawHttp.open(server.port())) {
            stream.block();
            assertEquals(200, ask(http, "/api/health/ready").status());

            closing.start();
            Await.until("draining", () -> !ask(http, "/api/health").body().contains("\"healthy\""));

            RawHttp.Answer health = ask(http, "/api/health");
            assertEquals(200, health.status(), "it does its job still");
            assertEquals("degraded", health.json().get("status").stringValue());
            assertEquals("draining", health.json().at("/checks/stream/status").stringValue());
            assertEquals(200, ask(http, "/api/health/live").status());
            RawHttp.Answer ready = ask(http, "/api/health/ready");
            assertEquals(503, ready.status());
            assertEquals("shutting_down", ready.json().get("code").stringValue());
        }
        closing.join(TimeUnit.SECONDS.toMillis(12));
    }

    private static RawHttp.Answer ask(RawHttp http, String path) {
        try {
            return http.write("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n").read();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Streams from the past need workers, which hang on a lock; the report goes on, and stays fresh. */
    @Test
    void workers_allHanging_doNotHoldUpTheReport() throws Exception {
        List<RawHttp> streams = new ArrayList<>();
        try (Stored lock = new Stored(server);
                Stored watch = new Stored(server)) {
            lock.execute("begin; lock table event_log in access exclusive mode");
            for (int i = 0; i < 20; i++) {
                streams.add(RawHttp.open(server.port()).write("GET /api/stream?replay=1 HTTP/1.1\r\nHost: x\r\n\r\n"));
            }
            Await.until("16 workers hang", () -> waiting(watch) >= 16);

            JsonNode seen = server.get("/api/health").json();
            long asked = System.nanoTime();
            Await.until(
                    "another look",
                    () -> !server.get("/api/health")
                            .json()
                            .at("/checks/database/latencyMs")
                            .equals(seen.at("/checks/database/latencyMs")));
            assertTrue(System.nanoTime() - asked < Duration.ofSeconds(4).toNanos());
            assertEquals("healthy", status());
            assertTrue(waiting(watch) >= 16, "still hanging");
            lock.execute("rollback");
        }
        for (RawHttp stream : streams) {
            stream.close();
        }
    }

    private static long waiting(Stored watch) {
        return watch.count("pg_stat_activity", "wait_event_type = 'Lock' and datname = current_database()");
    }
}
