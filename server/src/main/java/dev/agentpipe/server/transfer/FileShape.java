package dev.agentpipe.server.transfer;

import java.io.IOException;
import java.io.InputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** What a file holds, by its first bytes. */
enum FileShape {
    /** An event a line. */
    EVENTS,
    /** One object {@code {"conversation": …, "agents": …, "messages": …}}. */
    SESSION,
    /** Some other JSON or no JSON at all. */
    OTHER,
    EMPTY;

    /** So far is looked; members before the telling one are small in all files that we know. */
    private static final int LOOKED_AT_BYTES = 1 << 16;

    private static final JsonFactory JSON = new JsonFactory();

    /** @param in a stream that can be marked; is left where it was */
    static FileShape of(InputStream in) throws IOException {
        in.mark(LOOKED_AT_BYTES);
        byte[] first = in.readNBytes(LOOKED_AT_BYTES);
        in.reset();
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), first)) {
            JsonToken token = parser.nextToken();
            if (token != JsonToken.START_OBJECT) {
                return token == null ? EMPTY : OTHER;
            }
            for (String name = parser.nextName(); name != null; name = parser.nextName()) {
                switch (name) {
                    case "type", "timestamp", "data" -> {
                        return EVENTS;
                    }
                    case "conversation", "agents", "messages" -> {
                        return SESSION;
                    }
                    default -> {
                        parser.nextToken();
                        parser.skipChildren();
                    }
                }
            }
            return OTHER;
        } catch (JacksonException incompleteOrNoJson) {
            return OTHER;
        }
    }
}
