package dev.agentpipe.server.upload;

import dev.agentpipe.core.event.UploadCheck.Invalid;
import dev.agentpipe.core.event.UploadCheck.Place;
import dev.agentpipe.core.event.UploadLimits;
import dev.agentpipe.core.log.UploadOutcome.Conflicts;
import dev.agentpipe.core.log.UploadOutcome.Stored;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.StatusCodes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The answers to uploads. */
final class UploadReplies {

    /** Of a file with more conversations the first ones are named. */
    private static final int CONVERSATIONS_NAMED_MAX = 1_000;

    private final UploadLimits limits;

    UploadReplies(UploadLimits limits) {
        this.limits = limits;
    }

    void stored(HttpServerExchange exchange, Stored stored) {
        List<String> ids = stored.conversationIds();
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("success", true);
        body.put("conversation_id", ids.isEmpty() ? null : ids.get(0));
        body.put("messages_created", stored.messages());
        body.put("participants_created", stored.participants());
        body.put("duplicates", stored.duplicates());
        if (ids.size() > 1) {
            body.put("conversation_ids", ids.subList(0, Math.min(ids.size(), CONVERSATIONS_NAMED_MAX)));
        }
        Replies.json(exchange, stored.head() > 0 ? StatusCodes.CREATED : StatusCodes.OK, body);
    }

    void invalid(HttpServerExchange exchange, Invalid invalid) {
        List<Place> places = invalid.violations();
        String detail = invalid.more() > 0
                ? "Nothing was stored: " + (places.size() + invalid.more()) + " things are wrong, of which "
                        + places.size() + " are listed."
                : places.size() == 1
                        ? "Nothing was stored" + where(places.get(0)) + ": "
                                + places.get(0).detail()
                        : "Nothing was stored: " + places.size() + " things are wrong.";
        Replies.problem(
                exchange,
                Problem.ofCode(invalid.code()),
                detail,
                places.stream().map(UploadReplies::error).toList());
    }

    private static String where(Place place) {
        return place.line() == null ? "" : " because of line " + place.line();
    }

    private static Map<String, Object> error(Place place) {
        Map<String, Object> error = new LinkedHashMap<>();
        if (place.line() != null) {
            error.put("line", place.line());
        }
        error.put("pointer", place.pointer());
        error.put("detail", place.detail());
        return error;
    }

    void conflicts(HttpServerExchange exchange, Conflicts conflicts, boolean isEventFile) {
        String detail = "A message with this id, but with other content or in another conversation, is stored.";
        List<Map<String, Object>> errors = conflicts.places().stream()
                .map(place -> error(
                        isEventFile
                                ? new Place(place, "/data/message_id", detail)
                                : new Place(null, "/messages/" + place + "/message_id", detail)))
                .toList();
        Replies.problem(exchange, Problem.MESSAGE_ID_CONFLICT, "Nothing was stored.", errors);
    }

    void tooLarge(HttpServerExchange exchange, String detail) {
        Replies.problem(exchange, Problem.UPLOAD_TOO_LARGE, detail);
    }

    void notPacked(HttpServerExchange exchange) {
        Replies.problem(
                exchange, Problem.INVALID_UPLOAD, "The body is not what its Content-Encoding says, or is cut off.");
    }

    void failed(HttpServerExchange exchange, Spool.Failure failure) {
        switch (failure) {
            case TOO_LARGE -> tooLarge(exchange, "An upload may have " + limits.bytesMax() + " bytes.");
            case NO_ROOM -> Replies.problem(exchange, Problem.TOO_MANY_UPLOADS, null);
            case NO_DISK -> Replies.problem(exchange, Problem.TOO_MANY_UPLOADS, "Its disk takes no more.");
        }
    }
}
