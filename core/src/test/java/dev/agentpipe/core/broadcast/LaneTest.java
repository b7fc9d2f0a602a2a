package dev.agentpipe.core.broadcast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogUnavailableException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LaneTest {

    private static final Duration HEARTBEAT = Duration.ofSeconds(30);
    private static final Duration STALL = Duration.ofSeconds(10);

    private final LaneFixture fixture = new LaneFixture(16, HEARTBEAT, STALL);

    @Test
    void attach_noPosition_hearsOnlyWhatComes() {
        fixture.publish(3);
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, fixture.head());

        fixture.publish(2);

        assertEquals(List.of(4L, 5L), outlet.positions());
    }

    @Test
    void attach_positionInWindow_catchesUpFromMemoryThenHearsLive() {
        fixture.publish(5);
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 2);

        fixture.publish(1);

        assertEquals(List.of(3L, 4L, 5L, 6L), outlet.positions());
        assertEquals(0, fixture.log.reads(), "the window has it all");
    }

    @Test
    void attach_positionBeforeWindow_readsTheLogThenTheWindowThenHearsLive() {
        fixture.publish(100); // the window holds 16
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 10);

        fixture.publish(1);

        assertEquals(LaneFixture.range(11, 101), outlet.positions());
        assertTrue(fixture.log.reads() > 0);
    }

    @Test
    void sweep_manyFrames_leavesInOneWrite() {
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 0);

        fixture.publish(10);

        assertEquals(10, outlet.positions().size());
        assertEquals(1, outlet.writes);
    }

    @Test
    void sweep_eachForm_getsItsBytes() {
        FakeOutlet plain = fixture.attach(EventFilter.ALL, 0, 0);
        FakeOutlet named = fixture.attach(EventFilter.ALL, 1, 0);

        fixture.publish(1);

        assertEquals("1:p;", plain.text());
        assertEquals("#1:p;", named.text());
    }

    @Test
    void sweep_filterByConversation_getsItsOwnInOrder() {
        FakeOutlet outlet = fixture.attach(new EventFilter(Set.of("a", "b"), Set.of()), 0, 0);

        fixture.publish("a", EventType.MESSAGE_CREATED);
        fixture.publish("x", EventType.MESSAGE_CREATED);
        fixture.publish(null, EventType.BRIDGE_TEST);
        fixture.publish("b", EventType.LOG_ENTRY);
        fixture.publish("a", EventType.LOG_ENTRY);

        assertEquals(List.of(1L, 4L, 5L), outlet.positions());
    }

    @Test
    void sweep_filterByType_getsTheTypeOfAllConversations() {
        FakeOutlet outlet = fixture.attach(new EventFilter(Set.of(), Set.of(EventType.LOG_ENTRY)), 0, 0);

        fixture.publish("a", EventType.MESSAGE_CREATED);
        fixture.publish("b", EventType.LOG_ENTRY);
        fixture.publish(null, EventType.LOG_ENTRY);

        assertEquals(List.of(2L, 3L), outlet.positions());
    }

    @Test
    void sweep_filterByConversationAndType_needsBoth() {
        FakeOutlet outlet = fixture.attach(new EventFilter(Set.of("a"), Set.of(EventType.LOG_ENTRY)), 0, 0);

        fixture.publish("a", EventType.MESSAGE_CREATED);
        fixture.publish("b", EventType.LOG_ENTRY);
        fixture.publish("a", EventType.LOG_ENTRY);

        assertEquals(List.of(3L), outlet.positions());
    }

    @Test
    void shortWrite_anywhereInAFrame_continuesWithTheNextByte() {
        for (int room = 0; room < 40; room++) {
            LaneFixture one = new LaneFixture(16, HEARTBEAT, STALL);
            FakeOutlet outlet = one.attach(EventFilter.ALL, 0, 0);
            outlet.room = room;
            one.publish(10);
            assertEquals(Math.min(room, 41), outlet.text().length());

            one.publish(3); // while it is blocked
            one.drainAll(outlet, 7);
            one.publish(1);

            assertEquals(LaneFixture.range(1, 14), outlet.positions(), "with room for " + room + " bytes first");
        }
    }

    @Test
    void shortWrite_windowMovesOn_goesOnFromTheLog() {
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 0);
        outlet.room = 6; // one frame and a half
        fixture.publish(5);
        fixture.publish(200);

        fixture.drainAll(outlet, 50);
        fixture.publish(1);

        assertEquals(LaneFixture.range(1, 206), outlet.positions());
    }

    @Test
    void shortWrite_ofOne_delaysNobodyElse() {
        FakeOutlet slow = fixture.attach(EventFilter.ALL, 0, 0);
        FakeOutlet quick = fixture.attach(EventFilter.ALL, 0, 0);
        slow.room = 0;

        fixture.publish(50);

        assertEquals(LaneFixture.range(1, 50), quick.positions());
        assertEquals("", slow.text());
    }

    @Test
    void frame_largerThanTheBuffer_arrivesWholeAndInOrder() {
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 0);
        FakeOutlet filtered = fixture.attach(new EventFilter(Set.of("big"), Set.of()), 0, 0);
        String large = "x".repeat(200_000);

        fixture.publishInOne(List.of("p", large, "q"), "big");
        fixture.publish(1);

        assertEquals("1:p;2:" + large + ";3:q;4:p;", outlet.text());
        assertEquals("1:p;2:" + large + ";3:q;", filtered.text());
    }

    @Test
    void frame_largerThanTheBufferInTheLog_arrivesWholeAfterAResume() {
        String large = "y".repeat(200_000);
        fixture.publishInOne(List.of("p", large, "q"), "big");
        fixture.publish(100);

        FakeOutlet outlet = fixture.attach(new EventFilter(Set.of("big"), Set.of()), 0, 0);

        assertEquals("1:p;2:" + large + ";3:q;", outlet.text());
    }

    @Test
    void reader_thatTakesNothing_isClosedAfterTheLimitAndNotBefore() {
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 0);
        fixture.tick(Duration.ofSeconds(29)); // it was idle long before it was blocked
        outlet.room = 3;
        fixture.publish(5);

        fixture.tick(STALL.minusMillis(1));
        assertNull(outlet.closed);
        fixture.tick(Duration.ofMillis(1));

        assertEquals(CloseReason.STALLED, outlet.closed);
        assertEquals(0, fixture.lane.size());
    }

    @Test
    void reader_thatBreaks_isClosedAndTheOthersGoOn() {
        FakeOutlet broken = fixture.attach(EventFilter.ALL, 0, 0);
        FakeOutlet other = fixture.attach(EventFilter.ALL, 0, 0);
        broken.broken = true;

        fixture.publish(2);

        assertEquals(CloseReason.GONE, broken.closed);
        assertEquals(List.of(1L, 2L), other.positions());
        assertEquals(1, fixture.lane.size());
    }

    @Test
    void heartbeat_afterSilence_carriesThePositionThatAFilteredReaderHasReached() {
        FakeOutlet outlet = fixture.attach(new EventFilter(Set.of("mine"), Set.of()), 0, 0);
        fixture.publish(7);

        fixture.tick(HEARTBEAT.minusMillis(1));
        assertEquals("", outlet.text());
        fixture.tick(Duration.ofMillis(1));

        assertEquals("~7;", outlet.text());
    }

    @Test
    void heartbeat_thatIsCut_isFinishedBeforeTheNextFrame() {
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 0);
        outlet.room = 1;
        fixture.tick(HEARTBEAT);
        fixture.publish(1);

        fixture.drainAll(outlet, 100);

        assertEquals("~0;1:p;", outlet.text());
    }

    @Test
    void age_reached_endsWithAFarewellAtAFramesEnd() {
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 0, Duration.ofSeconds(5));
        fixture.tick(Duration.ofSeconds(4));
        fixture.publish(1);
        assertNull(outlet.closed);
        outlet.room = 2;
        fixture.publish(1);

        fixture.tick(Duration.ofSeconds(1)); // blocked in the middle of a frame
        assertNull(outlet.closed);
        fixture.drainAll(outlet, 100);
        fixture.tick(Duration.ofMillis(1));

        assertEquals("1:p;2:p;!AGED;", outlet.text());
        assertEquals(CloseReason.AGED, outlet.closed);
    }

    @Test
    void end_inSlices_endsThemAll() {
        List<FakeOutlet> outlets = List.of(
                fixture.attach(EventFilter.ALL, 0, 0),
                fixture.attach(EventFilter.ALL, 0, 0),
                fixture.attach(EventFilter.ALL, 0, 0));

        fixture.lane.end(2, CloseReason.SHUTDOWN);
        fixture.loop.runUntilIdle();
        assertEquals(1, fixture.lane.size());
        fixture.lane.end(2, CloseReason.SHUTDOWN);
        fixture.loop.runUntilIdle();

        for (FakeOutlet outlet : outlets) {
            assertEquals("!SHUTDOWN;", outlet.text());
            assertEquals(CloseReason.SHUTDOWN, outlet.closed);
        }
    }

    @Test
    void end_ofSome_isBeforeAnythingElseIsWrittenToThem() {
        FakeOutlet live = fixture.attach(EventFilter.ALL, 0, 0);
        FakeOutlet stays = fixture.attach(EventFilter.ALL, 0, 0);
        FakeOutlet slow = fixture.attach(EventFilter.ALL, 0, 0);
        slow.room = 2;
        fixture.publish(1);
        fixture.publish(1);

        fixture.lane.end(outlet -> outlet != stays, CloseReason.FORBIDDEN);
        fixture.publish(1);
        fixture.drainAll(slow, 100);

        assertEquals("1:p;2:p;!FORBIDDEN;", live.text());
        assertEquals("1:p;!FORBIDDEN;", slow.text(), "the frame that was cut, and no other");
        assertEquals("1:p;2:p;3:p;", stays.text());
        assertEquals(CloseReason.FORBIDDEN, live.closed);
        assertEquals(CloseReason.FORBIDDEN, slow.closed);
        assertNull(stays.closed);
    }

    @Test
    void replay_logAway_waitsAndGoesOn() {
        fixture.publish(100);
        fixture.log.failReads(new LogUnavailableException("away", null));
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 0);
        assertEquals("", outlet.text());

        fixture.log.failReads(null);
        fixture.tick(Duration.ofSeconds(1));

        assertEquals(LaneFixture.range(1, 100), outlet.positions());
        assertNull(outlet.closed);
    }

    @Test
    void replay_noLongerRetained_endsAndSkipsNothing() {
        fixture.publish(2_000);
        fixture.workers.hold();
        FakeOutlet behind = fixture.attach(EventFilter.ALL, 0, 100);
        FakeOutlet ahead = fixture.attach(EventFilter.ALL, 0, 1_000);
        fixture.log.trim(1_000);
        fixture.workers.letGo();
        fixture.loop.runUntilIdle();

        assertEquals("!NOT_RETAINED;", behind.text());
        assertEquals(CloseReason.NOT_RETAINED, behind.closed);
        assertEquals(LaneFixture.range(1_001, 2_000), ahead.positions());
        assertNull(ahead.closed);
    }

    @Test
    void replay_noLongerRetainedAfterItsFirstPage_endsAfterThatPage() {
        fixture.publish(2_000);
        FakeOutlet outlet = new FakeOutlet();
        outlet.room = 1;
        Subscription reader = fixture.attach(outlet, EventFilter.ALL, 0, 0, Duration.ZERO);
        fixture.workers.hold();
        outlet.room = Long.MAX_VALUE;
        fixture.lane.writable(reader); // writes the rest of its first frame, and asks for the next page
        fixture.loop.runUntilIdle();
        fixture.log.trim(1_500);
        fixture.workers.letGo();
        fixture.loop.runUntilIdle();

        assertEquals(List.of(1L), outlet.positions());
        assertTrue(outlet.text().endsWith(";!NOT_RETAINED;"), outlet::text);
        assertEquals(CloseReason.NOT_RETAINED, outlet.closed);
        assertEquals(0, fixture.lane.size());
        for (int i = 0; i < 2 * LaneFixture.PERMITS; i++) { // it has given its permit back
            FakeOutlet next = fixture.attach(EventFilter.ALL, 0, 1_500);
            assertEquals(LaneFixture.range(1_501, 2_000), next.positions());
        }
    }

    /** Its server was away from the log for longer than events are kept. */
    @Test
    void liveReaders_whatFollowsIsNoLongerRetained_end() {
        fixture.publish(20);
        FakeOutlet all = fixture.attach(EventFilter.ALL, 0, 15);
        FakeOutlet filtered = fixture.attach(new EventFilter(Set.of("c"), Set.of()), 1, 20);

        fixture.log.trim(30);
        fixture.broadcaster.lost(30);
        FakeOutlet meanwhile = fixture.attach(EventFilter.ALL, 0, 18);
        fixture.loop.runUntilIdle();

        assertEquals(CloseReason.NOT_RETAINED, all.closed);
        assertEquals(CloseReason.NOT_RETAINED, filtered.closed);
        assertEquals(LaneFixture.range(16, 20), all.positions());
        assertTrue(meanwhile.positions().isEmpty(), meanwhile::text);
        assertEquals(CloseReason.NOT_RETAINED, meanwhile.closed);
        assertEquals(30, fixture.broadcaster.head());
        assertEquals(30, fixture.broadcaster.floor());
    }

    @Test
    void replay_logBroken_closes() {
        fixture.publish(100);
        fixture.log.failReads(new IllegalStateException("broken"));

        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 0);

        assertEquals(CloseReason.FAILED, outlet.closed);
    }

    @Test
    void replay_readersThatStopInTheMiddle_giveTheirPermitBack() {
        fixture.publish(2_000);
        for (int i = 0; i < 3 * LaneFixture.PERMITS; i++) {
            FakeOutlet stopped = new FakeOutlet();
            stopped.room = 10;
            fixture.attach(stopped, EventFilter.ALL, 0, 0, Duration.ZERO);
        }

        FakeOutlet quick = fixture.attach(EventFilter.ALL, 0, 0);

        assertEquals(LaneFixture.range(1, 2_000), quick.positions());
    }

    @Test
    void gone_whileAPageIsRead_isForgotten() {
        fixture.publish(100);
        fixture.workers.hold();
        FakeOutlet outlet = new FakeOutlet();
        Subscription subscription = fixture.attach(outlet, EventFilter.ALL, 0, 0, Duration.ZERO);

        fixture.lane.gone(subscription);
        fixture.workers.letGo();
        fixture.loop.runUntilIdle();

        assertEquals("", outlet.text());
        assertEquals(CloseReason.GONE, outlet.closed);
        FakeOutlet next = fixture.attach(EventFilter.ALL, 0, 0);
        assertEquals(100, next.positions().size(), "its permit is free again");
    }

    @Test
    void heartbeat_cutWhileAPageIsRead_doesNotFetchThePageTwice() {
        fixture.publish(100);
        fixture.workers.hold();
        FakeOutlet outlet = new FakeOutlet();
        Subscription subscription = fixture.attach(outlet, EventFilter.ALL, 0, 0, Duration.ZERO);
        outlet.room = 1;
        fixture.tick(HEARTBEAT);
        outlet.room = Long.MAX_VALUE;
        fixture.lane.writable(subscription);

        fixture.workers.letGo();
        fixture.loop.runUntilIdle();

        assertEquals(LaneFixture.range(1, 100), outlet.positions());
    }

    @Test
    void loop_framesKeepComing_letsTheLoopLookAtItsConnections() {
        FakeOutlet outlet = fixture.attach(EventFilter.ALL, 0, 0);
        fixture.publishWithoutRunning(1);
        // New frames appear during the sweep: the lane must not queue itself before the loop has had a turn.
        Outlet publishing = new Outlet() {
            @Override
            public int write(java.nio.ByteBuffer bytes) {
                int some = bytes.remaining();
                bytes.position(bytes.limit());
                if (fixture.head() < 50) {
                    fixture.publishWithoutRunning(1);
                }
                return some;
            }

            @Override
            public void awaitWritable() {}

            @Override
            public void close(CloseReason reason) {}
        };
        fixture.lane.attach(new Subscription(EventFilter.ALL, 0, publishing, fixture.head(), Duration.ZERO));
        fixture.publishWithoutRunning(1);

        fixture.loop.turn();
        assertTrue(outlet.positions().size() < 10, "one turn is one sweep or two");
        fixture.loop.runUntilIdle();

        assertEquals(LaneFixture.range(1, 50), outlet.positions());
        assertFalse(fixture.loop.turn());
    }
}
