package dev.agentpipe.server.check;

import dev.agentpipe.server.Settings;
import dev.agentpipe.server.Version;
import dev.agentpipe.server.check.Deployment.Answer;
import dev.agentpipe.server.check.Deployment.Presented;
import dev.agentpipe.server.check.Deployment.StreamSeen;
import dev.agentpipe.server.check.Group.NotThereException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/** What a client sees of the running deployment, proxies and all. */
final class DeploymentItems {

    private static final String NGINX = "the location of conf/nginx/agentpipe-server.conf";
    private static final String NOBODY = "https://agentpipe-check.invalid";

    /** Half a year, less than which browsers' lists do not take. */
    private static final Duration HSTS_MIN = Duration.ofDays(180);

    /** A way that holds nothing back takes a round trip or two. */
    private static final Duration FIRST_FRAME_MAX = Duration.ofSeconds(2);

    private static final int HTTPS_PORT = 443;
    private static final int HTTP_PORT = 80;
    private static final Pattern MAX_AGE = Pattern.compile("(?i)(?:^|;)\\s*max-age=\"?(\\d{1,12})");

    private DeploymentItems() {}

    static Group<Deployment> group(Subject subject) {
        return new Group<>(
                "deployment",
                () -> Deployment.open(subject),
                "systemctl start agentpipe-server, or name the URL: agentpipe-server check URL",
                List.of(
                        new Item<>("server", "it answers at its URL", look -> server(look.health())),
                        new Item<>("health", "what it says of itself", look -> health(look.health())),
                        new Item<>("ready", "it wants traffic", look -> ready(look.get("/api/health/ready"))),
                        new Item<>(
                                "server_version",
                                "it runs the version of this program",
                                look -> version(look.health(), Version.current())),
                        new Item<>("server_clock", "its clock and this machine's", look -> clock(look.health())),
                        new Item<>(
                                "https",
                                "the way to it is encrypted",
                                look -> https(look.base(), look.isOnThisMachine(), subject.isProduction())),
                        new Item<>(
                                "certificate",
                                "the certificate that it shows",
                                look -> look.presented()
                                        .map(one -> certificate(one, subject.now()))
                                        .orElseThrow(() -> new NotThereException("there is none without HTTPS"))),
                        new Item<>("https_redirect", "the plain port", look -> redirect(subject, look)),
                        new Item<>("hsts", "browsers stay with HTTPS", DeploymentItems::hsts),
                        new Item<>(
                                "browser_headers",
                                "what keeps browsers safe comes through",
                                look -> browserHeaders(look.health())),
                        new Item<>("cross_origin", "pages of others may read nothing", DeploymentItems::crossOrigin),
                        new Item<>(
                                "reading",
                                "who may read",
                                look -> reading(
                                        look.get("/api/conversations?limit=1").status(),
                                        look.isOnThisMachine(),
                                        subject.isProduction())),
                        new Item<>(
                                "trusted_proxies",
                                "clients behind a proxy are told apart",
                                look -> proxies(subject.settings(), look.base())),
                        new Item<>(
                                "stream", "a stream opens, and nothing holds it back", look -> stream(look.stream())),
                        new Item<>("metrics", "the metrics are there", look -> metrics(subject, look)),
                        new Item<>(
                                "metrics_private",
                                "the metrics are not public",
                                look -> metricsPrivate(look.get("/metrics")))));
    }

    static Verdict server(Answer health) {
        boolean ours = json(health).path("checks").isObject();
        return ours
                ? Verdict.ok("it answers")
                : Verdict.failed(
                        "something else answers: /api/health gives " + health.status(), "mend the URL, or the proxy's");
    }

    static Verdict health(Answer answer) {
        JsonNode health = json(answer);
        String status = health.path("status").asString("");
        List<String> troubled = new ArrayList<>();
        health.path("checks").properties().forEach(check -> {
            String is = check.getValue().path("status").asString("");
            if (!is.equals("up") && !is.equals("not_configured")) {
                troubled.add(check.getKey() + " is " + is);
            }
        });
        String detail = status + (troubled.isEmpty() ? "" : ": " + String.join(", ", troubled));
        return switch (status) {
            case "healthy" -> Verdict.ok(detail);
            case "degraded" -> Verdict.warning(detail, "docs/RUNBOOK.md");
            case "unhealthy" -> Verdict.failed(detail + ": events are refused", "docs/RUNBOOK.md");
            default -> Verdict.failed("no health: " + answer.status(), "mend the URL, or the proxy's");
        };
    }

    static Verdict ready(Answer answer) {
        return answer.status() == 200
                ? Verdict.ok("ready")
                : Verdict.warning(answer.status() + ": it starts or stops", "wait, or journalctl -u agentpipe-server");
    }

    static Verdict version(Answer health, String own) {
        String running = json(health).path("version").asString("unknown");
        return running.equals(own)
                ? Verdict.ok(running)
                : Verdict.warning(
                        running + " runs, this is " + own + ": other items may judge wrongly",
                        "systemctl restart agentpipe-server, or use its own program");
    }

    static Verdict clock(Answer answer) {
        String date = answer.header("Date");
        if (date.isEmpty()) {
            return Verdict.skipped("it tells no time");
        }
        Instant there =
                ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        // It tells whole seconds, of which half of one is lost on average.
        Duration ahead = Duration.between(answer.at(), there.plusMillis(500));
        return DatabaseItems.clock("the server's", ahead.abs().toMillis() < 1_500 ? Duration.ZERO : ahead);
    }

    static Verdict https(URI url, boolean isLocal, boolean production) {
        if (url.getScheme().equalsIgnoreCase("https")) {
            return Verdict.ok("HTTPS");
        }
        String fix = "TLS_CERT and TLS_KEY (docs/tls.md), or a proxy; then check its https:// URL";
        if (isLocal) {
            return production
                    ? Verdict.warning("HTTP, on this machine: check it by the URL that clients use, too", fix)
                    : Verdict.ok("HTTP, on this machine");
        }
        return Verdict.failed("HTTP: keys and conversations can be read on their way", fix);
    }

    static Verdict certificate(Presented presented, Instant now) {
        Verdict expiry = ConfigurationItems.expiry(
                "it", presented.certificate().getNotAfter().toInstant(), now);
        return presented.untrusted().isEmpty()
                ? expiry
                : expiry.or(List.of(
                        Verdict.failed(
                                "clients refuse it: " + presented.untrusted(),
                                "one of a public CA with all its issuers, for the URL's name"),
                        expiry.status() == Verdict.Status.OK
                                ? Verdict.failed(expiry.detail(), "docs/tls.md")
                                : expiry));
    }

    private static Verdict redirect(Subject subject, Deployment look) throws Exception {
        URI url = look.base();
        if (!look.isEncrypted()) {
            throw new NotThereException("there is nothing to go to without HTTPS");
        }
        OptionalInt own =
                subject.settings().tls().map(Settings.Tls::redirectPort).orElseGet(OptionalInt::empty);
        int httpsPort = url.getPort() < 0 ? HTTPS_PORT : url.getPort();
        if (httpsPort != HTTPS_PORT && (own.isEmpty() || own.getAsInt() == 0)) {
            throw new NotThereException("which port is the plain one of " + httpsPort + " is not known");
        }
        int port = httpsPort == HTTPS_PORT ? HTTP_PORT : own.getAsInt();
        URI plain = new URI("http", null, url.getHost(), port, null, null, null);
        try {
            Answer page = look.get(URI.create(plain + "/"));
            Answer api = look.get(URI.create(plain + "/api/conversations?limit=1"));
            return redirect(page.status(), page.header("Location"), api.status());
        } catch (ConnectException | HttpTimeoutException closed) {
            return Verdict.ok("nothing listens at port " + port);
        }
    }

    static Verdict redirect(int pageStatus, String location, int apiStatus) {
        if (apiStatus == 200) {
            return Verdict.failed(
                    "the API answers without HTTPS: keys can be read on their way",
                    "HOST=127.0.0.1 behind a proxy, or HTTP_REDIRECT_PORT=80");
        }
        if (apiStatus >= 300 && apiStatus < 400) {
            return Verdict.warning(
                    "API calls are sent on to HTTPS, not refused: a wrong URL leaks its key and nobody notices",
                    "return 403 for /api/ at the plain port");
        }
        return pageStatus >= 300 && pageStatus < 400 && location.startsWith("https://")
                ? Verdict.ok("pages are sent on, API calls refused with " + apiStatus)
                : Verdict.warning(
                        "pages are not sent on to HTTPS: " + pageStatus, "HTTP_REDIRECT_PORT=80, or a proxy's");
    }

    private static Verdict hsts(Deployment look) throws NotThereException {
        if (!look.isEncrypted()) {
            throw new NotThereException("browsers heed it with HTTPS only");
        }
        if (look.base().getHost().equalsIgnoreCase("localhost")) {
            throw new NotThereException("nobody is told so as localhost, which is other programs, too");
        }
        return hsts(look.health().header("Strict-Transport-Security"));
    }

    static Verdict hsts(String header) {
        Matcher age = MAX_AGE.matcher(header);
        Duration max = age.find() ? Duration.ofSeconds(Long.parseLong(age.group(1))) : Duration.ZERO;
        String is = header.isEmpty() ? "no Strict-Transport-Security" : header;
        return max.compareTo(HSTS_MIN) < 0
                ? Verdict.warning(
                        is + ": a browser can be led to plain HTTP",
                        "HSTS_MAX_AGE=31536000; behind a proxy TRUSTED_PROXIES and X-Forwarded-Proto")
                : Verdict.ok(is);
    }

    static Verdict browserHeaders(Answer answer) {
        List<String> missing = new ArrayList<>();
        if (!answer.header("X-Content-Type-Options").equals("nosniff")) {
            missing.add("X-Content-Type-Options");
        }
        if (answer.header("Content-Security-Policy").isEmpty()) {
            missing.add("Content-Security-Policy");
        }
        return missing.isEmpty()
                ? Verdict.ok("they do")
                : Verdict.warning(
                        String.join(" and ", missing) + " did not come through", "let the proxy change no headers");
    }

    private static Verdict crossOrigin(Deployment look) throws IOException, InterruptedException {
        return crossOrigin(look.get("/api/health", "Origin", NOBODY).header("Access-Control-Allow-Origin"));
    }

    static Verdict crossOrigin(String allowed) {
        return allowed.equals("*") || allowed.equals(NOBODY) || allowed.equals("null")
                ? Verdict.failed(
                        "every page of the web may read answers",
                        "take Access-Control-Allow-Origin out of the proxy; ALLOWED_ORIGINS names who may")
                : Verdict.ok("a page that ALLOWED_ORIGINS does not name is told nothing");
    }

    static Verdict reading(int status, boolean isLocal, boolean production) {
        if (status == 200) {
            return production && !isLocal
                    ? Verdict.warning(
                            "open to everybody who reaches the URL",
                            "agentpipe-server keys create --name readers --scopes read")
                    : Verdict.ok("open to everybody who reaches the URL");
        }
        return status == 401
                ? Verdict.ok("takes a key")
                : Verdict.failed("/api/conversations answers " + status, "docs/RUNBOOK.md");
    }

    /** Settings that say "nobody but this machine", and a URL that others use, have a proxy between them. */
    static Verdict proxies(Settings settings, URI url) throws NotThereException {
        boolean ends =
                url.getScheme().equalsIgnoreCase("https") && settings.tls().isEmpty();
        if (!ends) {
            throw new NotThereException("the URL is the server's own");
        }
        return settings.trustedProxies().ranges().isEmpty()
                ? Verdict.warning(
                        "a proxy is in front and is not believed: all its clients share one limit, and there is no HSTS",
                        "TRUSTED_PROXIES=loopback, or the proxy's address")
                : Verdict.ok("believed: " + settings.trustedProxies().ranges().size() + " ranges");
    }

    static Verdict stream(StreamSeen seen) throws NotThereException {
        if (seen.status() == 401) {
            throw new NotThereException("reading takes a key, and there is none that may be sent this way: --key-file");
        }
        if (seen.status() != 200) {
            return Verdict.failed("a stream is answered with " + seen.status(), "docs/RUNBOOK.md, streams");
        }
        List<Verdict> problems = new ArrayList<>();
        Optional<String> encoding = seen.headers().firstValue("Content-Encoding");
        if (encoding.isPresent()) {
            problems.add(Verdict.failed(
                    "something compresses the stream (" + encoding.get() + "), and so holds events back",
                    "gzip off for text/event-stream: " + NGINX));
        } else if (seen.first() == null) {
            problems.add(Verdict.failed(
                    "no event within " + Amounts.time(seen.firstAfter()) + ": a proxy holds the stream back",
                    "proxy_buffering off: " + NGINX));
        } else if (seen.firstAfter().compareTo(FIRST_FRAME_MAX) > 0) {
            problems.add(Verdict.warning(
                    "its first event came after " + Amounts.time(seen.firstAfter()), "proxy_buffering off: " + NGINX));
        } else if (seen.first().type().equals("overloaded")) {
            problems.add(Verdict.failed("it is refused: too many streams, or no database", "SSE_MAX_CONNECTIONS"));
        }
        String type = seen.headers().firstValue("Content-Type").orElse("no type");
        if (!type.toLowerCase(Locale.ROOT).startsWith("text/event-stream")) {
            problems.add(Verdict.failed("it comes as " + type, "let the proxy change no headers"));
        }
        if (!seen.headers().firstValue("Cache-Control").orElse("").contains("no-transform")) {
            problems.add(Verdict.warning(
                    "Cache-Control: no-transform did not come through: proxies further on may hold it back",
                    "let the proxy change no headers"));
        }
        return Verdict.ok("its first event came after " + Amounts.time(seen.firstAfter()))
                .or(problems);
    }

    private static Verdict metrics(Subject subject, Deployment look) throws Exception {
        Settings.Metrics metrics = subject.settings().metrics();
        if (!metrics.enabled()) {
            return Verdict.warning("off: nobody is told of trouble", "ENABLE_METRICS=true");
        }
        if (metrics.port() == 0) {
            throw new NotThereException("METRICS_PORT is 0: which one it is, only the server knows");
        }
        URI url = URI.create("http://" + Subject.reachable(metrics.host()) + ":" + metrics.port() + "/metrics");
        try {
            Answer answer = look.get(url);
            return metrics(answer.status(), answer.body());
        } catch (ConnectException closed) {
            return Verdict.failed("nothing listens at " + url, "run this where METRICS_HOST can be reached");
        }
    }

    static Verdict metrics(int status, String body) {
        return status == 200 && body.contains("agentpipe_")
                ? Verdict.ok("they are")
                : Verdict.failed("no metrics: " + status, "ENABLE_METRICS=true, METRICS_HOST and METRICS_PORT");
    }

    static Verdict metricsPrivate(Answer answer) {
        return answer.status() == 200 && answer.body().contains("agentpipe_")
                ? Verdict.failed("everybody can read /metrics at the URL", "let the proxy pass on port PORT alone")
                : Verdict.ok("/metrics answers " + answer.status() + " at the URL");
    }

    private static JsonNode json(Answer answer) {
        try {
            return JsonMapper.shared().readTree(answer.body());
        } catch (JacksonException notJson) {
            return MissingNode.getInstance();
        }
    }
}
