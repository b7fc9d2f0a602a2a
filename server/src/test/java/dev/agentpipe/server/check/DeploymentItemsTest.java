package dev.agentpipe.server.check;

import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.agentpipe.server.AddressRanges;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.check.Deployment.Answer;
import dev.agentpipe.server.check.Deployment.Presented;
import dev.agentpipe.server.check.Deployment.StreamSeen;
import dev.agentpipe.server.check.Group.NotThereException;
import dev.agentpipe.server.sse.SseEvent;
import dev.agentpipe.server.tls.TestTls;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.nio.file.Files;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class DeploymentItemsTest {

    private static final Instant NOW = Instant.parse("2026-11-23T04:00:00Z");
    private static final SseEvent CONNECTED = new SseEvent("k7f3-1", "message", "{}");
    private static final Map<String, String> OF_STREAM =
            Map.of("Content-Type", "text/event-stream; charset=utf-8", "Cache-Control", "no-cache, no-transform");

    private static HttpHeaders headers(Map<String, String> values) {
        Map<String, List<String>> all = new TreeMap<>();
        values.forEach((name, value) -> all.put(name, List.of(value)));
        return HttpHeaders.of(all, (name, value) -> true);
    }

    private static Answer answer(int status, String body, Map<String, String> values) {
        return new Answer(status, headers(values), body, NOW);
    }

    private static Answer health(String status, String database) {
        return answer(
                200,
                "{\"status\":\"" + status + "\",\"version\":\"1.0\",\"checks\":{\"database\":{\"status\":\"" + database
                        + "\"},\"redis\":{\"status\":\"not_configured\"}}}",
                Map.of());
    }

    @Test
    void server_isThisProgram() {
        Judged.ok(DeploymentItems.server(health("healthy", "up")));
        Judged.failed(DeploymentItems.server(answer(200, "<html>", Map.of())), "something else answers");
        Judged.failed(DeploymentItems.server(answer(404, "", Map.of())), "404");
    }

    @Test
    void health_isToldWithWhatIsWrong() {
        Judged.ok(DeploymentItems.health(health("healthy", "up")), "healthy");
        Judged.warning(DeploymentItems.health(health("degraded", "up")), "degraded");
        Judged.failed(DeploymentItems.health(health("unhealthy", "down")), "database is down");
        Judged.failed(DeploymentItems.health(answer(502, "", Map.of())), "502");
        Judged.ok(DeploymentItems.ready(answer(200, "", Map.of())));
        Judged.warning(DeploymentItems.ready(answer(503, "", Map.of())), "503");
        Judged.ok(DeploymentItems.version(health("healthy", "up"), "1.0"));
        Judged.warning(DeploymentItems.version(health("healthy", "up"), "1.1"), "1.0 runs, this is 1.1");
    }

    @Test
    void clock_isThatOfTheAnswer() {
        Judged.ok(DeploymentItems.clock(answer(200, "", Map.of("Date", "Mon, 23 Nov 2026 04:00:01 GMT"))));
        Judged.warning(
                DeploymentItems.clock(answer(200, "", Map.of("Date", "Mon, 23 Nov 2026 03:59:55 GMT"))), "behind");
    }

    @Test
    void https_isNeededBeyondTheMachine() {
        Judged.ok(DeploymentItems.https(URI.create("HTTPS://pipe.example"), false, true));
        Judged.failed(DeploymentItems.https(URI.create("http://pipe.example"), false, false), "TLS_CERT");
        Judged.warning(DeploymentItems.https(URI.create("http://localhost"), true, true), "that clients use");
        Judged.ok(DeploymentItems.https(URI.create("http://localhost"), true, false));
    }

    @Test
    void certificate_isTrustedAndLasts() throws Exception {
        X509Certificate first;
        try (InputStream in = Files.newInputStream(TestTls.file("first.crt"))) {
            first = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        Instant end = first.getNotAfter().toInstant();
        Judged.ok(DeploymentItems.certificate(new Presented(first, ""), end.minus(Duration.ofDays(15))));
        Judged.warning(DeploymentItems.certificate(new Presented(first, ""), end.minus(Duration.ofDays(2))), "renew");
        Judged.failed(DeploymentItems.certificate(new Presented(first, ""), end), "expired");
        Judged.failed(
                DeploymentItems.certificate(new Presented(first, "no issuer"), end.minus(Duration.ofDays(15))),
                "clients refuse it: no issuer");
    }

    @Test
    void plainPort_sendsPagesOnAndRefusesTheApi() {
        Judged.ok(DeploymentItems.redirect(308, "https://pipe.example/", 403), "refused with 403");
        Judged.failed(DeploymentItems.redirect(200, "", 200), "the API answers without HTTPS");
        Judged.warning(DeploymentItems.redirect(301, "https://pipe.example/", 301), "sent on to HTTPS, not refused");
        Judged.warning(DeploymentItems.redirect(404, "", 404), "pages are not sent on");
        Judged.warning(DeploymentItems.redirect(301, "http://pipe.example/", 404), "pages are not sent on");
    }

    @Test
    void hsts_lastsHalfAYear() {
        Judged.ok(DeploymentItems.hsts("max-age=15552000"));
        Judged.ok(DeploymentItems.hsts("includeSubDomains; max-age=\"31536000\""));
        Judged.warning(DeploymentItems.hsts("max-age=15551999"), "HSTS_MAX_AGE");
        Judged.warning(DeploymentItems.hsts(""), "no Strict-Transport-Security");
    }

    @Test
    void headersForBrowsers_comeThrough() {
        Map<String, String> both = Map.of("X-Content-Type-Options", "nosniff", "Content-Security-Policy", "x");
        Judged.ok(DeploymentItems.browserHeaders(answer(200, "", both)));
        Judged.warning(
                DeploymentItems.browserHeaders(answer(200, "", Map.of("Content-Security-Policy", "x"))),
                "X-Content-Type-Options");
    }

    @Test
    void otherOrigins_areToldNothing() {
        Judged.ok(DeploymentItems.crossOrigin(""));
        Judged.ok(DeploymentItems.crossOrigin("https://app.example"));
        Judged.failed(DeploymentItems.crossOrigin("*"), "every page");
        Judged.failed(DeploymentItems.crossOrigin("https://agentpipe-check.invalid"), "every page");
    }

    @Test
    void reading_ofAPublicDeployment_takesAKey() {
        Judged.ok(DeploymentItems.reading(401, false, true), "takes a key");
        Judged.warning(DeploymentItems.reading(200, false, true), "--scopes read");
        Judged.ok(DeploymentItems.reading(200, true, true));
        Judged.ok(DeploymentItems.reading(200, false, false));
        Judged.failed(DeploymentItems.reading(500, false, true), "500");
    }

    @Test
    void proxy_thatEndsTls_isBelieved() throws Exception {
        URI url = URI.create("https://pipe.example");
        Judged.warning(DeploymentItems.proxies(Settings.builder().build(), url), "TRUSTED_PROXIES");
        Judged.ok(DeploymentItems.proxies(
                Settings.builder().trustedProxies(AddressRanges.LOOPBACK).build(), url));
        assertThrows(
                NotThereException.class,
                () -> DeploymentItems.proxies(Settings.builder().build(), URI.create("http://pipe.example")));
    }

    @Test
    void stream_isNotHeldBack() throws Exception {
        Duration soon = Duration.ofMillis(20);
        Judged.ok(DeploymentItems.stream(new StreamSeen(200, headers(OF_STREAM), CONNECTED, soon)), "20 ms");
        Judged.failed(
                DeploymentItems.stream(new StreamSeen(200, headers(OF_STREAM), null, Duration.ofSeconds(5))),
                "proxy_buffering off");
        Judged.warning(
                DeploymentItems.stream(new StreamSeen(200, headers(OF_STREAM), CONNECTED, Duration.ofMillis(2_100))),
                "2 s");
        Map<String, String> packed = new TreeMap<>(OF_STREAM);
        packed.put("Content-Encoding", "gzip");
        Judged.failed(DeploymentItems.stream(new StreamSeen(200, headers(packed), null, soon)), "gzip off");
        SseEvent overloaded = new SseEvent("", "overloaded", "{}");
        Judged.failed(
                DeploymentItems.stream(new StreamSeen(200, headers(OF_STREAM), overloaded, soon)), "too many streams");
        Map<String, String> changed = Map.of("Content-Type", "text/html", "Cache-Control", "no-transform");
        Judged.failed(DeploymentItems.stream(new StreamSeen(200, headers(changed), CONNECTED, soon)), "text/html");
        Map<String, String> cached = Map.of("Content-Type", "text/event-stream");
        Judged.warning(DeploymentItems.stream(new StreamSeen(200, headers(cached), CONNECTED, soon)), "no-transform");
        Judged.failed(DeploymentItems.stream(new StreamSeen(502, headers(Map.of()), null, soon)), "502");
        assertThrows(
                NotThereException.class,
                () -> DeploymentItems.stream(new StreamSeen(401, headers(Map.of()), null, soon)));
    }

    @Test
    void metrics_areThereAndNotPublic() {
        Judged.ok(DeploymentItems.metrics(200, "# HELP agentpipe_x"));
        Judged.failed(DeploymentItems.metrics(404, ""), "METRICS_PORT");
        Judged.ok(DeploymentItems.metricsPrivate(answer(404, "", Map.of())));
        Judged.failed(DeploymentItems.metricsPrivate(answer(200, "agentpipe_x 1", Map.of())), "everybody");
    }
}
