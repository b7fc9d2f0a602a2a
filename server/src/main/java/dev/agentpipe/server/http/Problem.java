package dev.agentpipe.server.http;

import io.undertow.util.StatusCodes;
import java.util.Locale;

/**
 * All that can go wrong with a request, as programs see it: the {@code code} of a problem is this name in lower case, and
 * stays the same for ever.
 */
public enum Problem {
    INVALID_JSON(StatusCodes.BAD_REQUEST, "The body is not valid JSON"),
    TOO_DEEP(StatusCodes.BAD_REQUEST, "The body is nested too deeply"),
    DUPLICATE_KEY(StatusCodes.BAD_REQUEST, "The body has a duplicate key"),
    INVALID_EVENT(StatusCodes.BAD_REQUEST, "The event is not valid"),
    UNKNOWN_EVENT_TYPE(StatusCodes.BAD_REQUEST, "The type of the event is not known"),
    INVALID_UPLOAD(StatusCodes.BAD_REQUEST, "The upload is not valid"),
    INVALID_PARAMETER(StatusCodes.BAD_REQUEST, "A parameter is not valid"),
    INVALID_REQUEST(StatusCodes.BAD_REQUEST, "The request is not valid HTTP"),
    KEY_IN_URL(StatusCodes.BAD_REQUEST, "A key must not be part of a URL"),
    UNAUTHORIZED(StatusCodes.UNAUTHORIZED, "A valid API key is needed"),
    FORBIDDEN(StatusCodes.FORBIDDEN, "The API key may not do this"),
    HTTPS_REQUIRED(StatusCodes.FORBIDDEN, "This is served over HTTPS alone"),
    NOT_FOUND(StatusCodes.NOT_FOUND, "There is nothing here"),
    METHOD_NOT_ALLOWED(StatusCodes.METHOD_NOT_ALLOWED, "The method is not allowed here"),
    MESSAGE_ID_CONFLICT(StatusCodes.CONFLICT, "The message id is taken by another message"),
    EVENT_TOO_LARGE(StatusCodes.REQUEST_ENTITY_TOO_LARGE, "The event is too large"),
    BATCH_TOO_LARGE(StatusCodes.REQUEST_ENTITY_TOO_LARGE, "The batch has too many events"),
    REQUEST_TOO_LARGE(StatusCodes.REQUEST_ENTITY_TOO_LARGE, "The request is too large"),
    RATE_LIMITED(StatusCodes.TOO_MANY_REQUESTS, "There were too many of these requests"),
    TOO_MANY_TOKENS(StatusCodes.TOO_MANY_REQUESTS, "The API key has as many of these as it may"),
    UPLOAD_TOO_LARGE(StatusCodes.REQUEST_ENTITY_TOO_LARGE, "The upload is too large"),
    UNSUPPORTED_MEDIA_TYPE(StatusCodes.UNSUPPORTED_MEDIA_TYPE, "The content type is not supported"),
    INTERNAL_ERROR(StatusCodes.INTERNAL_SERVER_ERROR, "The server has failed"),
    LOG_LEVELS_FIXED(StatusCodes.NOT_IMPLEMENTED, "The levels of the logs cannot be changed"),
    QUEUE_FULL(StatusCodes.SERVICE_UNAVAILABLE, "The server has more to store than it can hold"),
    TOO_MANY_READS(StatusCodes.SERVICE_UNAVAILABLE, "The server has more to look up than it can"),
    TOO_MANY_UPLOADS(StatusCodes.SERVICE_UNAVAILABLE, "The server has more uploads than it can hold"),
    DATABASE_UNAVAILABLE(StatusCodes.SERVICE_UNAVAILABLE, "The database is not available"),
    TOO_MANY_EXPORTS(StatusCodes.SERVICE_UNAVAILABLE, "The server has as many exports under way as it may"),
    TOO_MANY_STREAMS(StatusCodes.SERVICE_UNAVAILABLE, "The server has as many streams as it may"),
    SHUTTING_DOWN(StatusCodes.SERVICE_UNAVAILABLE, "The server is stopping");

    private final int status;
    private final String title;

    Problem(int status, String title) {
        this.status = status;
        this.title = title;
    }

    /** The problem with this code. */
    public static Problem ofCode(String code) {
        return valueOf(code.toUpperCase(Locale.ROOT));
    }

    public int status() {
        return status;
    }

    String title() {
        return title;
    }

    public String code() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The request was fine and the server was not: worth another try. */
    boolean isTransient() {
        return status == StatusCodes.SERVICE_UNAVAILABLE;
    }
}
