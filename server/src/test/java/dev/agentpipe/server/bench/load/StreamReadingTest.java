package dev.agentpipe.server.bench.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The reading side of the load client, on streams that are made by hand: what would go unseen here, no benchmark would see. */
final class StreamReadingTest {

    private static final String HEAD = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n";
    private static final long FIRST = 1;
    private static final long SENT = 5_000;
    private static final long NOW = 7_000;

    private final Messages messages = new Messages();
    private final Deliveries deliveries = new Deliveries(0);
    private final List<String> greetings = new ArrayList<>();

    private Stream stream(int conversation) {
        return new Stream(conversation, new Stream.Listener() {
            @Override
            public void greeted(Stream stream, boolean reset) {
                greetings.add(stream.firstId() + (reset ? " reset" : ""));
            }

            @Override
            public void event(Stream stream, byte[] bytes, int from) {
                long sent = Messages.sentNanos(bytes, from, from + Messages.LENGTH);
                deliveries.add(Messages.number(bytes, from), sent, NOW);
            }
        });
    }

    private static String chunk(String block) {
        return Integer.toHexString(block.length()) + "\r\n" + block + "\r\n";
    }

    private static String greeting() {
        return chunk("retry: 2731\nid: k7f3-10\ndata: {\"type\":\"connected\"}\n\n");
    }

    private String event(long position, int conversation, long number) {
        return chunk("id: k7f3-" + position + "\ndata: " + messages.text(conversation, number, SENT) + "\n\n");
    }

    /** In pieces of so many bytes, as they may come. */
    private static Stream read(Stream stream, String wire, int piece) throws IOException {
        byte[] bytes = wire.getBytes(StandardCharsets.US_ASCII);
        byte[] buffer = new byte[8_192];
        for (int from = 0; from < bytes.length; from += piece) {
            int held = stream.begin(buffer);
            int length = Math.min(piece, bytes.length - from);
            System.arraycopy(bytes, from, buffer, held, length);
            stream.read(buffer, held + length);
        }
        return stream;
    }

    @Test
    void events_inOrder_areCountedWhereverTheBytesAreCut() throws IOException {
        String wire = HEAD
                + greeting()
                + event(11, 0, FIRST)
                + event(12, 1, FIRST + 1)
                + chunk(":heartbeat\nid: k7f3-40\n\n")
                + event(41, 2, FIRST + 2);
        for (int piece : new int[] {1, 2, 3, 7, 100, 701, 4_000}) {
            Stream stream = read(stream(-1), wire, piece);
            assertEquals(3, stream.events(), piece + " bytes at a time");
            assertEquals(0, stream.disorders());
        }
        assertEquals("k7f3-10", greetings.get(0));
        assertEquals(7, greetings.size());
        assertEquals(21, deliveries.total());
        assertEquals(0, deliveries.incomplete(FIRST, 3, 7));
        assertEquals((NOW - SENT) / 1e6, deliveries.lastOfMillis(7, 50), 1e-4);
    }

    @Test
    void event_twice_isADisorder() throws IOException {
        Stream stream = read(stream(-1), HEAD + greeting() + event(11, 0, FIRST) + event(11, 0, FIRST), 64);

        assertEquals(1, stream.disorders());
        assertEquals(1, deliveries.incomplete(FIRST, 1, 1), "it came to one stream twice");
    }

    @Test
    void events_inTheWrongOrder_areADisorder() throws IOException {
        Stream stream = read(stream(-1), HEAD + greeting() + event(12, 0, FIRST + 1) + event(11, 0, FIRST), 64);

        assertEquals(1, stream.disorders());
        assertEquals(0, deliveries.incomplete(FIRST, 2, 1));
    }

    @Test
    void event_thatIsMissing_isIncomplete() throws IOException {
        Stream stream = read(stream(-1), HEAD + greeting() + event(11, 0, FIRST) + event(13, 0, FIRST + 2), 64);

        assertEquals(0, stream.disorders(), "positions may be skipped");
        assertEquals(1, deliveries.incomplete(FIRST, 3, 1));
        assertEquals(1, deliveries.incomplete(FIRST, 4, 1) - 1, "the last one can be missing, too");
    }

    @Test
    void event_ofAnotherConversation_isADisorderInAFilteredStream() throws IOException {
        Stream stream = read(stream(5), HEAD + greeting() + event(11, 5, FIRST) + event(12, 4, FIRST + 1), 64);

        assertEquals(1, stream.disorders());
    }

    @Test
    void reset_isTold() throws IOException {
        read(stream(-1), HEAD + chunk("retry: 1\nevent: reset\nid: k7f3-99\ndata: {}\n\n"), 9);

        assertEquals(List.of("k7f3-99 reset"), greetings);
    }

    @Test
    void end_inOrder_isTold() throws IOException {
        assertTrue(read(stream(-1), HEAD + greeting() + "0\r\n\r\n", 1_000).hasEnded());
    }

    @Test
    void whatIsNoStream_isRefused() {
        for (String wrong : List.of(
                "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
                HEAD + "5\r\nabcdefgh\r\n",
                HEAD + chunk("id: k7f3-1\ndata: {}\n"))) {
            assertThrows(IOException.class, () -> read(stream(-1), wrong, 1_000), wrong);
        }
    }

    @Test
    void message_isTheSizeThatIsSaid_andEachHasAnIdOfItsOwn() {
        String one = messages.text(123, 456, SENT);
        String other = messages.text(123, 456, SENT);

        assertEquals(Messages.LENGTH, one.length());
        assertTrue(one.contains("\"conversation_id\":\"" + messages.conversationId(123) + "\""), one);
        String id = "(?s).*\"message_id\":\"([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12})\".*";
        assertTrue(one.matches(id), one);
        assertTrue(!one.replaceFirst(id, "$1").equals(other.replaceFirst(id, "$1")), "two ids");
    }
}
