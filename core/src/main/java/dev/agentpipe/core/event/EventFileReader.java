package dev.agentpipe.core.event;

import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.Event.Notice;
import dev.agentpipe.core.event.ReadResult.Item;
import dev.agentpipe.core.event.ReadResult.Item.Accepted;
import dev.agentpipe.core.event.ReadResult.Item.Rejected;
import dev.agentpipe.core.event.UploadCheck.Place;
import dev.agentpipe.core.event.UploadCheck.TooLarge;
import dev.agentpipe.core.event.UploadCheck.ValidEvents;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Reads event files: an event a line, as the CLI keeps them in {@code events_<conversation>.jsonl} and as its {@code --json}
 * prints them. A file is read twice, first to check all of it, then to store it; never more than a line of it is in memory.
 *
 * <p>Blank lines are skipped, and so are the few lines of plain text that {@code --json} prints between its events, by
 * their first character: an interrupted run is worth keeping. Every other line that is no event spoils the file.
 *
 * <p>Thread-safe.
 */
public final class EventFileReader {

    /** "Interrupted. Shutting down gracefully..." and "Conversation state saved to: ..." */
    private static final List<byte[]> PLAIN_TEXT = List.of(utf8("\u23F8"), utf8("\uD83D\uDCBE"));

    private static final byte[] BYTE_ORDER_MARK = utf8("\uFEFF");

    /** White space around an event does not count, as far as it fits in here. */
    private static final int WHITESPACE_BYTES_MAX = 64 << 10;

    private final EventReader events;
    private final EventLimits eventLimits;
    private final UploadLimits limits;

    /** @param events made by {@link EventReader#ofFiles} */
    public EventFileReader(EventReader events, EventLimits eventLimits, UploadLimits limits) {
        this.events = events;
        this.eventLimits = eventLimits;
        this.limits = limits;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** @throws IOException if the file cannot be read, or unpacked */
    public UploadCheck check(InputStream in) throws IOException {
        Check check = new Check();
        try {
            Lines lines = new Lines(in);
            while (check.tooLarge == null && lines.next()) {
                check.add(lines);
            }
        } catch (BoundedInput.ExceededException e) {
            return new TooLarge("An upload may have " + limits.bytesMax() + " bytes, unpacked.");
        }
        if (check.tooLarge != null) {
            return check.tooLarge;
        }
        return check.violations.isEmpty() ? new ValidEvents() : check.violations.invalid();
    }

    /** Hands on all events of a file that was checked. */
    public void read(InputStream in, EventSink sink) throws IOException {
        Lines lines = new Lines(in);
        while (lines.next()) {
            if (!lines.isEmpty()) {
                if (!(lines.item() instanceof Accepted accepted)) {
                    throw new IOException("line " + lines.number + " is no longer what was checked");
                }
                sink.accept(lines.number, accepted.event());
            }
        }
    }

    /** What was found so far. */
    private final class Check {
        private final UploadViolations violations = new UploadViolations(limits.violationsMax());
        private TooLarge tooLarge;
        private int eventCount;
        private int messages;
        private long rareBytes;

        void add(Lines lines) {
            if (lines.isEmpty()) {
                return;
            }
            Item item = lines.item();
            eventCount++;
            if (item instanceof Rejected rejected) {
                rejected.violations().forEach(violation -> {
                    Place place = new Place(lines.number, violation.pointer(), violation.detail());
                    violations.add(rejected.code(), place);
                });
            } else {
                Event event = ((Accepted) item).event();
                messages += event instanceof MessageCreated ? 1 : 0;
                rareBytes += event instanceof MessageCreated || event instanceof Notice ? 0 : lines.length();
            }
            if (messages > limits.messagesMax()) {
                tooLarge = new TooLarge("An upload may have " + limits.messagesMax() + " messages.");
            } else if (eventCount > limits.eventsMax()) {
                tooLarge = new TooLarge("An upload may have " + limits.eventsMax() + " events.");
            } else if (rareBytes > limits.rareBytesMax()) {
                tooLarge = new TooLarge("An upload's starts, completions and errors may have " + limits.rareBytesMax()
                        + " bytes together.");
            }
        }
    }

    /** Finds the lines. */
    private final class Lines {
        private final InputStream in;
        private final int lineBytesMax = eventLimits.eventBytesMax() + WHITESPACE_BYTES_MAX;
        private byte[] buffer = new byte[Math.min(lineBytesMax, 64 << 10)];
        private int filled;
        private int next;
        private boolean ended;

        private int number;
        private int from;
        private int to;
        private boolean tooLong;

        Lines(InputStream in) {
            this.in = new BoundedInput(in, limits.bytesMax());
        }

        boolean next() throws IOException {
            if (ended && next >= filled) {
                return false;
            }
            number++;
            from = next;
            to = next;
            tooLong = false;
            while (true) {
                while (to < filled && buffer[to] != '\n') {
                    to++;
                }
                if (to < filled) {
                    next = to + 1;
                    break;
                }
                if (ended) {
                    next = to;
                    break;
                }
                fill();
            }
            if (number == 1 && startsWith(BYTE_ORDER_MARK)) {
                from += BYTE_ORDER_MARK.length;
            }
            while (from < to && isWhitespace(buffer[from])) {
                from++;
            }
            return true;
        }

        private static boolean isWhitespace(byte b) {
            return b == ' ' || b == '\t' || b == '\r';
        }

        private void fill() throws IOException {
            if (from > 0) {
                System.arraycopy(buffer, from, buffer, 0, filled - from);
                filled -= from;
                to -= from;
                from = 0;
            }
            if (filled == lineBytesMax) { // it is refused anyway: only its end is looked for
                tooLong = true;
                filled = 0;
                to = 0;
            } else if (filled == buffer.length) {
                buffer = Arrays.copyOf(buffer, (int) Math.min(lineBytesMax, 2L * buffer.length));
            }
            int read = in.read(buffer, filled, buffer.length - filled);
            ended = read < 0;
            filled += Math.max(read, 0);
        }

        int length() {
            return to - from;
        }

        boolean isEmpty() {
            return !tooLong && (from == to || PLAIN_TEXT.stream().anyMatch(this::startsWith));
        }

        private boolean startsWith(byte[] start) {
            return to - from >= start.length
                    && Arrays.equals(buffer, from, from + start.length, start, 0, start.length);
        }

        Item item() {
            if (tooLong) {
                String detail = "The event has more than " + eventLimits.eventBytesMax() + " bytes.";
                return new Rejected(number, "event_too_large", List.of(new Violation("", detail)));
            }
            return events.readLine(number, buffer, from, to);
        }
    }
}
