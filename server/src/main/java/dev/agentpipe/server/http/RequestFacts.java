package dev.agentpipe.server.http;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import io.undertow.util.PathTemplateMatch;

/** What handlers find out about a request, for those who tell of it at its end. Each is noted once, by whoever knows it. */
public final class RequestFacts {

    private static final AttachmentKey<Problem> PROBLEM = AttachmentKey.create(Problem.class);

    private RequestFacts() {}

    public static void noteProblem(HttpServerExchange exchange, Problem problem) {
        exchange.putAttachment(PROBLEM, problem);
    }

    /** The template of its URL in {@link Routes}; null if there is none, or it was refused before anybody looked. */
    public static String route(HttpServerExchange exchange) {
        PathTemplateMatch match = exchange.getAttachment(PathTemplateMatch.ATTACHMENT_KEY);
        return match == null ? null : match.getMatchedTemplate();
    }

    /** What was answered, if that was a problem; else null. */
    public static Problem problem(HttpServerExchange exchange) {
        return exchange.getAttachment(PROBLEM);
    }
}
