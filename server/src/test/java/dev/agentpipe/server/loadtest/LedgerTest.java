package dev.agentpipe.server.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.agentpipe.server.loadtest.Conversations.Message;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Ten events a second for a second, after two that settle: event n is due at n tenths of a second. */
final class LedgerTest {

    private static final Step STEP = new Step(2, 10);
    private static final int SETTLING = 2;
    private static final int EVENTS = 12;

    /** Two conversations, with one stream and with two. */
    private static final Viewers.Seen SEEN = new Viewers.Seen(3, 0, 0, new int[] {1, 2}, Map.of());

    private final Ledger ledger = new Ledger(7, 0, STEP.eventsPerSecond(), millis(200), millis(1_000));

    @Test
    void answers_inTime_giveTheRateAndTheirTimes() {
        for (int event = 0; event < EVENTS; event++) {
            ledger.stored(event, millis(100 * event + 30));
        }
        Measurement seen = measured(1_300);

        assertEquals(EVENTS, ledger.count());
        assertEquals(10, seen.due());
        assertEquals(10, seen.answeredPerSecond(), 0.001);
        assertEquals(0, seen.errors());
        assertEquals(30, seen.latency().p99(), 0.1);
    }

    /** One answer that takes long holds the others up: all of them count from when they were due. */
    @Test
    void answers_heldUpByOne_allCountFromWhenTheyWereDue() {
        for (int event = SETTLING; event < EVENTS; event++) {
            ledger.stored(event, millis(1_200));
        }
        Measurement seen = measured(1_300);

        assertEquals(10, seen.latency().count());
        assertEquals(1_000, seen.latency().max(), 1);
        assertEquals(500, seen.latency().p50(), 101);
        assertEquals(0, seen.answeredPerSecond(), "none of them in the time that counts");
    }

    @Test
    void events_withoutAnswer_areErrorsThatTookUntilNow() {
        ledger.refused(SETTLING, "503 queue_full", millis(210));
        for (int event = SETTLING + 2; event < EVENTS; event++) {
            ledger.stored(event, millis(100 * event + 1));
        }
        Measurement seen = measured(5_300);

        assertEquals(2, seen.errors());
        assertEquals(0.2, seen.errorShare(), 0.001);
        assertEquals(Map.of("503 queue_full", 1L, "no answer", 1L), seen.failures());
        assertEquals(5_000, seen.latency().max(), 5);
    }

    @Test
    void events_afterACut_wereNeverDue() {
        ledger.stored(SETTLING, millis(210));
        ledger.stored(SETTLING + 1, millis(310));
        ledger.cut(millis(400));
        Measurement seen = measured(500);

        assertEquals(2, seen.due());
        assertEquals(0, seen.errors());
        assertEquals(10, seen.answeredPerSecond(), 0.001);
    }

    /** Those of the beginning included; what was refused is not waited for. */
    @Test
    void deliveries_ofStoredEvents_areMissedOnEachStream() {
        ledger.stored(0, millis(1));
        ledger.stored(1, millis(101));
        ledger.refused(2, "500", millis(201));
        assertEquals(3, ledger.missing(SEEN.followers()));

        ledger.delivered(0, millis(5));
        ledger.delivered(1, millis(105));
        assertEquals(1, ledger.missing(SEEN.followers()));
        assertEquals(1, measured(1_300).streams().missing());

        ledger.delivered(1, millis(106));
        assertEquals(0, ledger.missing(SEEN.followers()));
    }

    @Test
    void delays_ofBothHalves_standSideBySide() {
        for (int event = 0; event < EVENTS; event++) {
            ledger.delivered(event, millis(100 * event + (event < 7 ? 20 : 300)));
        }
        Measurement.Streams streams = measured(1_300).streams();

        assertEquals(20, streams.delayEarly(), 0.1);
        assertEquals(300, streams.delayLate(), 1);
        assertEquals(10, streams.delay().count());
        assertEquals(EVENTS, streams.deliveries());
    }

    @Test
    void message_isKnownAgainInAStream_andThoseOfOthersAreNot() {
        Conversations ours = new Conversations(2);
        String event = new String(ours.message(1, 7, 11), StandardCharsets.UTF_8);

        assertEquals(new Message(7, 11), ours.messageIn(event));
        assertNull(new Conversations(2).messageIn(event));
        assertNull(ours.messageIn(new String(ours.started(0), StandardCharsets.UTF_8)));
    }

    private Measurement measured(long nowMillis) {
        return ledger.measured(STEP, SEEN, Measurements.IDLE, millis(nowMillis));
    }

    private static long millis(long millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }
}
