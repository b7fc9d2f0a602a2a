package dev.agentpipe.core.event;

import static dev.agentpipe.core.event.Reading.event;
import static dev.agentpipe.core.event.Reading.items;
import static dev.agentpipe.core.event.Reading.json;
import static dev.agentpipe.core.event.Reading.lines;
import static dev.agentpipe.core.event.Reading.malformed;
import static dev.agentpipe.core.event.Reading.utf8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.ReadResult.Events;
import dev.agentpipe.core.event.ReadResult.Item;
import dev.agentpipe.core.event.ReadResult.Item.Accepted;
import dev.agentpipe.core.event.ReadResult.Item.Rejected;
import dev.agentpipe.core.event.ReadResult.Malformed;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a body must be before anybody asks what its events say. */
final class EventReaderSyntaxTest {

    private static final String TEST = "{\"type\":\"bridge.test\",\"data\":{}}";

    @Test
    void body_ofOneObject_isNoBatch() {
        Events events = assertInstanceOf(Events.class, json(TEST));
        assertFalse(events.batch());
        assertEquals(1, events.items().size());
    }

    @Test
    void body_ofAnArray_isABatch() {
        assertEquals(new Events(true, List.of()), json(" [ ] "));
        Events events = assertInstanceOf(Events.class, json("[" + TEST + "]"));
        assertTrue(events.batch());
        assertEquals(1, events.items().size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "\"x\"", "true", "null", " -0.5e1 "})
    void body_ofAScalar_isNoEvent(String body) {
        assertEquals("invalid_event", malformed(body).code());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " \r\n\t",
                "{",
                "[",
                "}",
                "{]",
                "[}",
                "{\"type\":\"bridge.test\"",
                "{\"type\":\"bridge.test\",}",
                "{\"type\" \"bridge.test\"}",
                "{type:1}",
                "{'type':1}",
                "{\"a\":01}",
                "{\"a\":1.}",
                "{\"a\":.5}",
                "{\"a\":+1}",
                "{\"a\":1e}",
                "{\"a\":NaN}",
                "{\"a\":Infinity}",
                "{\"a\":0x1}",
                "{\"a\":tru}",
                "{\"a\":nullx}",
                "{\"a\":\"\\x\"}",
                "{\"a\":\"\\u12\"}",
                "{\"a\":\"\n\"}",
                "{\"a\":\"\u0001\"}",
                "{\"a\":\"",
                "{} x",
                "{}{}",
                "[]]",
                "[{},]",
                "[1 2]",
                "// x\n{}",
                "{}/**/",
                "{\"a\":1}\u0000",
                "\u001e{}",
                "nulll",
                "\"",
                "-",
                "[{\"a\":{\"b\":[}]"
            })
    void body_thatIsNoJson_isInvalidJson(String body) {
        Malformed malformed = malformed(body);
        assertEquals("invalid_json", malformed.code());
        Item line = items(lines("x" + body)).get(0);
        assertEquals("invalid_json", assertInstanceOf(Rejected.class, line).code());
    }

    @Test
    void error_inJson_tellsItsPlaceAndNoText() {
        String detail = malformed("{\n\"type\": secret}").detail();
        assertTrue(detail.matches("Invalid JSON at line 2, column \\d+ \\(byte offset \\d+\\)\\."), detail);
        assertEquals(
                "Invalid JSON at column 4 (byte offset 3).", malformed("{} {}").detail());
        assertEquals(
                "Invalid JSON at column 4 (byte offset 6).",
                malformed("\uFEFF{} {}").detail());
        Rejected line = (Rejected) items(lines(TEST + "\n{} {}")).get(1);
        assertEquals(List.of(new Violation("", "Invalid JSON at column 4 (byte offset 3).")), line.violations());
    }

    @ParameterizedTest
    @CsvSource({
        "'{\"type\":\"a\",\"type\":\"b\"}', /type",
        "'{\"data\":{\"conversation_id\":\"a\",\"conversation_id\":\"a\"}}', /data/conversation_id",
        "'{\"x\":{\"a/b~\":[1,{\"k\":1,\"k\":1}]}}', /x/a~1b~0/1/k",
        "'{\"data\":{\"metadata\":{\"k\":{},\"k\":1}}}', /data/metadata/k",
        "'{\"data\":{\"participants\":[{},{\"name\":1,\"name\":1}]}}', /data/participants/1/name",
        "'{\"data\":{\"summary\":{\"x\":1,\"x\":1}}}', /data/summary/x",
        "'{\"data\":{\"command\":1,\"comm\\u0061nd\":1}}', /data/command",
        "'{\"k\":1,\"k\":1}', /k",
    })
    void name_thatComesTwice_isRefusedWithItsPlace(String body, String pointer) {
        assertEquals(
                new Malformed("duplicate_key", "This name comes twice in the same object.", pointer), malformed(body));
        assertEquals("/1" + pointer, malformed("[" + TEST + "," + body + "]").pointer());
        Rejected line = (Rejected) items(lines(TEST + "\n" + body)).get(1);
        assertEquals("duplicate_key", line.code());
        assertEquals(pointer, line.violations().get(0).pointer());
    }

    @Test
    void nesting_upToTheLimit_isAccepted() {
        int max = EventLimits.DEFAULT.depthMax();
        assertEquals(1, items(json(nested(max))).size());
        assertEquals("too_deep", malformed(nested(max + 1)).code());
        assertEquals("too_deep", malformed("[".repeat(1_000_000)).code());
        assertEquals("too_deep", malformed("{\"a\":".repeat(100_000)).code());
        assertEquals("/x", malformed(nested(max + 1)).pointer().substring(0, 2));
        Rejected line = (Rejected) items(lines(nested(max + 1))).get(0);
        assertEquals("too_deep", line.code());
    }

    /** An event with so many levels: one is its own. */
    private static String nested(int levels) {
        return "{\"type\":\"bridge.test\",\"data\":{},\"x\":" + "[".repeat(levels - 1) + "]".repeat(levels - 1) + "}";
    }

    @ParameterizedTest
    @ValueSource(strings = {"C0AF", "EDA080", "EDA0BDEDB880", "FF", "C3", "F4908080", "E08080"})
    void body_thatIsNotUtf8_isRefusedWithItsPlace(String hex) {
        byte[] body = utf8("{\"x\":\"?\"}").clone();
        byte[] wrong = new byte[body.length - 1 + hex.length() / 2];
        System.arraycopy(body, 0, wrong, 0, 6);
        System.arraycopy(HexFormat.of().parseHex(hex), 0, wrong, 6, hex.length() / 2);
        System.arraycopy(body, 7, wrong, 6 + hex.length() / 2, 2);
        assertEquals(new Malformed("invalid_json", "Invalid UTF-8 at byte offset 6.", ""), malformed(wrong));
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32", "UTF-32BE", "UTF-32LE", "x-UTF-32BE-BOM"})
    void body_inAnotherEncoding_isInvalidJson(String charset) {
        assertEquals(
                "invalid_json",
                malformed(TEST.getBytes(Charset.forName(charset))).code());
        assertEquals(
                "invalid_json",
                malformed((" " + TEST).getBytes(Charset.forName(charset))).code());
        byte[] inLatin1 = "{\"type\":\"bridge.test\",\"data\":{},\"é\":1}".getBytes(StandardCharsets.ISO_8859_1);
        assertEquals("invalid_json", malformed(inLatin1).code());
    }

    @Test
    void byteOrderMark_atTheStart_isSkippedOnce() {
        assertEquals(1, items(json("\uFEFF" + TEST)).size());
        String timed = event("bridge.test", "");
        assertEquals(timed, Reading.payload(Reading.accepted("\uFEFF" + timed)));
        assertEquals("invalid_json", malformed("\uFEFF\uFEFF" + TEST).code());
        assertEquals("invalid_json", malformed(" \uFEFF" + TEST).code());
        assertEquals("invalid_json", malformed("\uFEFF").code());
        assertInstanceOf(Accepted.class, items(lines("\uFEFF" + TEST)).get(0));
        assertEquals(new Events(true, List.of()), lines("\uFEFF"));
    }

    @Test
    void lines_withBlankOnesAndBadOnes_areCountedByEvents() {
        List<Item> items = items(lines("\n" + TEST + "\r\n \t\r\n{oops\n\n" + TEST + "\n7\n[]\n" + TEST));
        assertEquals(
                List.of("0 ok", "1 invalid_json", "2 ok", "3 invalid_event", "4 invalid_event", "5 ok"),
                items.stream()
                        .map(item -> item.index() + " " + (item instanceof Rejected no ? no.code() : "ok"))
                        .toList());
        assertTrue(((Events) lines(TEST)).batch());
        assertEquals(new Events(true, List.of()), lines(""));
        assertEquals(new Events(true, List.of()), lines("\n\r\n"));
    }

    @Test
    void array_withElementsThatAreNoEvents_keepsTheOthers() {
        List<Item> items = items(json("[" + TEST + ",1,{\"type\":7,\"data\":{}},[{}],\"\\u00e9\"," + TEST + "]"));
        assertEquals(6, items.size());
        Violation object = new Violation("", "Expected an object.");
        assertEquals(new Rejected(1, "invalid_event", List.of(object)), items.get(1));
        Violation type = new Violation("/type", "Expected a string.");
        assertEquals(new Rejected(2, "invalid_event", List.of(type)), items.get(2));
        assertEquals(new Rejected(3, "invalid_event", List.of(object)), items.get(3));
        assertEquals(new Rejected(4, "invalid_event", List.of(object)), items.get(4));
        assertInstanceOf(Accepted.class, items.get(5));
    }

    @Test
    void batch_upToTheLimit_isAccepted() {
        int max = EventLimits.DEFAULT.batchEventsMax();
        assertEquals(
                max,
                items(json("[" + (TEST + ",").repeat(max - 1) + TEST + "]")).size());
        assertEquals(
                "batch_too_large",
                malformed("[" + (TEST + ",").repeat(max) + TEST + "]").code());
        assertEquals(max, items(lines((TEST + "\n").repeat(max) + "\n \n")).size());
        ReadResult tooMany = lines((TEST + "\n").repeat(max) + "x");
        assertEquals(
                "batch_too_large", assertInstanceOf(Malformed.class, tooMany).code());
    }

    @Test
    void event_upToTheLimit_isAccepted() {
        int max = EventLimits.DEFAULT.eventBytesMax();
        String atMost = padded(max);
        String tooLarge = padded(max + 1);
        assertInstanceOf(Accepted.class, items(json(" " + atMost + "\n")).get(0));
        assertEquals("event_too_large", malformed(tooLarge).code());
        List<Item> inArray = items(json("[" + tooLarge + "," + atMost + "]"));
        assertEquals("event_too_large", ((Rejected) inArray.get(0)).code());
        assertInstanceOf(Accepted.class, inArray.get(1));
        List<Item> inLines = items(lines(" " + tooLarge + "\n" + " " + atMost + " \r\n"));
        assertEquals("event_too_large", ((Rejected) inLines.get(0)).code());
        assertInstanceOf(Accepted.class, inLines.get(1));
    }

    private static String padded(int bytes) {
        int rest = bytes - event("log.entry", "").length();
        String members = ",\"level\":\"info\",\"content\":\"";
        return event("log.entry", members + "x".repeat(rest - members.length() - 1) + "\"");
    }

    @Test
    void line_readAlone_isTheSameAsInItsBody() {
        byte[] bytes = utf8("junk\n" + event("bridge.test", "") + "\r\njunk");
        EventReader reader = Reading.reader(EventLimits.DEFAULT);
        Item item = reader.readLine(7, bytes, 5, bytes.length - 4);
        assertEquals(7, item.index());
        assertEquals(event("bridge.test", ""), Reading.payload(((Accepted) item).event()));
        assertEquals("invalid_json", ((Rejected) reader.readLine(8, bytes, 0, 4)).code());
        assertEquals("invalid_json", ((Rejected) reader.readLine(9, bytes, 4, 4)).code());
    }
}
