package dev.agentpipe.core.event;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event.Envelope;
import dev.agentpipe.core.event.ReadResult.Events;
import dev.agentpipe.core.event.ReadResult.Item;
import dev.agentpipe.core.event.ReadResult.Item.Accepted;
import dev.agentpipe.core.event.ReadResult.Malformed;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Bodies of the real client with something broken in them, the same ones in each run. */
final class EventReaderFuzzTest {

    private static final int ROUNDS = 20_000;
    private static final List<String> SPLICES = List.of(
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\\u",
            "\\u0000",
            "\\ud800",
            "null",
            "-",
            "1e999999999",
            "[[[[[[[[",
            "\n",
            "\r\n",
            "\u0000",
            "\uFEFF",
            "\"command\":{},",
            ",\"command\":null",
            "\"data\":{",
            "\"type\":",
            "\"timestamp\":null,",
            "9".repeat(30),
            "é",
            "\u2028",
            "{\"a\":{\"a\":",
            "true",
            " ");

    /** With doubles: no BigDecimal can hold some of the exponents that damage makes, and payloads may hold any. */
    private static final JsonMapper TREE = Reading.TREE
            .rebuild()
            .disable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private final Random random = new Random(20261122);
    private final List<byte[]> seeds = Reading.fixtures().stream()
            .map(body -> body.getBytes(StandardCharsets.UTF_8))
            .filter(body -> body.length < 4_000)
            .toList();
    private final EventReader reader = Reading.reader(EventLimits.DEFAULT);

    private int accepted;
    private int rejected;
    private int malformed;

    @Test
    void bodies_withDamage_giveAnAnswerAndSoundPayloads() {
        for (int i = 0; i < ROUNDS; i++) {
            byte[] body = damaged(seeds.get(random.nextInt(seeds.size())));
            check(body, reader.readJson(body));
            if (reader.readLines(body) instanceof Events lines) {
                lines.items().forEach(EventReaderFuzzTest::assertOneLine);
            }
        }
        // Not all of one kind: the damage is neither harmless nor always fatal.
        assertTrue(accepted > ROUNDS / 20, accepted + " accepted");
        assertTrue(rejected > ROUNDS / 50, rejected + " rejected");
        assertTrue(malformed > ROUNDS / 5, malformed + " malformed");
    }

    private byte[] damaged(byte[] seed) {
        byte[] body = seed.clone();
        for (int n = random.nextInt(3); n >= 0; n--) {
            int at = random.nextInt(body.length + 1);
            int to = Math.min(body.length, at + random.nextInt(12));
            switch (random.nextInt(6)) {
                case 0 -> body = replaced(body, at, to, new byte[0]);
                case 1 -> body = replaced(body, at, at, bytes());
                case 2 -> body = replaced(body, at, at, splice());
                case 3 -> body = replaced(body, at, to, splice());
                case 4 -> body = replaced(body, at, at, part(body));
                default -> body = replaced(body, at, Math.min(at + 1, body.length), bytes());
            }
        }
        return body;
    }

    private byte[] bytes() {
        byte[] bytes = new byte[1 + random.nextInt(2)];
        random.nextBytes(bytes);
        return bytes;
    }

    private byte[] splice() {
        return SPLICES.get(random.nextInt(SPLICES.size())).getBytes(StandardCharsets.UTF_8);
    }

    private byte[] part(byte[] body) {
        int from = random.nextInt(body.length + 1);
        int to = Math.min(body.length, from + random.nextInt(40));
        return Arrays.copyOfRange(body, from, to);
    }

    private static byte[] replaced(byte[] body, int from, int to, byte[] by) {
        byte[] result = new byte[body.length - (to - from) + by.length];
        System.arraycopy(body, 0, result, 0, from);
        System.arraycopy(by, 0, result, from, by.length);
        System.arraycopy(body, to, result, from + by.length, body.length - to);
        return result;
    }

    private void check(byte[] body, ReadResult result) {
        if (result instanceof Malformed) {
            malformed++;
            return;
        }
        Events events = (Events) result;
        if (events.batch() || !(events.items().get(0) instanceof Accepted item)) {
            rejected++;
            return;
        }
        accepted++;
        assertOneLine(item);
        Envelope envelope = item.event().envelope();
        ObjectNode sent = (ObjectNode) TREE.readTree(withoutByteOrderMark(body));
        JsonNode payload = TREE.readTree(envelope.payload());
        if (envelope.type() == EventType.CONVERSATION_STARTED) {
            ((ObjectNode) sent.get("data")).remove("command");
        }
        if (!sent.hasNonNull("timestamp")) {
            sent.put("timestamp", Reading.NOW_TEXT);
        }
        assertEquals(sent, payload, () -> new String(body, StandardCharsets.UTF_8));
    }

    private static byte[] withoutByteOrderMark(byte[] body) {
        boolean marked = body[0] == (byte) 0xEF;
        return marked ? Arrays.copyOfRange(body, 3, body.length) : body;
    }

    private static void assertOneLine(Item item) {
        if (item instanceof Accepted accepted) {
            String payload = Reading.payload(accepted.event());
            assertFalse(payload.contains("\n") || payload.contains("\r"), payload);
        }
    }
}
