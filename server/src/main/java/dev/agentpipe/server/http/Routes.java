package dev.agentpipe.server.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.PathTemplateHandler;
import io.undertow.util.Methods;

/** The table of URLs. */
public final class Routes {

    private Routes() {}

    /** Handlers of what keys are turned into. */
    public record Sessions(HttpHandler whoAmI, HttpHandler logIn, HttpHandler logOut, HttpHandler ticket) {}

    /** What answers about conversations. */
    public record Conversations(
            HttpHandler list,
            HttpHandler one,
            HttpHandler delete,
            HttpHandler messages,
            HttpHandler export,
            HttpHandler recentMessages) {}

    /** The levels of the logs. */
    public record LogLevel(HttpHandler tell, HttpHandler change, HttpHandler reset) {}

    /** What describes all of this. */
    public record Documents(HttpHandler openApi, HttpHandler page, HttpHandler file) {}

    public static HttpHandler of(
            HttpHandler ingest,
            HttpHandler upload,
            HttpHandler stream,
            Conversations conversations,
            HttpHandler search,
            HttpHandler searchKinds,
            HttpHandler metricsSummary,
            HttpHandler realtimeStats,
            HealthHandler health,
            LogLevel logLevel,
            Documents documents,
            Sessions sessions) {
        HttpHandler table = new PathTemplateHandler(
                        exchange -> Replies.problem(exchange, Problem.NOT_FOUND, null), false)
                .add("/api/ingest", new Resource().on(Methods.POST, ingest))
                .add("/api/sessions/upload", new Resource().on(Methods.POST, upload))
                .add("/api/realtime/stream", new Resource().on(Methods.GET, stream))
                .add("/api/stream", new Resource().on(Methods.GET, stream))
                .add("/api/realtime/ticket", new Resource().on(Methods.POST, sessions.ticket()))
                .add(
                        "/api/session",
                        new Resource()
                                .onGet(sessions.whoAmI())
                                .on(Methods.POST, sessions.logIn())
                                .on(Methods.DELETE, sessions.logOut()))
                .add("/api/realtime/stats", new Resource().onGet(realtimeStats))
                .add("/api/conversations", new Resource().onGet(conversations.list()))
                .add(
                        "/api/conversations/{id}",
                        new Resource().onGet(conversations.one()).on(Methods.DELETE, conversations.delete()))
                .add("/api/conversations/{id}/messages", new Resource().onGet(conversations.messages()))
                .add("/api/conversations/{id}/export", new Resource().onGet(conversations.export()))
                .add("/api/messages/recent", new Resource().onGet(conversations.recentMessages()))
                .add("/api/search", new Resource().on(Methods.POST, search).onGet(searchKinds))
                .add("/api/metrics/summary", new Resource().onGet(metricsSummary))
                .add("/api/health", new Resource().onGet(health::health))
                .add("/api/health/live", new Resource().onGet(health::live))
                .add("/api/health/ready", new Resource().onGet(health::ready))
                .add(
                        "/api/admin/log-level",
                        new Resource()
                                .onGet(logLevel.tell())
                                .on(Methods.PUT, logLevel.change())
                                .on(Methods.DELETE, logLevel.reset()))
                .add("/api/openapi.json", new Resource().onGet(documents.openApi()))
                .add("/api/docs", new Resource().onGet(documents.page()))
                .add("/api/docs/{file}", new Resource().onGet(documents.file()));
        return exchange -> {
            String path = exchange.getRelativePath();
            if (path.indexOf('?')
                    >= 0) { // decoded, a part of an id; the templates would take it for a query's beginning
                exchange.setRelativePath(path.replace("?", "%3F"));
            }
            table.handleRequest(exchange);
        };
    }
}
