package dev.agentpipe.server.http;

/** What a {@link Read} has found. */
public sealed interface Answer {

    /**
     * A JSON body.
     *
     * @param isPlaced whether {@code streamPosition} is to be put into it: the id from which a stream misses nothing that
     *     the body does not have
     */
    record Body(byte[] json, boolean isPlaced) implements Answer {}

    /** 404. */
    record NotFound(String detail) implements Answer {}

    static Answer json(Object body) {
        return new Body(Json.bytes(body), false);
    }

    /** @param body what becomes a JSON object, without a member {@code streamPosition} */
    static Answer withStreamPosition(Object body) {
        return new Body(Json.bytes(body), true);
    }

    static Answer notFound(String detail) {
        return new NotFound(detail);
    }
}
