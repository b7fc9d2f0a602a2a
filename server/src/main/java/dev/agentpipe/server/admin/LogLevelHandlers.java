package dev.agentpipe.server.admin;

import dev.agentpipe.core.event.Violation;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Caller;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestBodies;
import dev.agentpipe.server.http.RequestId;
import dev.agentpipe.server.http.Routes;
import dev.agentpipe.server.http.Scope;
import dev.agentpipe.server.logs.LogLevels;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.StatusCodes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code /api/admin/log-level}: the levels of this server's logs, changed for a time. Thread-safe. */
public final class LogLevelHandlers {

    private static final int BODY_BYTES_MAX = 1 << 10;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Access access;
    private final Audit audit;
    private final LogLevels levels;
    private final RequestBodies bodies = new RequestBodies(BODY_BYTES_MAX, Integer.MAX_VALUE);

    public LogLevelHandlers(Access access, Audit audit, LogLevels levels) {
        this.access = access;
        this.audit = audit;
        this.levels = levels;
    }

    public Routes.LogLevel table() {
        return new Routes.LogLevel(forAdmins(this::tell), forAdmins(this::read), forAdmins(this::reset));
    }

    private HttpHandler forAdmins(HttpHandler handler) {
        return exchange -> {
            if (!access.allows(exchange, Scope.ADMIN)) {
                return;
            }
            if (levels.areChangeable()) {
                handler.handleRequest(exchange);
            } else {
                Replies.problem(
                        exchange,
                        Problem.LOG_LEVELS_FIXED,
                        "The program that this server is a part of does not log by Logback.");
            }
        };
    }

    private void tell(HttpServerExchange exchange) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("level", levels.level());
        body.put(
                "changes", levels.changes().stream().map(LogLevelHandlers::told).toList());
        Replies.json(exchange, StatusCodes.OK, body);
    }

    private static Map<String, Object> told(LogLevels.Change change) {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("logger", change.logger());
        told.put("level", change.level());
        told.put("until", change.until().toString());
        return told;
    }

    private void reset(HttpServerExchange exchange) {
        levels.reset();
        note(exchange, "log_level.reset", Map.of());
        Replies.empty(exchange, StatusCodes.NO_CONTENT);
    }

    private void read(HttpServerExchange exchange) {
        bodies.read(
                exchange,
                body -> change(exchange, body),
                failure -> Replies.problem(
                        exchange, Problem.REQUEST_TOO_LARGE, "It may have " + BODY_BYTES_MAX + " bytes."));
    }

    private void change(HttpServerExchange exchange, byte[] body) {
        JsonNode node;
        try {
            node = JSON.readTree(body);
        } catch (JacksonException e) {
            Replies.problem(exchange, Problem.INVALID_JSON, null);
            return;
        }
        List<Violation> violations = new ArrayList<>();
        String level = node.path("level").stringValue("");
        if (!LogLevels.LEVELS.contains(level)) {
            violations.add(new Violation("/level", "one of " + String.join(", ", LogLevels.LEVELS)));
        }
        JsonNode named = node.path("logger");
        String logger = isAbsent(named) ? LogLevels.ALL : named.stringValue("");
        String problem = levels.problem(logger);
        if (problem != null) {
            violations.add(new Violation("/logger", problem));
        }
        JsonNode seconds = node.path("seconds");
        long most = LogLevels.FOR_MAX.toSeconds();
        boolean isTime = seconds.isIntegralNumber()
                && seconds.canConvertToLong()
                && seconds.longValue() >= 1
                && seconds.longValue() <= most;
        if (!isAbsent(seconds) && !isTime) {
            violations.add(new Violation("/seconds", "a whole number from 1 to " + most));
        }
        if (!violations.isEmpty()) {
            Replies.problem(exchange, Problem.INVALID_PARAMETER, null, violations);
            return;
        }
        Duration time = isAbsent(seconds) ? LogLevels.FOR_DEFAULT : Duration.ofSeconds(seconds.longValue());
        note(exchange, "log_level.changed", told(levels.set(logger, level, time)));
        tell(exchange);
    }

    private static boolean isAbsent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    private void note(HttpServerExchange exchange, String what, Map<String, Object> change) {
        Map<String, Object> details = new LinkedHashMap<>();
        // Not by the names that every line of a log has.
        details.put("changedLogger", change.get("logger"));
        details.put("changedLevel", change.get("level"));
        details.put("until", change.get("until"));
        details.put("address", exchange.getSourceAddress().getHostString());
        details.put("requestId", RequestId.of(exchange));
        audit.note(what, access.caller(exchange).map(Caller::keyId).orElse(null), details);
    }
}
