package dev.agentpipe.core.event;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TimestampsTest {

    @ParameterizedTest
    @CsvSource({
        "2026-11-22T14:34:21Z,                   2026-11-22T14:34:21Z",
        "2026-11-22T14:34:21.2Z,                 2026-11-22T14:34:21.200000Z",
        "2026-11-22T14:34:21.205860558Z,         2026-11-22T14:34:21.205860Z",
        "2026-11-22T14:34:21.999999999Z,         2026-11-22T14:34:21.999999Z",
        "2026-11-22T14:34:21.000000999999999Z,   2026-11-22T14:34:21.000000Z",
        "'2026-11-22T14:34:21,5Z',               2026-11-22T14:34:21.500000Z",
        "2026-11-22t14:34:21z,                   2026-11-22T14:34:21Z",
        "2026-11-22T14:34Z,                      2026-11-22T14:34:00Z",
        "2026-11-22T14:34:21-00:00,              2026-11-22T14:34:21Z",
        "2026-11-22T14:34:21+00:00,              2026-11-22T14:34:21Z",
        "2026-11-22T14:34:21+05:45,              2026-11-22T08:49:21Z",
        "2026-11-22T14:34:21+0545,               2026-11-22T08:49:21Z",
        "2026-11-22T14:34:21-08,                 2026-11-22T22:34:21Z",
        "2026-11-22T14:34:21+18:01,              2026-11-21T20:33:21Z",
        "2026-11-22T14:34:21+23:59,              2026-11-21T14:35:21Z",
        "2026-11-22T14:34:21-23:59,              2026-11-23T14:33:21Z",
        "2016-12-31T23:59:60Z,                   2017-01-01T00:00:00Z",
        "2016-12-31T23:59:60.5Z,                 2017-01-01T00:00:00.500000Z",
        "2024-02-29T00:00:00Z,                   2024-02-29T00:00:00Z",
        "2000-02-29T00:00:00Z,                   2000-02-29T00:00:00Z",
        "1969-12-31T23:59:59.9999999Z,           1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z,                   1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z,                   0001-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z,                   0000-01-01T00:00:00Z",
        "0000-01-01T00:00:00-23:59,              0000-01-01T23:59:00Z",
        "9999-12-31T23:59:59.999999Z,            9999-12-31T23:59:59.999999Z",
    })
    void text_inIso8601_isItsInstant(String text, String expected) {
        Instant instant = Instant.parse(expected);
        long micros = instant.getEpochSecond() * 1_000_000 + instant.getNano() / 1_000;
        assertEquals(micros, Timestamps.epochMicros(text));
        assertEquals(micros, Timestamps.epochMicros(instant));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "now",
                "1732286061",
                "2026-11-22",
                "2026-11-22T14:34:21",
                "2026-11-22 14:34:21Z",
                "2026-11-22T14:34:21.Z",
                "2026-11-22T14:34:21..5Z",
                "2026-11-22T14:34:21Z ",
                " 2026-11-22T14:34:21Z",
                "2026-11-22T14:34:21ZZ",
                "2026-11-22T14:34:21+",
                "2026-11-22T14:34:21+1",
                "2026-11-22T14:34:21+01:",
                "2026-11-22T14:34:21+01:0",
                "2026-11-22T14:34:21+01:60",
                "2026-11-22T14:34:21+24:00",
                "2026-11-22T14:34:21+01:00:00",
                "2026-11-22T14:34:21Z+01:00",
                "2026-11-22T14:34:61Z",
                "2026-11-22T14:60:00Z",
                "2026-11-22T24:00:00Z",
                "2026-11-31T00:00:00Z",
                "2026-11-00T00:00:00Z",
                "2026-00-01T00:00:00Z",
                "2026-13-01T00:00:00Z",
                "2026-02-29T00:00:00Z",
                "1900-02-29T00:00:00Z",
                "2026-1-1T00:00:00Z",
                "26-11-22T14:34:21Z",
                "-2026-11-22T14:34:21Z",
                "+2026-11-22T14:34:21Z",
                "10000-01-01T00:00:00Z",
                "-001-01-01T00:00:00Z",
                "0000-01-01T00:00:00+00:01",
                "9999-12-31T23:59:59-00:01",
                "9999-12-31T23:59:60Z",
                "٢٠٢٦-11-22T14:34:21Z",
                "2026-11-22T14:34:21Z\u0000",
            })
    void text_thatIsNoInstant_isInvalid(String text) {
        assertEquals(Timestamps.INVALID, Timestamps.epochMicros(text));
    }

    @Test
    void instants_ofAllYears_areReadAsJavaReadsThem() {
        Random random = new Random(11);
        for (int i = 0; i < 20_000; i++) {
            Instant instant = Instant.ofEpochSecond(
                    random.nextLong(-62_167_132_800L, 253_402_214_400L), random.nextInt(1_000_000_000));
            int offset = random.nextInt(-18 * 60, 18 * 60 + 1);
            OffsetDateTime local = instant.atOffset(ZoneOffset.ofTotalSeconds(offset * 60));
            long micros = instant.getEpochSecond() * 1_000_000 + instant.getNano() / 1_000;
            assertEquals(micros, Timestamps.epochMicros(local.toString()), local::toString);
        }
    }

    @Test
    void micros_formatted_areReadBack() {
        assertEquals("2026-11-22T10:00:00.123456Z", Timestamps.format(Reading.NOW_MICROS));
        assertEquals("1969-12-31T23:59:59.999999Z", Timestamps.format(-1));
        Random random = new Random(12);
        for (int i = 0; i < 1_000; i++) {
            long micros = random.nextLong(-62_167_219_200_000_000L, 253_402_300_799_999_999L);
            assertEquals(micros, Timestamps.epochMicros(Timestamps.format(micros)));
        }
    }
}
