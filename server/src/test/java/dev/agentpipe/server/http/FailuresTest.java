package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.spi.ILoggingEvent;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.http.Callers.Known.Bad;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class FailuresTest {

    private static final Bad REVOKED = new Bad("revoked", "ap_live_…01234567");

    private final AtomicLong nanos = new AtomicLong();
    private final CapturedLog audit = new CapturedLog(Audit.LOGGER);
    private final CapturedLog log = new CapturedLog(Failures.class.getName());
    private final Failures failures = new Failures(new Audit(Clock.fixed(Instant.EPOCH, ZoneOffset.UTC)), nanos::get);

    @AfterEach
    void close() {
        audit.close();
        log.close();
    }

    private List<Long> delays(String address, Bad bad, int count) {
        List<Long> delays = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            delays.add(failures.count(address, bad, "r" + i).toMillis());
        }
        return delays;
    }

    private static List<String> lines(CapturedLog log) {
        return log.events().stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    @Test
    void delay_ofAnAddress_growsToItsMost_andOnlyForIt() {
        assertEquals(
                List.of(0L, 0L, 0L, 0L, 0L, 50L, 100L, 200L, 400L, 800L, 1_600L, 2_000L, 2_000L),
                delays("a", Bad.UNKNOWN, 13));
        assertEquals(2_000L, delays("a", Bad.UNKNOWN, 1_000).get(999));
        assertEquals(List.of(0L), delays("b", Bad.UNKNOWN, 1), "somebody else");
    }

    @Test
    void delay_ofThoseWithoutAKey_isNone() {
        assertTrue(delays("a", Bad.MISSING, 100).stream().allMatch(delay -> delay == 0), "nothing was guessed");
        assertEquals(List.of(0L), delays("a", Bad.MALFORMED, 1));
    }

    @Test
    void address_thatIsQuiet_isForgotten() {
        delays("a", Bad.UNKNOWN, 20);
        nanos.addAndGet(Duration.ofMinutes(9).toNanos());
        assertEquals(List.of(2_000L), delays("a", Bad.UNKNOWN, 1));
        nanos.addAndGet(Duration.ofMinutes(11).toNanos());
        assertEquals(List.of(0L), delays("a", Bad.UNKNOWN, 1));
    }

    @Test
    void tell_isALineAnAddressWithCountsAndWithoutSecrets() {
        delays("a", Bad.UNKNOWN, 6);
        delays("a", REVOKED, 2);
        delays("b", Bad.MISSING, 1);
        assertEquals(List.of(), lines(audit), "not each by itself");

        failures.tell();
        assertEquals(2, lines(audit).size(), () -> lines(audit).toString());
        assertTrue(lines(audit)
                .contains("{\"time\":\"1970-01-01T00:00:00Z\",\"audit\":\"authentication.failed\",\"address\":\"a\","
                        + "\"count\":8,\"reasons\":{\"revoked\":2,\"unknown\":6},\"keys\":[\"ap_live_…01234567\"],"
                        + "\"requestId\":\"r1\"}"));
        assertEquals(List.of("8 requests from a came without a valid key"), lines(log), "only the repeated ones");

        failures.tell();
        assertEquals(2, lines(audit).size(), "nothing is new");
        assertEquals(1, lines(log).size());
    }

    @Test
    void addresses_inAFlood_areBoundedAndStillCounted() {
        int many = 30_000;
        for (int i = 0; i < many; i++) {
            failures.count("address-" + i, Bad.UNKNOWN, "r");
        }
        assertTrue(failures.addresses() <= 11_000, () -> "remembered: " + failures.addresses());
        failures.tell();

        long counted = lines(audit).stream()
                .mapToLong(line -> Long.parseLong(line.replaceAll(".*\"count\":(\\d+).*", "$1")))
                .sum();
        assertEquals(many, counted);
        assertTrue(lines(audit).size() <= 101, () -> lines(audit).size() + " lines");
        assertFalse(lines(log).isEmpty());
    }
}
