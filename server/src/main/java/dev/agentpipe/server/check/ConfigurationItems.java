package dev.agentpipe.server.check;

import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.KeyFile;
import dev.agentpipe.server.Origin;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.check.Group.NotThereException;
import dev.agentpipe.server.tls.Certificates;
import dev.agentpipe.server.tls.UnusableCertificateException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** What the settings say, and the files that they name. */
final class ConfigurationItems {

    private static final String MAKE_KEY =
            "AGENTPIPE_BRIDGE_API_KEY=\"ap_live_$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')\"";
    private static final Pattern LIVE = Pattern.compile("ap_live_[A-Za-z0-9_-]{43,}");
    private static final Pattern TEST = Pattern.compile("ap_test_[A-Za-z0-9_-]{32,}");

    /** What people write who mean to replace it later. */
    private static final Pattern PLACEHOLDER = Pattern.compile(
            "(?i).*(secret|password|changeme|change-me|example|your[-_]?key|api[-_]key|test-key|12345).*");

    private static final int DISTINCT_CHARS_MIN = 12;
    private static final int CHARS_MIN = 20;

    /** nginx gives up a connection that says nothing for 60 s, and so do most load balancers. */
    private static final Duration HEARTBEAT_MAX = Duration.ofSeconds(55);

    /** An honest conversation of quick agents has 20 messages a minute. */
    private static final double EVENTS_A_MINUTE_MIN = 30;

    static final Duration CERTIFICATE_SOON = Duration.ofDays(14);

    private ConfigurationItems() {}

    static Group<Subject> group(Subject subject) {
        return new Group<>(
                "configuration",
                () -> subject,
                "see README.md",
                List.of(
                        new Item<>("environment", "what the server is run for", of -> environment(of.settings())),
                        new Item<>(
                                "api_keys",
                                "form and strength of the keys in the settings",
                                of -> apiKeys(of.settings())),
                        new Item<>("env_file", "who may read the file of the settings", ConfigurationItems::envFile),
                        new Item<>("key_file", "who may read the generated key", ConfigurationItems::keyFile),
                        new Item<>("tls_key_file", "who may read the private key of TLS", ConfigurationItems::tlsKey),
                        new Item<>(
                                "tls_certificate",
                                "the certificate in the settings",
                                ConfigurationItems::tlsCertificate),
                        new Item<>("audit_log", "who may read the audit", ConfigurationItems::auditLog),
                        new Item<>("allowed_origins", "pages that may read answers", of -> origins(of.settings())),
                        new Item<>(
                                "rate_limits",
                                "how much one caller may do",
                                of -> rateLimits(of.settings().rateLimits())),
                        new Item<>(
                                "retention",
                                "how long events are kept",
                                of -> retention(of.settings().eventRetention())),
                        new Item<>(
                                "heartbeat",
                                "the sign of life of a silent stream",
                                of -> heartbeat(of.settings().streams().heartbeat())),
                        new Item<>("log_format", "logs that programs can read", of -> logFormat(of.settings())),
                        new Item<>("log_level", "how much is logged", of -> logLevel(of.settings()))));
    }

    static Verdict environment(Settings settings) {
        String label = settings.environment().label();
        return settings.environment() == Settings.Environment.PRODUCTION
                ? Verdict.ok(label)
                : Verdict.warning(
                        label + ": defaults are those of a workplace, and errors tell of the inside",
                        "AGENTPIPE_ENV=production");
    }

    static Verdict apiKeys(Settings settings) {
        boolean production = settings.environment() == Settings.Environment.PRODUCTION;
        List<Verdict> problems = new ArrayList<>();
        List<ApiKey> all = new ArrayList<>(settings.apiKeys());
        all.addAll(settings.adminKeys());
        all.forEach(key -> keyProblem(key, production).ifPresent(problems::add));
        if (new HashSet<>(all).size() < all.size()) {
            problems.add(Verdict.warning(
                    "a key is there twice: as an admin key it may do everything",
                    "a key of its own in AGENTPIPE_ADMIN_API_KEY"));
        }
        String names = String.join(", ", all.stream().map(ApiKey::toString).toList());
        return Verdict.ok(all.isEmpty() ? "none in the settings: one is generated" : names)
                .or(problems);
    }

    private static Optional<Verdict> keyProblem(ApiKey key, boolean production) {
        String value = key.value();
        if (LIVE.matcher(value).matches() && isVaried(value)) {
            return Optional.empty();
        }
        if (TEST.matcher(value).matches() && isVaried(value)) {
            return production ? Optional.of(Verdict.warning(key + " is a key for tests", MAKE_KEY)) : Optional.empty();
        }
        if (value.length() < CHARS_MIN
                || !isVaried(value)
                || PLACEHOLDER.matcher(value).matches()) {
            String what = key + " can be guessed: it is short, repeats itself, or says that it is a placeholder";
            return Optional.of(production ? Verdict.failed(what, MAKE_KEY) : Verdict.warning(what, MAKE_KEY));
        }
        return Optional.of(Verdict.warning(
                key + " has not the form ap_live_ and 43 random characters, by which leaks are found", MAKE_KEY));
    }

    private static boolean isVaried(String value) {
        return value.chars().distinct().count() >= DISTINCT_CHARS_MIN;
    }

    private static Verdict envFile(Subject subject) throws Exception {
        if (subject.files().isEmpty()) {
            throw new NotThereException("the settings come from the environment: name their file with --env-file");
        }
        List<Verdict> problems = new ArrayList<>();
        List<String> shown = new ArrayList<>();
        for (Path file : subject.files()) {
            Verdict one = Secrecy.of(file.toAbsolutePath()).verdict();
            shown.add(one.detail());
            if (one.status() != Verdict.Status.OK) {
                problems.add(one);
            }
        }
        return Verdict.ok(String.join("; ", shown)).or(problems);
    }

    private static Verdict keyFile(Subject subject) throws Exception {
        return Secrecy.of(KeyFile.in(subject.settings().dataDir())).verdict();
    }

    private static Verdict tlsKey(Subject subject) throws Exception {
        return Secrecy.of(tls(subject).key()).verdict();
    }

    private static Verdict auditLog(Subject subject) throws Exception {
        Path file = subject.settings()
                .logging()
                .audit()
                .orElseThrow(() -> new NotThereException("AUDIT_LOG is not set: the audit is among the logs"));
        return Secrecy.of(file.toAbsolutePath()).verdict();
    }

    private static Settings.Tls tls(Subject subject) throws NotThereException {
        return subject.settings().tls().orElseThrow(() -> new NotThereException("TLS_CERT is not set"));
    }

    private static Verdict tlsCertificate(Subject subject) throws Exception {
        Settings.Tls tls = tls(subject);
        if (!Files.isReadable(tls.key())) {
            throw new NotThereException("this user may not read " + tls.key());
        }
        try {
            Instant expiry = new Certificates(tls.cert(), tls.key(), Clock.systemUTC()).expiry();
            return expiry(tls.cert().toString(), expiry, subject.now());
        } catch (UnusableCertificateException e) {
            return Verdict.failed(e.getMessage(), "docs/tls.md tells what TLS_CERT and TLS_KEY have to hold");
        }
    }

    static Verdict expiry(String what, Instant expiry, Instant now) {
        String until = what + " is valid until " + expiry.atZone(ZoneOffset.UTC).toLocalDate();
        Duration left = Duration.between(now, expiry);
        if (left.isNegative() || left.isZero()) {
            return Verdict.failed(until + ": it has expired", "renew the certificate; the server reads it by itself");
        }
        return left.compareTo(CERTIFICATE_SOON) < 0
                ? Verdict.warning(
                        until + ", for " + Amounts.time(left), "renew the certificate, such as  certbot renew")
                : Verdict.ok(until);
    }

    static Verdict origins(Settings settings) {
        List<Origin> origins = settings.listen().allowedOrigins();
        List<String> plain = origins.stream()
                .map(Origin::value)
                .filter(origin -> origin.startsWith("http://"))
                .toList();
        List<Verdict> problems = plain.isEmpty() || settings.environment() != Settings.Environment.PRODUCTION
                ? List.of()
                : List.of(Verdict.warning(
                        String.join(", ", plain) + ": whoever is in between can change such a page, and read by it",
                        "ALLOWED_ORIGINS with https:// origins alone"));
        return Verdict.ok(
                        origins.isEmpty()
                                ? "none but the server's own"
                                : String.join(
                                        ", ",
                                        origins.stream().map(Origin::value).toList()))
                .or(problems);
    }

    static Verdict rateLimits(Settings.RateLimits limits) {
        List<Verdict> problems = new ArrayList<>();
        Set<String> off = new LinkedHashSet<>();
        if (limits.ingestMax() == 0) {
            off.add("RATE_LIMIT_MAX_REQUESTS");
        }
        if (limits.uploadsPerMinute() == 0) {
            off.add("RATE_LIMIT_UPLOADS");
        }
        if (limits.readsPerMinute() == 0) {
            off.add("RATE_LIMIT_READS");
        }
        if (limits.streamsPerAddress() == 0) {
            off.add("RATE_LIMIT_STREAMS");
        }
        if (!off.isEmpty()) {
            problems.add(Verdict.warning(
                    String.join(", ", off) + " is 0: one caller may take all there is",
                    "leave out " + String.join(" and ", off) + " for its default"));
        }
        double perMinute = 60.0 * limits.ingestMax() / limits.ingestWindow().toSeconds();
        if (limits.ingestMax() > 0 && perMinute < EVENTS_A_MINUTE_MIN) {
            problems.add(Verdict.warning(
                    String.format(
                            Locale.ROOT,
                            "%.0f events a minute and conversation: the CLI never sends again what gets 429",
                            perMinute),
                    "RATE_LIMIT_MAX_REQUESTS=100 and RATE_LIMIT_WINDOW_SECONDS=60"));
        }
        return Verdict.ok("%d events in %d s, %d uploads and %d reads a minute, %d streams"
                        .formatted(
                                limits.ingestMax(),
                                limits.ingestWindow().toSeconds(),
                                limits.uploadsPerMinute(),
                                limits.readsPerMinute(),
                                limits.streamsPerAddress()))
                .or(problems);
    }

    static Verdict retention(Duration retention) {
        return retention.isZero()
                ? Verdict.warning("events are kept for ever: the disk will fill", "EVENT_RETENTION_DAYS=30")
                : Verdict.ok(retention.toDays() + " days");
    }

    static Verdict heartbeat(Duration heartbeat) {
        String every = "every " + Amounts.time(heartbeat);
        return heartbeat.compareTo(HEARTBEAT_MAX) > 0
                ? Verdict.warning(
                        every + ": proxies cut a connection that is silent for 60 s", "SSE_HEARTBEAT_INTERVAL=30000")
                : Verdict.ok(every);
    }

    static Verdict logFormat(Settings settings) {
        return settings.environment() == Settings.Environment.PRODUCTION
                        && settings.logging().format() == Settings.LogFormat.TEXT
                ? Verdict.warning("text: who collects logs cannot search for its fields", "LOG_FORMAT=json")
                : Verdict.ok(settings.logging().format().name().toLowerCase(Locale.ROOT));
    }

    static Verdict logLevel(Settings settings) {
        String level = settings.logging().level().name().toLowerCase(Locale.ROOT);
        return switch (settings.logging().level()) {
            case TRACE, DEBUG ->
                settings.environment() == Settings.Environment.PRODUCTION
                        ? Verdict.warning(level + ": it slows the server and fills the disk", "LOG_LEVEL=info")
                        : Verdict.ok(level);
            case ERROR ->
                Verdict.warning("error: warnings, which come before failures, are not seen", "LOG_LEVEL=info");
            case INFO, WARN -> Verdict.ok(level);
        };
    }
}
