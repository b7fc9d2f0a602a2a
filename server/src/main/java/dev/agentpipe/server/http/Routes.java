package dev.agentpipe.server.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.RoutingHandler;
import io.undertow.util.Methods;

/** The table of URLs. */
public final class Routes {

    private Routes() {}

    public static HttpHandler of(HttpHandler ingest, HttpHandler stream, HealthHandler health) {
        RoutingHandler routes = new RoutingHandler();
        routes.add(Methods.POST, "/api/ingest", ingest);
        routes.add(Methods.GET, "/api/realtime/stream", stream);
        routes.add(Methods.GET, "/api/stream", stream);
        routes.add(Methods.GET, "/api/health", health::health);
        routes.add(Methods.GET, "/api/health/live", health::live);
        routes.add(Methods.GET, "/api/health/ready", health::ready);

        routes.setFallbackHandler(exchange -> Replies.problem(exchange, Problem.NOT_FOUND, null));
        routes.setInvalidMethodHandler(exchange -> Replies.problem(exchange, Problem.METHOD_NOT_ALLOWED, null));
        return new RequestId(routes);
    }
}
