package dev.agentpipe.server.limits;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.server.AddressRanges;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Caller;
import dev.agentpipe.server.http.EventLimit;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestScope;
import dev.agentpipe.server.http.Scope;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.SameThreadExecutor;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * What a server lets a caller do, in front of its handlers: counts what comes, holds what comes a little too early, and refuses
 * the rest. Its methods are called on I/O threads, and do not block. Thread-safe.
 */
public final class Limits implements EventLimit, AutoCloseable {

    private static final HttpString RATE_LIMIT = HttpString.tryFromString("RateLimit");
    private static final HttpString RATE_LIMIT_POLICY = HttpString.tryFromString("RateLimit-Policy");

    /** How often is told who was refused. */
    public static final Duration TELL = Duration.ofMinutes(1);

    private static final Duration MINUTE = Duration.ofMinutes(1);

    /** Requests that wait, with their bodies. Those beyond it go on at once: their places are taken already. */
    private static final int HELD_MAX = 1_024;

    private static final int CONVERSATION_CHARS_MAX = 64;
    private static final Runnable NOTHING = () -> {};

    private final Quota events;
    private final Quota uploads;
    private final Quota reads;
    private final Settings.RateLimits settings;
    private final AddressRanges proxies;
    private final Access access;
    private final RateLimiter limiter;
    private final StreamPlaces streamPlaces;
    private final Refusals refusals;
    private final LimitCounts counts = new LimitCounts();
    private final int heldMax;
    private final AtomicInteger held = new AtomicInteger();

    /**
     * @param proxies those that are trusted
     * @param shared the tallies that this node shares with others
     * @param refuseStream answers a stream that may not be, so that its reader comes back
     */
    public Limits(
            Settings.RateLimits settings,
            AddressRanges proxies,
            Access access,
            Optional<SharedTallies> shared,
            StreamRefusal refuseStream,
            Audit audit) {
        this(settings, proxies, access, shared, refuseStream, audit, System::nanoTime, HELD_MAX);
    }

    Limits(
            Settings.RateLimits settings,
            AddressRanges proxies,
            Access access,
            Optional<SharedTallies> shared,
            StreamRefusal refuseStream,
            Audit audit,
            LongSupplier nanoTime,
            int heldMax) {
        this.settings = settings;
        this.proxies = proxies;
        this.heldMax = heldMax;
        this.access = access;
        this.events = new Quota("ingest", "events of a conversation", settings.ingestMax(), settings.ingestWindow());
        this.uploads = new Quota("upload", "uploads", settings.uploadsPerMinute(), MINUTE);
        this.reads = new Quota("read", "reads", settings.readsPerMinute(), MINUTE);
        this.refusals = new Refusals(audit);
        this.streamPlaces = new StreamPlaces(settings.streamsPerAddress(), refuseStream, counts, refusals);
        long windowMax = Math.max(MINUTE.toNanos(), settings.ingestWindow().toNanos());
        this.limiter = new RateLimiter(new Tallies(windowMax, nanoTime), shared, counts);
    }

    /** How a stream is answered that may not be. */
    public interface StreamRefusal {
        void answer(HttpServerExchange exchange, Problem problem);
    }

    public LimitCounts counts() {
        return counts;
    }

    /** Tells who was refused since the last time. To be called once a minute. */
    public void tell() {
        refusals.tell();
    }

    @Override
    public void admit(HttpServerExchange exchange, List<Event> some, Consumer<Runnable> append) {
        if (events.isOff()) {
            append.accept(NOTHING);
            return;
        }
        Subject subject = Subject.of(access.caller(exchange).orElseThrow());
        List<Charge> charges = charges(subject.tally(), some);
        limiter.take(
                charges,
                exchange.getIoThread(),
                decision -> goOn(exchange, decision, subject, () -> append.accept(() -> limiter.giveBack(charges))));
    }

    private List<Charge> charges(String key, List<Event> some) {
        if (some.size() == 1) {
            return List.of(Charge.of(events, tally(key, some.get(0)), 1));
        }
        Map<String, Integer> tallies = new HashMap<>();
        some.forEach(event -> tallies.merge(tally(key, event), 1, Integer::sum));
        return tallies.entrySet().stream()
                .map(entry -> Charge.of(events, entry.getKey(), entry.getValue()))
                .toList();
    }

    /** What is of no conversation has a tally of its own. */
    private static String tally(String key, Event event) {
        String conversation = event.envelope().conversationId();
        if (conversation == null) {
            return key;
        }
        return key + ':' + (conversation.length() <= CONVERSATION_CHARS_MAX ? conversation : digest(conversation));
    }

    private static String digest(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /**
     * Counts for the key, but not for an administrator's: who may delete everything may also move hundreds of files in.
     * Whoever brings none that is good, is refused behind this.
     */
    public HttpHandler uploads(HttpHandler next) {
        return exchange -> {
            Optional<Caller> caller = access.caller(exchange);
            if (uploads.isOff() || caller.isEmpty() || caller.get().may(Scope.ADMIN)) {
                next.handleRequest(exchange);
            } else {
                limit(exchange, uploads, Subject.of(caller.get()), next);
            }
        };
    }

    /** Counts for the key, or for the address of whoever sends none, also if the browser has a session. */
    public HttpHandler reads(HttpHandler next) {
        return exchange -> {
            Optional<Caller> caller = exchange.getRequestHeaders().contains(Headers.AUTHORIZATION)
                    ? access.caller(exchange)
                    : Optional.empty();
            if (reads.isOff() || caller.isEmpty() && isExempt(exchange)) {
                next.handleRequest(exchange);
            } else {
                limit(exchange, reads, caller.map(Subject::of).orElseGet(() -> Subject.of(exchange)), next);
            }
        };
    }

    /** Counts those that are open, for the address. */
    public HttpHandler streams(HttpHandler next) {
        return exchange -> {
            if (settings.streamsPerAddress() == 0
                    || isExempt(exchange)
                    || streamPlaces.enter(exchange, Subject.of(exchange))) {
                next.handleRequest(exchange);
            }
        };
    }

    /** Never a proxy that tells its clients' addresses: what is left with its own is somebody who confused it. */
    private boolean isExempt(HttpServerExchange exchange) {
        InetAddress address = exchange.getSourceAddress().getAddress();
        return address != null && settings.exempt().contains(address) && !proxies.contains(address);
    }

    private void limit(HttpServerExchange exchange, Quota quota, Subject subject, HttpHandler next) throws Exception {
        List<Charge> charges = List.of(Charge.of(quota, subject.tally(), 1));
        Runnable goOn = () -> exchange.dispatch(SameThreadExecutor.INSTANCE, next);
        if (limiter.isAlone()) {
            limiter.take(charges, exchange.getIoThread(), decision -> goOn(exchange, decision, subject, goOn));
        } else {
            exchange.dispatch(
                    SameThreadExecutor.INSTANCE,
                    RequestScope.step(
                            exchange,
                            () -> limiter.take(
                                    charges,
                                    exchange.getIoThread(),
                                    decision -> goOn(exchange, decision, subject, goOn))));
        }
    }

    private void goOn(HttpServerExchange exchange, Decision decision, Subject subject, Runnable next) {
        RequestScope.run(exchange, () -> {
            setHeaders(exchange.getResponseHeaders(), decision);
            if (decision.isRefused()) {
                refuse(exchange, decision, subject);
            } else if (decision.waitNanos() > 0) {
                hold(exchange, decision.waitNanos(), next);
            } else {
                next.run();
            }
        });
    }

    private void hold(HttpServerExchange exchange, long nanos, Runnable next) {
        if (held.incrementAndGet() > heldMax) {
            held.decrementAndGet();
            next.run();
            return;
        }
        counts.held.increment();
        Runnable goOn = () -> {
            held.decrementAndGet();
            RequestScope.run(exchange, next);
        };
        exchange.dispatch(
                SameThreadExecutor.INSTANCE,
                () -> exchange.getIoThread().executeAfter(goOn, nanos, TimeUnit.NANOSECONDS));
    }

    private void refuse(HttpServerExchange exchange, Decision decision, Subject subject) {
        counts.refused.increment();
        Quota quota = decision.quota();
        refusals.count(quota.name(), subject);
        exchange.getResponseHeaders().put(Headers.RETRY_AFTER, Long.toString(seconds(decision.waitNanos())));
        Replies.problem(
                exchange,
                Problem.RATE_LIMITED,
                "At most " + quota.max() + " " + quota.unit() + " in "
                        + quota.window().toSeconds() + " seconds; nothing was done.");
    }

    private static void setHeaders(HeaderMap headers, Decision decision) {
        Quota quota = decision.quota();
        headers.put(RATE_LIMIT_POLICY, quota.policy());
        headers.put(
                RATE_LIMIT,
                '"' + quota.name() + "\";r=" + decision.remaining() + ";t=" + seconds(decision.moreNanos()));
    }

    private static long seconds(long nanos) {
        return (nanos + TimeUnit.SECONDS.toNanos(1) - 1) / TimeUnit.SECONDS.toNanos(1);
    }

    /** Requests that wait. */
    int held() {
        return held.get();
    }

    @Override
    public void close() {
        limiter.close();
    }
}
