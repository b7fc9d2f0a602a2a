package dev.agentpipe.core.log;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The id of an event on the wire, {@code <epoch>-<position>}: resuming after it misses nothing.
 *
 * @param epoch see {@link LogState#epoch()}
 * @param position 0 or more
 */
public record StreamId(String epoch, long position) {

    private static final Pattern FORMAT = Pattern.compile("([a-z0-9]{1,32})-(0|[1-9][0-9]{0,18})");

    /** Empty unless the text is exactly what {@link #toString()} gives. */
    public static Optional<StreamId> parse(String text) {
        Matcher matcher = FORMAT.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new StreamId(matcher.group(1), Long.parseLong(matcher.group(2))));
        } catch (NumberFormatException beyondLong) {
            return Optional.empty();
        }
    }

    @Override
    public String toString() {
        return epoch + "-" + position;
    }
}
