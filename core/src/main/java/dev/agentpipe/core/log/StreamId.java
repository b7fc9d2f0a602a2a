package dev.agentpipe.core.log;

import java.util.Optional;

/**
 * The id of an event on the wire, {@code <epoch>-<position>}: resuming after it misses nothing.
 *
 * @param epoch see {@link LogState#epoch()}
 * @param position 0 or more
 */
public record StreamId(String epoch, long position) {

    private static final int LENGTH_MAX = 64;

    /** Empty unless the text is exactly what {@link #toString()} gives. */
    public static Optional<StreamId> parse(String text) {
        int dash = text.lastIndexOf('-');
        if (dash < 1 || text.length() > LENGTH_MAX || dash == text.length() - 1 || text.length() - dash > 20) {
            return Optional.empty();
        }
        String digits = text.substring(dash + 1);
        if (!digits.chars().allMatch(c -> c >= '0' && c <= '9') || (digits.length() > 1 && digits.startsWith("0"))) {
            return Optional.empty();
        }
        try {
            return Optional.of(new StreamId(text.substring(0, dash), Long.parseLong(digits)));
        } catch (NumberFormatException beyondLong) {
            return Optional.empty();
        }
    }

    @Override
    public String toString() {
        return epoch + "-" + position;
    }
}
