package dev.agentpipe.core.event;

import static dev.agentpipe.core.event.Reading.event;
import static dev.agentpipe.core.event.Reading.items;
import static dev.agentpipe.core.event.Reading.malformed;
import static dev.agentpipe.core.event.Reading.utf8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.ReadResult.Item.Accepted;
import dev.agentpipe.core.event.ReadResult.Malformed;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Names made to fill or slow down the table of names, which all bodies share. */
final class EventReaderHostileTest {

    private static final String REFUSED = "A name is longer than 1024 bytes, or names collide on purpose.";

    @Test
    void name_longerThanTheLimit_isRefused() {
        int max = EventLimits.DEFAULT.nameBytesMax();
        String most = event("bridge.test", ",\"" + "n".repeat(max) + "\":1");
        assertInstanceOf(Accepted.class, items(Reading.json(most)).get(0));
        Malformed malformed = malformed(event("bridge.test", ",\"" + "n".repeat(2 * max) + "\":1"));
        assertEquals("invalid_json", malformed.code());
        assertEquals(REFUSED, malformed.detail());
    }

    @Test
    void names_thatAreManyAndNew_areAccepted() {
        EventReader reader = Reading.reader(EventLimits.DEFAULT);
        Random random = new Random(31);
        for (int round = 0; round < 5; round++) {
            StringBuilder members = new StringBuilder();
            for (int i = 0; i < 20_000; i++) {
                members.append(",\"")
                        .append(Long.toString(random.nextLong(), 36))
                        .append("\":")
                        .append(i);
            }
            ReadResult result = reader.readJson(utf8(event("bridge.test", members.toString())));
            assertInstanceOf(Accepted.class, items(result).get(0));
        }
    }

    @Test
    void names_withOneHash_areRefusedAndHarmNobodyElse() {
        EventReader reader = Reading.reader(EventLimits.DEFAULT);
        StringBuilder members = new StringBuilder();
        collidingNames(2_000).forEach(name -> members.append(",\"").append(name).append("\":1"));
        byte[] body = utf8(event("bridge.test", members.toString()));
        for (int round = 0; round < 5; round++) {
            assertEquals(
                    REFUSED,
                    assertInstanceOf(Malformed.class, reader.readJson(body)).detail());
        }
        for (String honest : Reading.fixtures()) {
            assertInstanceOf(
                    Accepted.class, items(reader.readJson(utf8(honest))).get(0));
        }
    }

    /** Names of 8 letters with the same hash in Jackson, whatever its seed: it mixes the seed in last. */
    private static Set<String> collidingNames(int count) {
        int inverseOf33 = 0x3E0F83E1;
        Random random = new Random(32);
        Set<String> names = new TreeSet<>();
        for (int tries = 0; names.size() < count && tries < 50_000_000; tries++) {
            int first = random.nextInt() & 0x1F1F1F1F | 0x60606060;
            int mixed = first + (first >>> 15);
            mixed ^= mixed >>> 9;
            int second = (0x12345678 - mixed) * inverseOf33;
            byte[] name = ByteBuffer.allocate(8).putInt(first).putInt(second).array();
            String text = new String(name, StandardCharsets.ISO_8859_1);
            if (text.matches("[\\x60-\\x7F]{4}[!#-\\[\\]-~]{4}")) {
                names.add(text);
            }
        }
        assertTrue(names.size() == count, names.size() + " names");
        return names;
    }
}
