package dev.agentpipe.server.http;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import io.undertow.util.PathTemplateMatch;

/** What handlers find out about a request, for those who tell of it at its end. Each is noted once, by whoever knows it. */
public final class RequestFacts {

    static final String NO_ROUTE = "(no route)";

    private static final AttachmentKey<String> CONVERSATION = AttachmentKey.create(String.class);
    private static final AttachmentKey<Problem> PROBLEM = AttachmentKey.create(Problem.class);

    private RequestFacts() {}

    /** @param id of the one conversation that the request is about; null for none */
    public static void noteConversation(HttpServerExchange exchange, String id) {
        if (id != null) {
            exchange.putAttachment(CONVERSATION, id);
        }
    }

    public static void noteProblem(HttpServerExchange exchange, Problem problem) {
        exchange.putAttachment(PROBLEM, problem);
    }

    /** As its client wrote it; null if the request is about none, or about several. */
    public static String conversation(HttpServerExchange exchange) {
        String noted = exchange.getAttachment(CONVERSATION);
        if (noted != null) {
            return noted;
        }
        PathTemplateMatch match = exchange.getAttachment(PathTemplateMatch.ATTACHMENT_KEY);
        return match == null || match.getParameters().isEmpty()
                ? null
                : match.getParameters().get("id");
    }

    /** The template of its URL in {@link Routes}; null if there is none, or it was refused before anybody looked. */
    public static String route(HttpServerExchange exchange) {
        PathTemplateMatch match = exchange.getAttachment(PathTemplateMatch.ATTACHMENT_KEY);
        return match == null ? null : match.getMatchedTemplate();
    }

    static String routeOrNone(HttpServerExchange exchange) {
        String route = route(exchange);
        return route == null ? NO_ROUTE : route;
    }

    /** What was answered, if that was a problem; else null. */
    public static Problem problem(HttpServerExchange exchange) {
        return exchange.getAttachment(PROBLEM);
    }

    /** How the key that was shown is named; null if none was, or nobody looked for it. */
    public static String keyId(HttpServerExchange exchange) {
        return Access.keyId(exchange);
    }
}
