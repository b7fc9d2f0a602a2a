package dev.agentpipe.core.event;

import dev.agentpipe.core.event.Members.JsonObject;
import dev.agentpipe.core.event.Members.Nested;
import dev.agentpipe.core.event.ReadResult.Malformed;
import dev.agentpipe.core.event.UploadCheck.Place;
import dev.agentpipe.core.redact.Redactor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.StringWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.JacksonIOException;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;

/**
 * One pass over a session's document: takes it apart and hands on its parts as they come. A part (the conversation, the
 * agents, a message, a member without a meaning) may be as large as an event, also where it is only skipped, since the
 * parser remembers the names of every object that is open. One use, one thread.
 */
final class SessionParser {

    /** Takes the parts; whoever wants none of a kind ignores them. */
    interface Parts {

        /** @param unknown the members without a meaning, as JSON text by their names */
        default void conversation(Members members, Map<String, String> unknown) {}

        /** @param agents an element that is no object is null */
        default void agents(List<Members> agents) {}

        /** There is an array of messages, maybe an empty one. */
        default void messages() {}

        default void message(int index, Members members) throws IOException {}

        /** A member of the document that has no meaning. */
        default void unknown(String name, String json) {}
    }

    /** The rest of the document cannot be read, or is not worth it. */
    static final class MalformedException extends IOException {
        private static final long serialVersionUID = 1;

        private final String code;
        private final String pointer;

        MalformedException(String code, String pointer, String detail) {
            super(detail);
            this.code = code;
            this.pointer = pointer;
        }

        String code() {
            return code;
        }

        String pointer() {
            return pointer;
        }
    }

    /** How Jackson words it; there is no exception type of its own. A test notices when that changes. */
    private static final List<String> JACKSON_LONG_VALUES = List.of("String value length", "Number value length");

    private final JsonFactory json;
    private final EventLimits limits;
    private final UploadViolations violations;
    private final Redactor redactor;
    private final JsonParser parser;

    /** Where the part begins that is being read, in characters. */
    private long partStart;

    /** What members of the document without a meaning have together. */
    private long unknownChars;

    SessionParser(JsonFactory json, InputStream in, EventLimits limits, UploadViolations violations, Redactor redactor)
            throws IOException {
        this.json = json;
        this.limits = limits;
        this.violations = violations;
        this.redactor = redactor;
        try {
            this.parser = json.createParser(ObjectReadContext.empty(), characters(in));
        } catch (CharacterCodingException e) {
            throw new MalformedException("invalid_json", "", "Invalid UTF-8 among the first characters.");
        }
    }

    /** Strict, unlike Jackson's own decoder; without a byte order mark. */
    private static BufferedReader characters(InputStream in) throws IOException {
        BufferedReader characters = new BufferedReader(new InputStreamReader(
                in,
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT)));
        characters.mark(1);
        if (characters.read() != '\uFEFF') {
            characters.reset();
        }
        return characters;
    }

    /** @throws IOException also what the input throws */
    void read(Parts parts) throws IOException {
        try (parser) {
            readDocument(parts);
            if (parser.nextToken() != null) {
                throw new MalformedException("invalid_json", "", "Invalid JSON: there is more after the session.");
            }
        } catch (JacksonIOException e) {
            IOException cause = e.getCause();
            throw cause instanceof CharacterCodingException
                    ? new MalformedException("invalid_json", "", "Invalid UTF-8 " + place(parser.currentLocation()))
                    : cause;
        } catch (JacksonException e) {
            throw malformed(e);
        }
    }

    private MalformedException malformed(JacksonException e) {
        if (e instanceof StreamConstraintsException
                && JACKSON_LONG_VALUES.stream().anyMatch(e.getOriginalMessage()::startsWith)) {
            return tooLarge();
        }
        Malformed structure = EventReader.structure(e, parser, limits);
        return structure != null
                ? new MalformedException(structure.code(), structure.pointer(), structure.detail())
                : new MalformedException("invalid_json", "", "Invalid JSON " + place(e.getLocation()));
    }

    private static String place(TokenStreamLocation location) {
        return "at line " + location.getLineNr() + ", column " + location.getColumnNr() + ".";
    }

    private MalformedException tooLarge() {
        return new MalformedException(
                "event_too_large",
                parser.streamReadContext().pathAsPointer().toString(),
                "A message, the conversation and the agents may have " + limits.eventBytesMax() + " characters each.");
    }

    private void readDocument(Parts parts) throws IOException {
        JsonToken first = parser.nextToken();
        if (first != JsonToken.START_OBJECT) {
            throw new MalformedException(
                    "invalid_json",
                    "",
                    first == null ? "Invalid JSON: there is nothing." : "Expected a session, which is an object.");
        }
        for (String name = parser.nextName(); name != null; name = parser.nextName()) {
            beginPart();
            JsonToken token = next();
            switch (name) {
                case "conversation" -> {
                    if (is(JsonToken.START_OBJECT, token, "/conversation", "Expected an object.")) {
                        Map<String, String> unknown = new LinkedHashMap<>();
                        parts.conversation(readMembers(unknown), unknown);
                    }
                }
                case "agents" -> {
                    if (is(JsonToken.START_ARRAY, token, "/agents", "Expected an array.")) {
                        parts.agents(readAgents());
                    }
                }
                case "messages" -> {
                    if (is(JsonToken.START_ARRAY, token, "/messages", "Expected an array.")) {
                        readMessages(parts);
                    }
                }
                default -> {
                    String value = text();
                    unknownChars += name.length() + value.length();
                    if (unknownChars > limits.eventBytesMax()) {
                        throw tooLarge();
                    }
                    parts.unknown(name, redactor.member(name, value));
                }
            }
        }
    }

    private boolean is(JsonToken expected, JsonToken token, String pointer, String detail) throws IOException {
        if (token == expected) {
            return true;
        }
        skip();
        violations.add("invalid_upload", new Place(null, pointer, detail));
        return false;
    }

    private List<Members> readAgents() throws IOException {
        List<Members> agents = new ArrayList<>();
        for (JsonToken token = next(); token != JsonToken.END_ARRAY; token = next()) {
            if (token == JsonToken.START_OBJECT && agents.size() <= limits.participantsMax()) {
                agents.add(readMembers(null));
            } else {
                skip();
                agents.add(null);
            }
        }
        return agents;
    }

    private void readMessages(Parts parts) throws IOException {
        parts.messages();
        int index = 0;
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            beginPart();
            if (is(JsonToken.START_OBJECT, token, "/messages/" + index, "Expected an object.")) {
                parts.message(index, readMembers(null));
            }
            index++;
        }
    }

    private void beginPart() {
        partStart = parser.currentLocation().getCharOffset();
    }

    /** The parser's next token, as long as the part is not too large. */
    private JsonToken next() throws IOException {
        JsonToken token = parser.nextToken();
        if (parser.currentLocation().getCharOffset() - partStart > limits.eventBytesMax()) {
            throw tooLarge();
        }
        return token;
    }

    /** @param unknown takes what has no meaning; null: it is skipped */
    private Members readMembers(Map<String, String> unknown) throws IOException {
        Members members = new Members();
        while (next() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            Field field = Field.of(name);
            JsonToken token = next();
            if (field != null) {
                members.put(field, value(field, token));
            } else if (unknown != null) {
                unknown.put(name, redactor.member(name, text()));
            } else {
                skip();
            }
        }
        return members;
    }

    private Object value(Field field, JsonToken token) throws IOException {
        if (!token.isStructStart()) {
            Object scalar = Members.scalar(parser, token);
            return scalar instanceof String text && !field.isIdentifier()
                    ? redactor.text(field.wireName(), text)
                    : scalar;
        }
        boolean isObject = token == JsonToken.START_OBJECT;
        if (isObject && field == Field.SUMMARY) {
            return new Nested(true, 0, 0, readMembers(null), null);
        }
        if (isObject && (field == Field.SYSTEM_INFO || field == Field.COMMAND || field == Field.METADATA)) {
            return new JsonObject(redactor.member(field.wireName(), text()));
        }
        skip();
        return new Nested(isObject, 0, 0, null, null);
    }

    private void skip() throws IOException {
        if (parser.currentToken().isStructStart()) {
            for (int depth = 1; depth > 0; ) {
                JsonToken token = next();
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
            }
        }
    }

    /** The current value as JSON, its numbers to the last digit as they came. */
    private String text() throws IOException {
        StringWriter out = new StringWriter();
        try (JsonGenerator generator = json.createGenerator(ObjectWriteContext.empty(), out)) {
            int depth = 0;
            do {
                JsonToken token = parser.currentToken();
                if (token.isNumeric()) {
                    generator.writeNumber(parser.getString());
                } else {
                    generator.copyCurrentEvent(parser);
                }
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
            } while (depth > 0 && next() != null);
        }
        return ColumnText.of(out.toString());
    }
}
