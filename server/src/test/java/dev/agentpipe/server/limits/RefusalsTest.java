package dev.agentpipe.server.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.audit.Audit;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

final class RefusalsTest {

    private static final Subject KEY = new Subject("1f3a9c02", "ap_live_…1f3a9c02", null);
    private static final Subject ADDRESS = new Subject("192.0.2.1", null, "192.0.2.1");

    private final Refusals refusals =
            new Refusals(new Audit(Clock.fixed(Instant.parse("2026-11-23T01:02:03Z"), ZoneOffset.UTC)));

    @Test
    void refusals_areToldOnce_byLimitAndCaller() {
        try (CapturedLog audit = new CapturedLog("audit");
                CapturedLog log = new CapturedLog(Refusals.class.getName())) {
            for (int i = 0; i < 7; i++) {
                refusals.count("ingest", KEY);
            }
            refusals.count("streams", ADDRESS);
            refusals.tell();
            refusals.tell();

            String told = audit.events().toString();
            assertEquals(2, audit.events().size(), told);
            assertTrue(
                    told.contains("{\"time\":\"2026-11-23T01:02:03Z\",\"audit\":\"limit.exceeded\","
                            + "\"who\":\"ap_live_…1f3a9c02\",\"limit\":\"ingest\",\"count\":7}"),
                    told);
            assertTrue(told.contains("\"limit\":\"streams\",\"address\":\"192.0.2.1\",\"count\":1}"), told);
            assertTrue(
                    log.events().toString().contains("7 requests of ap_live_…1f3a9c02 were refused"),
                    log.events().toString());
        }
    }

    @Test
    void manyCallers_areNotToldOneByOne() {
        try (CapturedLog audit = new CapturedLog("audit")) {
            for (int i = 0; i < 1_000; i++) {
                refusals.count("read", new Subject("a" + i, null, "a" + i));
            }
            refusals.tell();
            assertEquals(101, audit.events().size());
            assertTrue(audit.events().get(100).getFormattedMessage().endsWith("\"count\":900}"));
            audit.events().clear();
            refusals.tell();
            assertFalse(audit.events().iterator().hasNext());
        }
    }
}
