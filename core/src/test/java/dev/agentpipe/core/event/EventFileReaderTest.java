package dev.agentpipe.core.event;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.agentpipe.core.event.UploadCheck.Invalid;
import dev.agentpipe.core.event.UploadCheck.TooLarge;
import dev.agentpipe.core.event.UploadCheck.ValidEvents;
import dev.agentpipe.core.redact.Redactor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Lines of any length, in pieces of any size. */
final class EventFileReaderTest {

    private static final EventLimits LIMITS = new EventLimits(200_000, 10, 64, 255, 10, 1_024, 10);

    private static final EventFileReader READER = new EventFileReader(
            EventReader.ofFiles(LIMITS, Clock.systemUTC(), Redactor.OFF),
            LIMITS,
            new UploadLimits(1 << 20, 100, 100, 10_000, 5));

    private static String event(int contentBytes) {
        return "{\"type\":\"message.created\",\"timestamp\":\"2026-11-22T10:00:00Z\",\"data\":{\"conversation_id\":\"c\","
                + "\"agent_type\":\"a\",\"content\":\"" + "x".repeat(contentBytes) + "\"}}";
    }

    /** Gives its bytes in pieces of random size. */
    private static InputStream pieces(String text, long seed) {
        Random random = new Random(seed);
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)) {
            @Override
            public synchronized int read(byte[] bytes, int from, int length) {
                return super.read(bytes, from, length == 0 ? 0 : 1 + random.nextInt(Math.min(length, 50_000)));
            }
        };
    }

    private static UploadCheck check(String file) throws IOException {
        return READER.check(pieces(file, 0));
    }

    @Test
    void lines_inPiecesOfAnySize_areTheSame() throws IOException {
        List<Integer> sizes = List.of(0, 100_000, 5, 65_400, 65_536, 1, 70_000, 199_800);
        StringBuilder file = new StringBuilder("\uFEFF\n");
        sizes.forEach(size -> file.append(event(size)).append(size % 2 == 0 ? "\r\n \n" : "\n"));
        for (long seed = 0; seed < 50; seed++) {
            assertInstanceOf(ValidEvents.class, READER.check(pieces(file.toString(), seed)));
            List<Integer> read = new ArrayList<>();
            List<Integer> places = new ArrayList<>();
            READER.read(pieces(file.toString(), seed), (place, event) -> {
                places.add(place);
                read.add(((Event.MessageCreated) event).content().length());
            });
            assertEquals(sizes, read);
            assertEquals(List.of(2, 4, 6, 7, 9, 11, 12, 14), places);
        }
    }

    @Test
    void line_tooLong_isNamedAndTheNextOnesAreRead() throws IOException {
        for (int size : List.of(200_000, 265_000, 270_000, 400_000)) {
            Invalid invalid =
                    assertInstanceOf(Invalid.class, check(event(1) + "\n" + event(size) + "\n" + event(2) + "\nbad\n"));
            assertEquals("invalid_upload", invalid.code());
            assertEquals(
                    List.of(2, 4),
                    invalid.violations().stream().map(UploadCheck.Place::line).toList());
        }
        Invalid last = assertInstanceOf(Invalid.class, check(event(300_000)));
        assertEquals("event_too_large", last.code());
        assertEquals(1, last.violations().size());
    }

    @Test
    void whiteSpace_aroundAnEvent_doesNotCount() throws IOException {
        assertInstanceOf(ValidEvents.class, check(" ".repeat(60_000) + event(199_000) + "\t\r\n"));
        assertInstanceOf(ValidEvents.class, check("\n".repeat(1 << 20)));
        assertInstanceOf(TooLarge.class, check("\n".repeat((1 << 20) + 1)));
    }
}
