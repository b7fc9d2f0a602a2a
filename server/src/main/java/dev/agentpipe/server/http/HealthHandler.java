package dev.agentpipe.server.http;

import dev.agentpipe.server.Health;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.StatusCodes;
import java.util.Map;

/** {@code GET /api/health} and its two short forms. Answers from memory, so it answers when all else hangs. */
public final class HealthHandler {

    private final Health health;

    public HealthHandler(Health health) {
        this.health = health;
    }

    void health(HttpServerExchange exchange) {
        Health.Report report = health.report();
        boolean up = report.status() != Health.Status.UNHEALTHY;
        Replies.json(exchange, up ? StatusCodes.OK : StatusCodes.SERVICE_UNAVAILABLE, report.body());
    }

    void live(HttpServerExchange exchange) {
        Replies.json(exchange, StatusCodes.OK, Map.of("status", "live"));
    }

    void ready(HttpServerExchange exchange) {
        if (health.isReady()) {
            Replies.json(exchange, StatusCodes.OK, Map.of("status", "ready"));
        } else {
            Replies.problem(exchange, Problem.SHUTTING_DOWN, null);
        }
    }
}
