package dev.agentpipe.server.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.PathTemplateHandler;
import io.undertow.util.Methods;

/** The table of URLs. */
public final class Routes {

    private Routes() {}

    public static HttpHandler of(
            HttpHandler ingest,
            HttpHandler stream,
            HttpHandler realtimeStats,
            HttpHandler export,
            HttpHandler metricsSummary,
            HealthHandler health) {
        return new PathTemplateHandler(exchange -> Replies.problem(exchange, Problem.NOT_FOUND, null), false)
                .add("/api/ingest", new Resource().on(Methods.POST, ingest))
                .add("/api/realtime/stream", new Resource().on(Methods.GET, stream))
                .add("/api/stream", new Resource().on(Methods.GET, stream))
                .add("/api/realtime/stats", new Resource().onGet(realtimeStats))
                .add("/api/conversations/{id}/export", new Resource().onGet(export))
                .add("/api/metrics/summary", new Resource().onGet(metricsSummary))
                .add("/api/health", new Resource().onGet(health::health))
                .add("/api/health/live", new Resource().onGet(health::live))
                .add("/api/health/ready", new Resource().onGet(health::ready));
    }
}
