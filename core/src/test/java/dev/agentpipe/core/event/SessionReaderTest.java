package dev.agentpipe.core.event;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.agentpipe.core.event.Event.ConversationCompleted;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.UploadCheck.Invalid;
import dev.agentpipe.core.event.UploadCheck.ValidSession;
import dev.agentpipe.core.redact.Redactor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Documents of any kind: a session, or what is wrong with it; never anything else. */
final class SessionReaderTest {

    private static final SessionReader READER =
            new SessionReader(EventLimits.DEFAULT, UploadLimits.DEFAULT, Redactor.OFF);

    private static final String CONVERSATION =
            "{\"id\":\"s\",\"name\":\"n\",\"mode\":\"m\",\"initial_prompt\":\"p\",\"started_at\":\"2026-11-22T10:00:00Z\","
                    + "\"status\":\"COMPLETED\",\"total_cost\":0.1,\"metadata\":{\"a\":[1,{\"b\":null}]},\"more\":[true]}";

    private static final String MESSAGE =
            "{\"agent_type\":\"a\",\"agent_name\":\"A\",\"content\":\"é🚀\",\"timestamp\":\"2026-11-22T10:00:01Z\"}";

    private static final String SESSION = "{\"conversation\":" + CONVERSATION
            + ",\"agents\":[{\"agent_type\":\"a\",\"agent_name\":\"A\"}],\"messages\":[" + MESSAGE + "]}";

    private static UploadCheck check(byte[] document) {
        try {
            return READER.check(new ByteArrayInputStream(document));
        } catch (IOException e) {
            throw new AssertionError("only what cannot be read may fail", e);
        }
    }

    private static UploadCheck check(String document) {
        return check(document.getBytes(StandardCharsets.UTF_8));
    }

    private static Session valid(String document) {
        return assertInstanceOf(ValidSession.class, check(document)).session();
    }

    private static List<MessageCreated> messages(String document) throws IOException {
        List<MessageCreated> messages = new ArrayList<>();
        READER.readMessages(
                new ByteArrayInputStream(document.getBytes(StandardCharsets.UTF_8)),
                valid(document),
                (index, event) -> messages.add((MessageCreated) event));
        return messages;
    }

    @Test
    void document_cutOffAnywhere_isInvalid() {
        byte[] bytes = SESSION.getBytes(StandardCharsets.UTF_8);
        assertInstanceOf(ValidSession.class, check(bytes));
        for (int length = 0; length < bytes.length; length++) {
            assertInstanceOf(Invalid.class, check(Arrays.copyOf(bytes, length)), "cut at " + length);
        }
    }

    @Test
    void document_withAnyBytesChanged_isASessionOrNot() {
        byte[] bytes = SESSION.getBytes(StandardCharsets.UTF_8);
        int invalid = 0;
        for (int seed = 0; seed < 5_000; seed++) {
            Random random = new Random(seed);
            byte[] changed = bytes.clone();
            for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
                changed[random.nextInt(changed.length)] =
                        random.nextBoolean() ? (byte) random.nextInt(256) : bytes[random.nextInt(bytes.length)];
            }
            invalid += check(changed) instanceof Invalid ? 1 : 0;
        }
        assertNotEquals(0, invalid);
        assertNotEquals(5_000, invalid);
    }

    @Test
    void members_inAnyOrder_makeTheSameSession() throws IOException {
        String reversed = "{\"messages\":[" + MESSAGE + "],\"agents\":[{\"agent_type\":\"a\",\"agent_name\":\"A\"}],"
                + "\"conversation\":" + CONVERSATION + "}";
        assertEquals(valid(SESSION).metadata(), valid(reversed).metadata());
        assertEquals(
                messages(SESSION).get(0).messageId(), messages(reversed).get(0).messageId());
        assertEquals("é🚀", messages(reversed).get(0).content());
    }

    @Test
    void messages_withoutIds_areKnownByWhatTheySay() throws IOException {
        String id = messages(SESSION).get(0).messageId();
        assertEquals(
                id,
                messages(SESSION.replace("\"agent_name\":\"A\",\"content\"", "\"agent_name\":\"B\",\"content\""))
                        .get(0)
                        .messageId());
        for (String other : List.of(
                SESSION.replace("\"id\":\"s\"", "\"id\":\"t\""),
                SESSION.replace("10:00:01Z", "10:00:02Z"),
                SESSION.replace("\"content\"", "\"agent_id\":\"b\",\"content\""),
                SESSION.replace("é", "e"),
                SESSION.replace("\"content\"", "\"sequence_number\":0,\"content\""))) {
            assertNotEquals(id, messages(other).get(0).messageId(), other);
        }
    }

    @Test
    void end_ofASession_isNeverBeforeItsLastMessage() {
        Session session = valid(SESSION.replace("\"more\"", "\"completed_at\":\"2026-11-22T10:00:00.5Z\",\"more\""));
        ConversationCompleted end = (ConversationCompleted) session.end().get(0);
        assertEquals(
                session.start().envelope().atMicros() + 1_000_000,
                end.envelope().atMicros());
        assertEquals(session.start().envelope().atMicros() + 500_000, session.completedAtMicros());
    }

    /** The parser remembers all names of an open object, so it must not go on for long, also where it only skips. */
    @Test
    void parts_largerThanAnEvent_areRefusedWhereverTheyAre() {
        StringBuilder names = new StringBuilder("{\"0\":0");
        for (int i = 1; names.length() <= EventLimits.DEFAULT.eventBytesMax(); i++) {
            names.append(",\"").append(i).append("\":0");
        }
        names.append('}');
        String large = '"' + "x".repeat(EventLimits.DEFAULT.eventBytesMax() + 1) + '"';
        for (String value :
                List.of(names.toString(), large, "[" + "1,".repeat(600_000) + "1]", "1".repeat(2_000_000))) {
            for (String document : List.of(
                    SESSION.replace("{\"conversation\"", "{\"x\":" + value + ",\"conversation\""),
                    SESSION.replace("\"more\":[true]", "\"more\":" + value),
                    SESSION.replace("\"content\":\"é🚀\"", "\"content\":" + value),
                    SESSION.replace("\"content\"", "\"unknown\":" + value + ",\"content\""),
                    SESSION.replace("\"agents\":[", "\"agents\":[" + value + ","),
                    SESSION.replace("\"messages\":[", "\"messages\":[{\"x\":" + value + "},"))) {
                Invalid invalid = assertInstanceOf(Invalid.class, check(document));
                assertEquals("event_too_large", invalid.code(), invalid::toString);
            }
        }
    }
}
