package dev.agentpipe.core.broadcast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a lane tells of itself, and what it says outside of the log. */
final class LaneTelemetryTest {

    private static final Duration MILLIS = Duration.ofMillis(1);
    private static final EventFilter OF_C = new EventFilter(Set.of("c"), Set.of());

    private final LaneFixture fixture = new LaneFixture(16, Duration.ofSeconds(30), Duration.ofSeconds(10));

    @Test
    void delivered_countsEachFrameForEachReader_andNothingElse() {
        FakeOutlet all = fixture.attach(EventFilter.ALL, 0, 0);
        fixture.attach(EventFilter.ALL, 1, 0);
        fixture.attach(OF_C, 0, 0);

        fixture.publish(3);
        fixture.publish("other", EventType.MESSAGE_CREATED);
        fixture.tick(Duration.ofSeconds(31)); // heartbeats

        assertEquals(3 * 3 + 2, fixture.lane.delivered());
        assertTrue(fixture.lane.written() > all.text().length());
    }

    @Test
    void delivered_frameCutByAFullConnection_countsOnce() {
        FakeOutlet slow = fixture.attach(EventFilter.ALL, 0, 0);
        slow.room = 5;

        fixture.publishInOne(List.of("12345678", "12345678", "12345678"), "c");
        fixture.drainAll(slow, 3);

        assertEquals(List.of(1L, 2L, 3L), slow.positions());
        assertEquals(3, fixture.lane.delivered());
        assertEquals(slow.text().length(), fixture.lane.written());
    }

    @Test
    void broadcast_isTheTimeUntilTheLastReaderHasIt() {
        for (int i = 0; i < 4; i++) {
            fixture.attachWithCost(EventFilter.ALL, 0, MILLIS);
        }

        fixture.publish(2);
        fixture.publish(1);

        assertEquals(List.of(MILLIS.multipliedBy(4), MILLIS.multipliedBy(4)), fixture.delays);
    }

    @Test
    void broadcast_toReadersWithAFilter_isToldOnceForASlice() {
        for (int i = 0; i < 3; i++) {
            fixture.attachWithCost(OF_C, 0, Duration.ofNanos(10));
        }

        fixture.publish(1);
        fixture.publish("other", EventType.MESSAGE_CREATED);

        assertEquals(List.of(Duration.ofNanos(30)), fixture.delays);
    }

    @Test
    void broadcast_withoutReaders_tellsNothing() {
        fixture.publish(3);

        assertEquals(List.of(), fixture.delays);
    }

    @Test
    void replayAndEnd_areTold() {
        fixture.publish(100); // the window holds 16
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 10);
        fixture.tick(Duration.ofSeconds(5));

        fixture.lane.end(1, CloseReason.SHUTDOWN);
        fixture.loop.runUntilIdle();

        assertEquals(CloseReason.SHUTDOWN, outlet.closed);
        assertTrue(fixture.pages > 0);
        assertEquals(List.of(Duration.ofSeconds(5)), fixture.lives);
    }

    @Test
    void say_toALiveReader_comesBetweenItsFrames() {
        FakeOutlet outlet = new FakeOutlet();
        Subscription subscription = fixture.attach(outlet, EventFilter.ALL, 0, 0, Duration.ZERO);
        fixture.publish(1);

        fixture.lane.say(subscription, new byte[] {'!'});
        fixture.loop.runUntilIdle();
        fixture.publish(1);

        assertEquals("1:p;!2:p;", outlet.text());
        assertEquals(2, fixture.lane.delivered());
    }

    @Test
    void say_toAFullReader_waitsForItsTurn_andToAClosedOneIsNothing() {
        FakeOutlet outlet = new FakeOutlet();
        Subscription subscription = fixture.attach(outlet, EventFilter.ALL, 0, 0, Duration.ZERO);
        outlet.room = 2;
        fixture.publish(1);

        fixture.lane.say(subscription, new byte[] {'!'});
        fixture.publish(1);
        fixture.drainAll(outlet, 1);
        fixture.lane.gone(subscription);
        fixture.lane.say(subscription, new byte[] {'?'});
        fixture.loop.runUntilIdle();

        assertEquals("1:p;!2:p;", outlet.text());
    }
}
