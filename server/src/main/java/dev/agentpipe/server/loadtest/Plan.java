package dev.agentpipe.server.loadtest;

import java.time.Duration;

/**
 * What to load a server with, and for how long.
 *
 * @param isRamp whether the load grows until it is missed; else it is the goal's from the beginning to the end
 * @param streamsMax of a ramp
 * @param rateMax of a ramp, events a second
 * @param duration of all of it; requests and streams that are under way then are waited for
 */
public record Plan(Goal goal, boolean isRamp, int streamsMax, int rateMax, Follow follow, Duration duration) {

    public static final int STREAMS_CAP = 10_000;
    public static final int RATE_CAP = 20_000;
    public static final Duration DURATION_CAP = Duration.ofHours(1);

    /** Over as many conversations the events are spread. A stream can follow no more of them. */
    static final int CONVERSATIONS = 100;

    public Plan {
        if (streamsMax < 1
                || streamsMax > STREAMS_CAP
                || rateMax < 1
                || rateMax > RATE_CAP
                || duration.compareTo(Duration.ofSeconds(1)) < 0
                || duration.compareTo(DURATION_CAP) > 0) {
            throw new IllegalArgumentException("out of bounds");
        }
    }

    public static Plan ramp(int streamsMax, int rateMax, Follow follow, Duration duration) {
        return new Plan(Goal.DEPLOYMENT, true, streamsMax, rateMax, follow, duration);
    }

    public static Plan steady(Follow follow, Duration duration) {
        int rate = (int) Math.ceil(Goal.STEADY.eventsPerSecond());
        return new Plan(Goal.STEADY, false, Goal.STEADY.streams(), rate, follow, duration);
    }
}
