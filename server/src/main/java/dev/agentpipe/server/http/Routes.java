package dev.agentpipe.server.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.PathTemplateHandler;
import io.undertow.util.Methods;

/** The table of URLs. */
public final class Routes {

    private Routes() {}

    /** Handlers of what keys are turned into. */
    public record Sessions(HttpHandler whoAmI, HttpHandler logIn, HttpHandler logOut, HttpHandler ticket) {}

    /** @param sessions the methods of {@code /api/session}, and that of tickets */
    public static HttpHandler of(HttpHandler ingest, HttpHandler stream, HealthHandler health, Sessions sessions) {
        return new PathTemplateHandler(exchange -> Replies.problem(exchange, Problem.NOT_FOUND, null), false)
                .add("/api/ingest", new Resource().on(Methods.POST, ingest))
                .add("/api/realtime/stream", new Resource().on(Methods.GET, stream))
                .add("/api/stream", new Resource().on(Methods.GET, stream))
                .add("/api/realtime/ticket", new Resource().on(Methods.POST, sessions.ticket()))
                .add(
                        "/api/session",
                        new Resource()
                                .onGet(sessions.whoAmI())
                                .on(Methods.POST, sessions.logIn())
                                .on(Methods.DELETE, sessions.logOut()))
                .add("/api/health", new Resource().onGet(health::health))
                .add("/api/health/live", new Resource().onGet(health::live))
                .add("/api/health/ready", new Resource().onGet(health::ready));
    }
}
