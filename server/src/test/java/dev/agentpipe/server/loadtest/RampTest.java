package dev.agentpipe.server.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Servers that are a rule: they carry what is within it. */
final class RampTest {

    private static final int STEPS_MAX = 100;

    private final List<Step> tried = new ArrayList<>();
    private final List<Step> carried = new ArrayList<>();

    @Test
    void server_thatCarriesAll_isTriedToBothBoundsAndNoFurther() {
        climb(1_000, 1_000, step -> true);

        assertEquals(
                List.of(
                        new Step(50, 100),
                        new Step(100, 100),
                        new Step(200, 100),
                        new Step(400, 100),
                        new Step(800, 100),
                        new Step(1_000, 100),
                        new Step(1_000, 200),
                        new Step(1_000, 400),
                        new Step(1_000, 800),
                        new Step(1_000, 1_000)),
                tried);
    }

    @ParameterizedTest
    @CsvSource({"137, 317", "999, 5000", "50, 100", "51, 101", "700, 101", "10000, 19999"})
    void limits_areFoundFromBelow_withinAnEighthOfTheGap(int streamsLimit, int rateLimit) {
        climb(10_000, 20_000, step -> step.streams() <= streamsLimit && step.eventsPerSecond() <= rateLimit);

        int streams = carried.stream().mapToInt(Step::streams).max().orElse(0);
        double rate = carried.stream().mapToDouble(Step::eventsPerSecond).max().orElse(0);
        assertTrue(streams <= streamsLimit && streams >= 0.85 * streamsLimit - 1, streams + " of " + streamsLimit);
        assertTrue(rate <= rateLimit && rate >= 0.85 * rateLimit - 1, rate + " of " + rateLimit);
    }

    @Test
    void rateThatIsTooMuchForTheFirstStreams_isSearchedDownwards() {
        climb(1_000, 1_000, step -> step.eventsPerSecond() <= 30);

        assertEquals(
                List.of(new Step(50, 100), new Step(50, 100), new Step(50, 50), new Step(50, 50), new Step(50, 25)),
                tried.subList(0, 5));
        assertTrue(tried.stream().allMatch(step -> step.streams() == 50), tried::toString);
        assertEquals(25, carried.get(0).eventsPerSecond());
    }

    @Test
    void serverThatCarriesNothing_endsTheRamp() {
        climb(1_000, 1_000, step -> false);

        assertEquals(List.of(), carried);
        assertTrue(tried.size() <= 10, tried::toString);
    }

    @Test
    void miss_thatDoesNotComeAgain_isForgiven() {
        Set<Step> missedBefore = new HashSet<>();
        climb(200, 200, step -> step.streams() < 200 || !missedBefore.add(step));

        assertEquals(
                List.of(
                        new Step(50, 100),
                        new Step(100, 100),
                        new Step(200, 100),
                        new Step(200, 100),
                        new Step(200, 200),
                        new Step(200, 200)),
                tried);
    }

    @Test
    void bounds_belowTheFirstStep_areTheFirstStep() {
        climb(7, 20, step -> true);

        assertEquals(List.of(new Step(7, 20)), tried);
    }

    private void climb(int streamsMax, int rateMax, Predicate<Step> carries) {
        Ramp ramp = new Ramp(Goal.DEPLOYMENT, streamsMax, rateMax);
        Optional<Step> next = ramp.next();
        while (next.isPresent()) {
            assertTrue(tried.size() < STEPS_MAX, () -> "no end: " + tried);
            tried.add(next.get());
            boolean isCarried = carries.test(next.get());
            if (isCarried) {
                carried.add(next.get());
            }
            ramp.measured(isCarried);
            next = ramp.next();
        }
        assertTrue(tried.stream().allMatch(step -> step.streams() <= streamsMax && step.eventsPerSecond() <= rateMax));
    }
}
