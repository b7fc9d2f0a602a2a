package dev.agentpipe.server.loadtest;

import java.util.Optional;

/**
 * Which load comes next: first ever more streams at the goal's rate of events, then, with the streams that were carried, ever
 * more events. If even the first step is missed, the question is which smaller rate is carried with so few streams.
 *
 * <p>Not thread-safe.
 */
final class Ramp {

    private static final int FIRST_STREAMS = 50;

    private final int firstStreams;
    private final int rate;
    private final int rateMax;
    private final Search streams;

    /** Null while streams are looked for. */
    private Search rates;

    Ramp(Goal goal, int streamsMax, int rateMax) {
        this.rateMax = rateMax;
        rate = (int) Math.min(goal.eventsPerSecond(), rateMax);
        firstStreams = Math.min(FIRST_STREAMS, streamsMax);
        streams = Search.from(firstStreams, streamsMax);
    }

    /** Empty when all is known. */
    Optional<Step> next() {
        if (rates == null && streams.leastMissed() <= firstStreams) {
            rates = Search.below(rate);
        } else if (rates == null && streams.isOver()) {
            rates = Search.above(rate, rateMax);
        }
        if (rates == null) {
            return Optional.of(new Step(streams.next(), rate));
        }
        int held = Math.max(streams.greatestCarried(), firstStreams);
        return rates.isOver() ? Optional.empty() : Optional.of(new Step(held, rates.next()));
    }

    /** What became of the step that {@link #next} gave. */
    void measured(boolean carried) {
        Search search = rates == null ? streams : rates;
        if (carried) {
            search.carried();
        } else {
            search.missed();
        }
    }
}
