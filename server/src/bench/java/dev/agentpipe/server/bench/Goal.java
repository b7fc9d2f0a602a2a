package dev.agentpipe.server.bench;

import java.util.Locale;
import java.util.OptionalDouble;

/**
 * A figure that a measurement gives, and what it should be.
 *
 * @param name short and stable; it is the figure's name in the JSON
 * @param text what it is, as a table says it; the first of a measurement stands alone, others continue it
 * @param limit the goal; empty if there is none
 * @param atLeast whether the goal is a least or a greatest value
 */
record Goal(String name, String text, String unit, int digits, OptionalDouble limit, boolean atLeast) {

    static Goal atLeast(String name, String text, String unit, int digits, double limit) {
        return new Goal(name, text, unit, digits, OptionalDouble.of(limit), true);
    }

    static Goal atMost(String name, String text, String unit, int digits, double limit) {
        return new Goal(name, text, unit, digits, OptionalDouble.of(limit), false);
    }

    static Goal none(String name, String text, String unit, int digits) {
        return new Goal(name, text, unit, digits, OptionalDouble.empty(), false);
    }

    boolean isMet(double value) {
        return limit.isEmpty() || (atLeast ? value >= limit.getAsDouble() : value <= limit.getAsDouble());
    }

    /** As the goal's column has it. */
    String goalText() {
        return limit.isEmpty() ? "" : (atLeast ? "≥ " : "≤ ") + withUnit(limit.getAsDouble());
    }

    String withUnit(double value) {
        return Double.isNaN(value) || unit.isEmpty() ? format(value) : format(value) + " " + unit;
    }

    String format(double value) {
        return Double.isNaN(value) ? "none" : String.format(Locale.ROOT, "%,." + digits + "f", value);
    }
}
