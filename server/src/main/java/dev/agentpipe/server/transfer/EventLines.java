package dev.agentpipe.server.transfer;

import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.ReadResult.Item;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;

/**
 * The lines of an event file, without the last one if that is half a line: the CLI is still writing it, or was killed
 * meanwhile. One thread at a time.
 */
final class EventLines {

    private static final EventReader READER = new EventReader(EventLimits.DEFAULT, Clock.systemUTC());

    private final LineReader reader;
    private long leftOut;

    EventLines(InputStream in) {
        reader = new LineReader(in);
    }

    /** Null after the last. */
    byte[] next() throws IOException, UnusableFileException {
        byte[] line = reader.next();
        if (line != null && !reader.isComplete() && isHalf(line)) {
            leftOut = reader.number();
            return null;
        }
        return line;
    }

    /** Half an object is no JSON; a whole one without a line break at its end may be wrong, but it is all there. */
    private static boolean isHalf(byte[] line) {
        return READER.readLine(0, line, 0, line.length) instanceof Item.Rejected rejected
                && rejected.code().equals("invalid_json");
    }

    /** Of the line that was returned last, from 1. */
    long number() {
        return reader.number();
    }

    /** The number of the incomplete line, or 0. */
    long leftOut() {
        return leftOut;
    }
}
