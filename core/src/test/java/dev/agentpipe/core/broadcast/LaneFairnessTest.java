package dev.agentpipe.core.broadcast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventFilter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a lane does between two looks of its loop at the connections, and what may happen to its readers meanwhile. */
class LaneFairnessTest {

    private static final Duration HEARTBEAT = Duration.ofSeconds(30);
    private static final Duration WRITE = LaneFixture.SLICE.dividedBy(4);

    private final LaneFixture fixture = new LaneFixture(64, HEARTBEAT, Duration.ofSeconds(10));
    private final List<FakeOutlet> readers = new ArrayList<>();

    private void attach(int count) {
        for (int i = 0; i < count; i++) {
            readers.add(fixture.attachWithCost(EventFilter.ALL, fixture.head(), WRITE));
        }
    }

    private long writes() {
        return readers.stream().mapToLong(reader -> reader.writes).sum();
    }

    private FakeOutlet one(boolean written) {
        return readers.stream()
                .filter(reader -> (reader.writes > 0) == written)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void sweep_manyReaders_isInterruptedAfterASlice() {
        attach(20);
        fixture.publishWithoutRunning(3);

        int turns = 0;
        for (long before = -1; before < writes(); turns++) {
            before = writes();
            fixture.loop.turn();
            assertTrue(writes() - before <= 4, "a slice is worth four writes");
        }

        assertTrue(turns >= 5);
        readers.forEach(reader -> assertEquals(List.of(1L, 2L, 3L), reader.positions()));
    }

    @Test
    void sweep_interrupted_newFramesReachEveryReaderAfterTheOldOnes() {
        attach(20);
        for (int i = 0; i < 30; i++) {
            fixture.publishWithoutRunning(1);
            fixture.loop.turn();
        }
        fixture.loop.runUntilIdle();

        readers.forEach(reader -> assertEquals(LaneFixture.range(1, 30), reader.positions()));
    }

    @Test
    void reader_thatComesInTheMiddleOfASweep_getsEachFrameOnce() {
        attach(20);
        fixture.publishWithoutRunning(2);
        fixture.loop.turn();

        FakeOutlet fromStart = new FakeOutlet();
        FakeOutlet fromNow = new FakeOutlet();
        fixture.lane.attach(new Subscription(EventFilter.ALL, 0, fromStart, 0, Duration.ZERO));
        fixture.lane.attach(new Subscription(EventFilter.ALL, 0, fromNow, fixture.lane.position(), Duration.ZERO));
        fixture.publishWithoutRunning(1);
        fixture.loop.runUntilIdle();

        assertEquals(List.of(1L, 2L, 3L), fromStart.positions());
        assertEquals(List.of(3L), fromNow.positions());
    }

    @Test
    void reader_aheadOfItsLane_waitsForIt() {
        attach(20);
        fixture.publishWithoutRunning(2);
        fixture.loop.turn();
        fixture.publishWithoutRunning(3); // which the step that is under way has not got

        FakeOutlet ahead = fixture.attach(EventFilter.ALL, 0, fixture.head());
        fixture.publish(1);

        assertEquals(List.of(6L), ahead.positions());
    }

    @Test
    void readers_thatBreakOrStopInTheMiddleOfASweep_changeNothingForTheOthers() {
        attach(20);
        fixture.publishWithoutRunning(1);
        fixture.loop.turn();

        FakeOutlet had = one(true);
        FakeOutlet lacked = one(false);
        had.broken = true;
        lacked.broken = true;
        FakeOutlet stopped = readers.stream()
                .filter(reader -> reader.writes == 0 && reader != lacked)
                .findFirst()
                .orElseThrow();
        stopped.room = 0;
        fixture.publish(3);

        assertEquals(CloseReason.GONE, had.closed);
        assertEquals(CloseReason.GONE, lacked.closed);
        assertEquals("", stopped.text());
        readers.removeAll(List.of(had, lacked, stopped));
        readers.forEach(reader -> assertEquals(LaneFixture.range(1, 4), reader.positions()));
        assertEquals(18, fixture.lane.size());
    }

    @Test
    void end_inTheMiddleOfASweep_saysFarewellToThoseWhoLackFramesToo() {
        attach(20);
        fixture.publishWithoutRunning(1);
        fixture.loop.turn();

        fixture.lane.end(20, CloseReason.SHUTDOWN);
        fixture.loop.runUntilIdle();

        assertEquals(0, fixture.lane.size());
        readers.forEach(reader -> assertTrue(reader.text().endsWith("!SHUTDOWN;"), reader.text()));
    }

    @Test
    void heartbeats_dueForAll_areSlicedTooAndNameWhatTheReaderHas() {
        attach(20);
        fixture.publish(1);
        long before = writes();

        fixture.tickWithoutRunning(HEARTBEAT);
        fixture.loop.turn();

        assertEquals(4, writes() - before);
        fixture.loop.runUntilIdle();
        readers.forEach(reader -> assertEquals("1:p;~1;", reader.text()));
    }

    @Test
    void heartbeat_dueInTheMiddleOfASweep_isNeverAheadOfAFrame() {
        attach(20);
        fixture.publishWithoutRunning(1);
        fixture.loop.turn();

        fixture.tickWithoutRunning(HEARTBEAT);
        fixture.loop.runUntilIdle();

        for (FakeOutlet reader : readers) {
            assertTrue(Set.of("1:p;", "1:p;~1;").contains(reader.text()), reader.text());
        }
    }

    @Test
    void readersBehind_eachInItsTurn_keepALiveOneWaitingForOneSlice() {
        fixture.publish(60);
        FakeOutlet live = fixture.attach(EventFilter.ALL, 0, fixture.head());
        List<FakeOutlet> behind = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            FakeOutlet outlet = new FakeOutlet();
            outlet.onWrite = () -> fixture.pass(LaneFixture.SLICE);
            behind.add(outlet);
            fixture.lane.attach(new Subscription(EventFilter.ALL, 0, outlet, 0, Duration.ZERO));
        }
        fixture.loop.turn();
        assertEquals(1, behind.stream().filter(outlet -> outlet.writes > 0).count(), "one has had its turn");

        fixture.publishWithoutRunning(1);
        fixture.loop.turn();

        assertEquals(List.of(61L), live.positions());
        fixture.loop.runUntilIdle();
        behind.forEach(outlet -> assertEquals(LaneFixture.range(1, 61), outlet.positions()));
    }

    @Test
    void filteredReader_whoseTurnHasNotCome_getsWhatCameMeanwhileInTheSameWrite() {
        FakeOutlet mine = fixture.attach(new EventFilter(Set.of("c"), Set.of()), 0, 0);
        attach(8);
        fixture.publishWithoutRunning(1);
        fixture.loop.turn();
        fixture.publishWithoutRunning(1);
        fixture.loop.runUntilIdle();

        assertEquals(List.of(1L, 2L), mine.positions());
    }

    @Test
    void loop_busyWithOtherThings_getsLongerSlicesInReturnUpToALimit() {
        attach(200);
        fixture.publishWithoutRunning(1);
        fixture.loop.turn();
        assertEquals(4, writes());

        fixture.pass(LaneFixture.SLICE);
        fixture.loop.turn();
        assertEquals(4 + 32, writes(), "eight times as long as the loop was away");

        fixture.pass(LaneFixture.SLICE.multipliedBy(100));
        fixture.loop.turn();
        assertEquals(4 + 32 + 64, writes(), "sixteen slices");

        fixture.loop.turn();
        assertEquals(4 + 32 + 64 + 4, writes());
    }

    @Test
    void gapInTheLog_inTheMiddleOfASweep_endsThoseWhoHaveTheStepAndThoseWhoLackIt() {
        attach(20);
        fixture.publishWithoutRunning(3);
        fixture.loop.turn();
        fixture.publishWithoutRunning(2);

        fixture.log.trim(9);
        fixture.broadcaster.lost(9);
        fixture.loop.runUntilIdle();

        for (FakeOutlet reader : readers) {
            assertEquals(CloseReason.NOT_RETAINED, reader.closed);
            assertEquals("1:p;2:p;3:p;!NOT_RETAINED;", reader.text());
        }
        FakeOutlet next = fixture.attach(EventFilter.ALL, 0, 9);
        assertEquals("", next.text());
    }
}
