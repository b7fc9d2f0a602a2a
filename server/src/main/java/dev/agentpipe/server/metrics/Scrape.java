package dev.agentpipe.server.metrics;

import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code GET /metrics}: a registry in the text of Prometheus, or of OpenMetrics. The only class that knows Prometheus. The text
 * is made by a thread of its own, one after the other, so that it holds up no I/O thread. Thread-safe.
 */
final class Scrape implements HttpHandler, AutoCloseable {

    private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";
    private static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /** Two Prometheus and somebody who looks. */
    private static final int WAITING_MAX = 8;

    private static final Logger log = LoggerFactory.getLogger(Scrape.class);

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final ThreadPoolExecutor thread = new ThreadPoolExecutor(
            1, 1, 60, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING_MAX), task -> new Thread(task, "metrics"));

    Scrape() {
        thread.allowCoreThreadTimeOut(true);
        // Names that Prometheus's own check refuses; and what only some collectors tell.
        registry.config()
                .meterFilter(MeterFilter.denyNameStartsWith("process.cpu.time"))
                .meterFilter(MeterFilter.denyNameStartsWith("system.cpu.count"))
                .meterFilter(MeterFilter.denyNameStartsWith("jvm.classes.loaded.count"))
                .meterFilter(MeterFilter.denyNameStartsWith("jvm.gc.concurrent"));
    }

    PrometheusMeterRegistry registry() {
        return registry;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        if (!exchange.getRequestPath().equals("/metrics")) {
            answer(exchange, StatusCodes.NOT_FOUND, "The metrics are at /metrics, and nothing else is here.\n");
        } else if (!exchange.getRequestMethod().equals(Methods.GET)) {
            exchange.getResponseHeaders().put(Headers.ALLOW, "GET");
            answer(exchange, StatusCodes.METHOD_NOT_ALLOWED, "GET it.\n");
        } else {
            exchange.dispatch(task -> execute(exchange, task), () -> write(exchange));
        }
    }

    private void execute(HttpServerExchange exchange, Runnable task) {
        try {
            thread.execute(task);
        } catch (RejectedExecutionException e) {
            answer(exchange, StatusCodes.SERVICE_UNAVAILABLE, "Too many ask at once.\n");
        }
    }

    private void write(HttpServerExchange exchange) {
        String accept = exchange.getRequestHeaders().getFirst(Headers.ACCEPT);
        String type = accept != null && accept.contains("application/openmetrics-text") ? OPEN_METRICS : TEXT;
        ByteArrayOutputStream text = new ByteArrayOutputStream(256 << 10);
        try {
            registry.scrape(text, type);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (RuntimeException e) {
            log.error("The metrics cannot be written", e);
            answer(exchange, StatusCodes.INTERNAL_SERVER_ERROR, "The metrics cannot be written, see the log.\n");
            return;
        }
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, type);
        exchange.getResponseSender().send(ByteBuffer.wrap(text.toByteArray()));
    }

    private static void answer(HttpServerExchange exchange, int status, String text) {
        exchange.setStatusCode(status);
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/plain; charset=utf-8");
        exchange.getResponseSender().send(text);
    }

    @Override
    public void close() {
        thread.shutdownNow();
        registry.close();
    }
}
