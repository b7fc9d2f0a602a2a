package dev.agentpipe.server.sse;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SseParserTest {

    private final List<SseEvent> events = new ArrayList<>();
    private final SseParser parser = new SseParser(events::add);

    @Test
    void event_withAllFields_isDispatchedAtTheEmptyLine() {
        feed("retry: 3000\nid: e-7\nevent: reset\ndata: one\n");
        assertEquals(List.of(), events);

        feed("\n");
        assertEquals(List.of(new SseEvent("e-7", "reset", "one")), events);
    }

    @Test
    void data_ofSeveralLines_isJoinedAndKeepsAllButOneSpace() {
        feed("data: one\ndata:two\ndata:  three\ndata\ndata:\n\n");

        assertEquals(List.of(new SseEvent("", "message", "one\ntwo\n three\n\n")), events);
    }

    @Test
    void id_withoutData_firesNothingButCountsForTheNext() {
        feed("id: e-1\ndata: a\n\n:heartbeat\nid: e-2\n\ndata: b\n\nid\ndata: c\n\n");

        assertEquals(
                List.of(
                        new SseEvent("e-1", "message", "a"),
                        new SseEvent("e-2", "message", "b"),
                        new SseEvent("", "message", "c")),
                events);
    }

    @Test
    void id_withNul_isIgnored() {
        feed("id: e-1\ndata: a\n\nid: e\0-2\ndata: b\n\n");

        assertEquals("e-1", events.get(1).id());
    }

    @Test
    void type_ofAnEventWithoutData_isForgotten() {
        feed("event: reset\n\ndata: a\n\n");

        assertEquals(List.of(new SseEvent("", "message", "a")), events);
    }

    @Test
    void commentsAndUnknownFields_areIgnored() {
        feed(": comment\n:data: no\nDATA: no\ndata : no\nother: x\ndata: yes\n\n");

        assertEquals(List.of(new SseEvent("", "message", "yes")), events);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r", "\r\n"})
    void lineEnds_ofEveryKindAndSplitAnywhere_giveTheSame(String end) {
        String text = String.join(
                end,
                "\ufeffid: e-1",
                "data: Größe \u2028 \ud83d\ude00",
                "data: x",
                "",
                "",
                "event: t",
                "data: y",
                "",
                "");
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        List<SseEvent> expected =
                List.of(new SseEvent("e-1", "message", "Größe \u2028 \ud83d\ude00\nx"), new SseEvent("e-1", "t", "y"));

        for (int size = 1; size <= bytes.length; size++) {
            List<SseEvent> seen = new ArrayList<>();
            SseParser split = new SseParser(seen::add);
            for (int from = 0; from < bytes.length; from += size) {
                split.feed(ByteBuffer.wrap(bytes, from, Math.min(size, bytes.length - from)));
                split.feed(ByteBuffer.allocate(0));
            }
            assertEquals(expected, seen, "in pieces of " + size);
        }
    }

    @Test
    void byteOrderMark_laterThanTheStart_isPartOfTheLine() {
        feed("\n\ufeffdata: no\ndata: yes\n\n");

        assertEquals(List.of(new SseEvent("", "message", "yes")), events);
    }

    @Test
    void event_notEnded_isNotDispatched() {
        feed("data: a\n\ndata: b\n");

        assertEquals(1, events.size());
    }

    private void feed(String text) {
        parser.feed(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }
}
