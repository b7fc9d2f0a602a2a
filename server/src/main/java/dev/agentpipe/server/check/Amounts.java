package dev.agentpipe.server.check;

import java.time.Duration;
import java.util.Locale;

/** Amounts as people say them. */
final class Amounts {

    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Amounts() {}

    static String bytes(long bytes) {
        double amount = bytes;
        int unit = 0;
        while (amount >= 1_024 && unit < UNITS.length - 1) {
            amount /= 1_024;
            unit++;
        }
        return String.format(Locale.ROOT, amount >= 10 || unit == 0 ? "%.0f %s" : "%.1f %s", amount, UNITS[unit]);
    }

    static String time(Duration duration) {
        Duration positive = duration.abs();
        if (positive.toDays() >= 2) {
            return positive.toDays() + " days";
        }
        if (positive.toHours() >= 2) {
            return positive.toHours() + " hours";
        }
        if (positive.toMinutes() >= 2) {
            return positive.toMinutes() + " minutes";
        }
        return positive.toMillis() >= 2_000 ? positive.toSeconds() + " s" : positive.toMillis() + " ms";
    }

    static int percent(long part, long whole) {
        return whole <= 0 ? 0 : (int) Math.round(100.0 * part / whole);
    }
}
