package dev.agentpipe.core.event;

import dev.agentpipe.core.event.ReadResult.Events;
import dev.agentpipe.core.event.ReadResult.Item;
import dev.agentpipe.core.event.ReadResult.Item.Rejected;
import dev.agentpipe.core.event.ReadResult.Malformed;
import dev.agentpipe.core.redact.Redactor;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;

/**
 * The only door from untrusted bytes to {@link Event}s. Whatever the bytes, the answer is a {@link ReadResult}, never an
 * exception, and time and memory are linear in their number.
 *
 * <p>JSON as RFC 8259 has it, in UTF-8 (a byte order mark is tolerated), and stricter in one thing: a name may come only
 * once in an object, since every reader would pick another one of two. Thread-safe.
 */
public final class EventReader {

    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    /** How Jackson words it; there is no exception type of its own. A test notices when that changes. */
    private static final String JACKSON_DUPLICATE_KEY = "Duplicate Object property";

    /** Jackson guesses UTF-16 and UTF-32 from a zero among the first bytes. */
    private static final int GUESSED_FROM_BYTES = 4;

    private final EventLimits limits;
    private final Clock clock;
    private final Redactor redactor;
    private final boolean untimedAreRepeats;
    private final JsonFactory json;

    /** Redacts nothing. */
    public EventReader(EventLimits limits, Clock clock) {
        this(limits, clock, Redactor.OFF);
    }

    /**
     * @param clock tells the time of events that do not tell it themselves
     * @param redactor works before anything else is done with an event: whatever is made of it, its identity too, is made
     *     of what is left
     */
    public EventReader(EventLimits limits, Clock clock, Redactor redactor) {
        this(limits, clock, redactor, false);
    }

    /**
     * For what may be sent again as a whole: an event without a timestamp is known by the rest of it, not by the time at
     * which it was read.
     */
    public static EventReader ofFiles(EventLimits limits, Clock clock, Redactor redactor) {
        return new EventReader(limits, clock, redactor, true);
    }

    private EventReader(EventLimits limits, Clock clock, Redactor redactor, boolean untimedAreRepeats) {
        this.limits = limits;
        this.clock = clock;
        this.redactor = redactor;
        this.untimedAreRepeats = untimedAreRepeats;
        json = JsonFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                // Numbers and strings are bounded by the event's bytes, and numbers are kept as text.
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(limits.depthMax())
                        .maxNameLength(limits.nameBytesMax())
                        .maxNumberLength(Integer.MAX_VALUE)
                        .maxStringLength(Integer.MAX_VALUE)
                        .build())
                .build();
    }

    /** Reads an {@code application/json} body: one event, or an array of them. */
    public ReadResult readJson(byte[] body) {
        int from = hasByteOrderMark(body) ? BYTE_ORDER_MARK.length : 0;
        int start = trimmedStart(body, from, body.length);
        int length = trimmedEnd(body, start, body.length) - start;
        if (length > limits.eventBytesMax() && body[start] == '{') {
            return new Malformed("event_too_large", tooLarge(length), "");
        }
        return parse(body, from, body.length, 0, (parser, token) -> {
            if (token == JsonToken.START_ARRAY) {
                return readArray(parser, body, from);
            }
            if (token != JsonToken.START_OBJECT) {
                return new Malformed(
                        "invalid_event", "Expected an event, which is an object, or an array of them.", "");
            }
            return new Events(false, List.of(item(0, parser, body, from)));
        });
    }

    /**
     * Reads an {@code application/x-ndjson} body: one event a line, blank lines skipped. A bad line is a {@link
     * Rejected} item and leaves the others alone. A body of blank lines is an empty batch, as an empty array is.
     */
    public ReadResult readLines(byte[] body) {
        List<Item> items = new ArrayList<>();
        int next = hasByteOrderMark(body) ? BYTE_ORDER_MARK.length : 0;
        while (next < body.length) {
            int from = next;
            int to = from;
            while (to < body.length && body[to] != '\n') {
                to++;
            }
            next = to + 1;
            if (trimmedStart(body, from, to) < to) {
                if (items.size() == limits.batchEventsMax()) {
                    return batchTooLarge();
                }
                items.add(readLine(items.size(), body, from, to));
            }
        }
        return new Events(true, items);
    }

    /**
     * Reads one event that stands alone between two positions of a larger piece of bytes, such as a line of a file.
     *
     * @param index what the item shall have as its index
     * @param from index of the first byte; white space around the event is skipped
     * @param to index after the last byte
     */
    public Item readLine(int index, byte[] bytes, int from, int to) {
        Objects.checkFromToIndex(from, to, bytes.length);
        int start = trimmedStart(bytes, from, to);
        int length = trimmedEnd(bytes, start, to) - start;
        if (length > limits.eventBytesMax()) {
            return new Rejected(index, "event_too_large", List.of(new Violation("", tooLarge(length))));
        }
        ReadResult result = parse(
                bytes, from, to, from, (parser, token) -> new Events(true, List.of(item(index, parser, bytes, from))));
        if (result instanceof Malformed malformed) {
            Violation violation = new Violation(malformed.pointer(), malformed.detail());
            return new Rejected(index, malformed.code(), List.of(violation));
        }
        return ((Events) result).items().get(0);
    }

    /** What to do with the value whose first token was read. */
    private interface ValueReader {
        ReadResult read(JsonParser parser, JsonToken token);
    }

    /**
     * Makes sure that there is one value and nothing else, and turns everything that the parser throws into an answer.
     *
     * @param origin index from which the person who reads an error counts
     */
    private ReadResult parse(byte[] bytes, int from, int to, int origin, ValueReader reader) {
        int invalid = notUtf8(bytes, from, to);
        if (invalid >= 0) {
            return new Malformed("invalid_json", "Invalid UTF-8 at byte offset " + (invalid - origin) + ".", "");
        }
        try (JsonParser parser = json.createParser(ObjectReadContext.empty(), bytes, from, to - from)) {
            try {
                JsonToken first = parser.nextToken();
                if (first == null) {
                    return new Malformed("invalid_json", "Invalid JSON: there is nothing.", "");
                }
                ReadResult result = reader.read(parser, first);
                boolean toItsEnd = result instanceof Events || first.isScalarValue();
                if (toItsEnd && parser.nextToken() != null) {
                    return invalidJson(parser.currentTokenLocation(), from - origin);
                }
                return result;
            } catch (JacksonException e) {
                return malformed(e, parser, from - origin);
            }
        }
    }

    private ReadResult readArray(JsonParser parser, byte[] body, int base) {
        List<Item> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (items.size() == limits.batchEventsMax()) {
                return batchTooLarge();
            }
            items.add(item(items.size(), parser, body, base));
        }
        return new Events(true, items);
    }

    private Item item(int index, JsonParser parser, byte[] body, int base) {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            parser.skipChildren();
            return new Rejected(index, "invalid_event", List.of(new Violation("", "Expected an object.")));
        }
        RawEvent event = new RawEvent(parser, base, limits.participantsMax());
        int length = event.to - event.from;
        if (length > limits.eventBytesMax()) {
            return new Rejected(index, "event_too_large", List.of(new Violation("", tooLarge(length))));
        }
        byte[] redacted = redactor.json(body, event.from, event.to);
        return redacted == null ? build(index, body, event) : build(index, redacted, again(redacted));
    }

    private Item build(int index, byte[] body, RawEvent event) {
        return new EventBuilder(limits, clock, untimedAreRepeats, body, event).item(index);
    }

    /** What was redacted has the same structure, so nothing new can be wrong with it. */
    private RawEvent again(byte[] redacted) {
        try (JsonParser parser = json.createParser(ObjectReadContext.empty(), redacted)) {
            parser.nextToken();
            return new RawEvent(parser, 0, limits.participantsMax());
        }
    }

    private Malformed malformed(JacksonException e, JsonParser parser, int skipped) {
        Malformed structure = structure(e, parser, limits);
        return structure != null ? structure : invalidJson(e.getLocation(), skipped);
    }

    /** What is wrong, if it is more than the syntax; else null. */
    static Malformed structure(JacksonException e, JsonParser parser, EventLimits limits) {
        String pointer = parser.streamReadContext().pathAsPointer().toString();
        if (parser.streamReadContext().getNestingDepth() > limits.depthMax()) {
            return new Malformed(
                    "too_deep", "Objects and arrays are nested deeper than " + limits.depthMax() + " levels.", pointer);
        }
        if (e instanceof StreamConstraintsException) { // long names, or hundreds with one hash: both fill its table
            return new Malformed(
                    "invalid_json",
                    "A name is longer than " + limits.nameBytesMax() + " bytes, or names collide on purpose.",
                    pointer);
        }
        if (e.getOriginalMessage().startsWith(JACKSON_DUPLICATE_KEY)) {
            return new Malformed("duplicate_key", "This name comes twice in the same object.", pointer);
        }
        return null;
    }

    /** Jackson's own words are not passed on: they repeat the text. */
    private static Malformed invalidJson(TokenStreamLocation place, int skipped) {
        String line = place.getLineNr() > 1 ? "line " + place.getLineNr() + ", " : "";
        String detail = "Invalid JSON at " + line + "column " + place.getColumnNr() + " (byte offset "
                + (skipped + place.getByteOffset()) + ").";
        return new Malformed("invalid_json", detail, "");
    }

    private Malformed batchTooLarge() {
        return new Malformed(
                "batch_too_large", "There are more than " + limits.batchEventsMax() + " events in this body.", "");
    }

    private String tooLarge(int bytes) {
        return "The event has " + bytes + " bytes; at most " + limits.eventBytesMax() + " are accepted.";
    }

    private static int notUtf8(byte[] bytes, int from, int to) {
        if (from < to && bytes[from] < 0) { // another byte order mark, which Jackson would skip or believe
            return from;
        }
        for (int i = from; i < Math.min(to, from + GUESSED_FROM_BYTES); i++) {
            if (bytes[i] == 0) {
                return i;
            }
        }
        return Utf8.firstInvalid(bytes, from, to);
    }

    private static boolean hasByteOrderMark(byte[] body) {
        int length = BYTE_ORDER_MARK.length;
        return body.length >= length
                && body[0] == BYTE_ORDER_MARK[0]
                && body[1] == BYTE_ORDER_MARK[1]
                && body[2] == BYTE_ORDER_MARK[2];
    }

    private static int trimmedStart(byte[] bytes, int from, int to) {
        int start = from;
        while (start < to && isWhitespace(bytes[start])) {
            start++;
        }
        return start;
    }

    private static int trimmedEnd(byte[] bytes, int from, int to) {
        int end = to;
        while (end > from && isWhitespace(bytes[end - 1])) {
            end--;
        }
        return end;
    }

    private static boolean isWhitespace(byte b) {
        return b == ' ' || b == '\t' || b == '\n' || b == '\r';
    }
}
