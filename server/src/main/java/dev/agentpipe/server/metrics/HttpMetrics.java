package dev.agentpipe.server.metrics;

import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.RequestFacts;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.undertow.server.ExchangeCompletionListener;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Requests by route, method and status. A route is the template that the table of URLs has; what is not in it is {@code
 * other}. Thread-safe.
 */
final class HttpMetrics {

    static final String UPLOAD_ROUTE = "/api/sessions/upload";

    private static final Set<HttpString> METHODS = Set.of(
            Methods.GET, Methods.HEAD, Methods.POST, Methods.PUT, Methods.PATCH, Methods.DELETE, Methods.OPTIONS);
    private static final HttpString OTHER_METHOD = new HttpString("other");
    private static final String OTHER_ROUTE = "other";
    private static final String[] STATUSES = {"aborted", "1xx", "2xx", "3xx", "4xx", "5xx"};

    private final Meters meters;
    private final Map<String, Map<HttpString, AtomicReferenceArray<Timer>>> requests = new ConcurrentHashMap<>();
    private final Map<String, Map<Problem, Counter>> problems = new ConcurrentHashMap<>();
    private final Timer uploadsStored;
    private final Timer uploadsRefused;
    private final Timer uploadsFailed;

    HttpMetrics(Meters meters) {
        this.meters = meters;
        this.uploadsStored = upload("stored");
        this.uploadsRefused = upload("refused");
        this.uploadsFailed = upload("failed");
    }

    private Timer upload(String outcome) {
        return meters.timer("agentpipe.upload", "Uploads", Meters.UPLOAD, "outcome", outcome);
    }

    HttpHandler inFrontOf(HttpHandler next) {
        return exchange -> {
            exchange.addExchangeCompleteListener(new End(System.nanoTime()));
            next.handleRequest(exchange);
        };
    }

    private final class End implements ExchangeCompletionListener {
        private final long startNanos;

        End(long startNanos) {
            this.startNanos = startNanos;
        }

        @Override
        public void exchangeEvent(HttpServerExchange exchange, NextListener others) {
            try {
                count(exchange, System.nanoTime() - startNanos);
            } finally {
                others.proceed();
            }
        }
    }

    private void count(HttpServerExchange exchange, long nanos) {
        String template = RequestFacts.route(exchange);
        String route = template == null ? OTHER_ROUTE : template;
        Problem problem = RequestFacts.problem(exchange);
        if (problem != null) {
            problem(route, problem).increment();
        }
        String type = exchange.getResponseHeaders().getFirst(Headers.CONTENT_TYPE);
        if (type != null && type.startsWith("text/event-stream")) {
            return;
        }
        int status = exchange.isResponseStarted() ? Math.min(exchange.getStatusCode() / 100, 5) : 0;
        request(route, exchange.getRequestMethod(), status).record(nanos, TimeUnit.NANOSECONDS);
        if (route.equals(UPLOAD_ROUTE)) {
            Timer upload = status == 5 ? uploadsFailed : status == 2 ? uploadsStored : uploadsRefused;
            upload.record(nanos, TimeUnit.NANOSECONDS);
        }
    }

    Timer request(String route, HttpString method, int status) {
        HttpString known = METHODS.contains(method) ? method : OTHER_METHOD;
        AtomicReferenceArray<Timer> timers = requests.computeIfAbsent(route, unseen -> new ConcurrentHashMap<>())
                .computeIfAbsent(known, unseen -> new AtomicReferenceArray<>(STATUSES.length));
        Timer timer = timers.get(status);
        if (timer == null) {
            timer = meters.timer(
                    "agentpipe.http.request",
                    "From a request's head to the end of its answer, without streams",
                    Meters.LATENCY,
                    "route",
                    route,
                    "method",
                    known.toString(),
                    "status",
                    STATUSES[status]);
            timers.set(status, timer);
        }
        return timer;
    }

    private Counter problem(String route, Problem problem) {
        return problems.computeIfAbsent(route, unseen -> new ConcurrentHashMap<>())
                .computeIfAbsent(
                        problem,
                        unseen -> meters.counter(
                                "agentpipe.http.problems",
                                null,
                                "Answers that were problems, by their code",
                                "route",
                                route,
                                "code",
                                unseen.code()));
    }
}
