package dev.agentpipe.server.bench.load;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The events that loads send: a {@code message.created} as the CLI sends it, 619 bytes, with a random {@code message_id}
 * (so that its index is hit everywhere), and in its text the time of sending and its number. All fields have a fixed
 * width, so making one is a copy and some patches.
 *
 * <p>Confined to one thread.
 */
public final class Messages {

    /** Bytes of an event. */
    public static final int LENGTH = 619;

    static final String SENT = "sent=";
    private static final int SENT_DIGITS = 19;
    private static final int NUMBER_DIGITS = 12;
    private static final int CONVERSATION_DIGITS = 6;

    private static final String TIME = "2026-01-01T00:00:00.000000000Z";
    private static final String ID = "00000000-0000-4000-8000-000000000000";
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final DateTimeFormatter SECOND =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss").withZone(ZoneOffset.UTC);

    private static final String HEAD =
            "{\"type\":\"message.created\",\"timestamp\":\"" + TIME + "\",\"data\":{\"conversation_id\":\"";
    /** Random letters and a dash. */
    private static final int RUN_LENGTH = 13;

    private static final int CONVERSATION_AT = HEAD.length() + RUN_LENGTH;
    private static final String MIDDLE =
            "\",\"agent_type\":\"claude\",\"agent_name\":\"Claude\",\"agent_version\":\"1.2.0\",\"role\":\"agent\",\"content\":\"";
    private static final int ID_AT = CONVERSATION_AT + CONVERSATION_DIGITS + "\",\"message_id\":\"".length();

    /** Where the digits of the time of sending begin. */
    static final int SENT_AT = ID_AT + ID.length() + MIDDLE.length() + SENT.length();

    private static final int NUMBER_AT = SENT_AT + SENT_DIGITS + " event=".length();
    private static final String TAIL =
            "\",\"sequence_number\":1,\"turn_number\":1,\"tokens_used\":150,\"input_tokens\":100,\"output_tokens\":50,"
                    + "\"cost\":0.00123,\"model\":\"claude-sonnet-4\",\"duration_ms\":1234}}";

    private final String run;
    private final byte[] template;
    private long second;
    private long epochNanos;
    private long epochNanoTime;

    /** With conversations that nobody else writes to. */
    public Messages() {
        this("bench-" + Long.toString(ThreadLocalRandom.current().nextLong(60_466_176L, 2_176_782_336L), 36) + "-");
    }

    private Messages(String run) {
        this.run = run;
        StringBuilder text = new StringBuilder(HEAD)
                .append(run)
                .append(digits(0, CONVERSATION_DIGITS))
                .append("\",\"message_id\":\"")
                .append(ID)
                .append(MIDDLE)
                .append(SENT)
                .append(digits(0, SENT_DIGITS))
                .append(" event=")
                .append(digits(0, NUMBER_DIGITS));
        String words =
                " I would keep the queue small and let the sender wait, since a long queue only hides who is slow";
        while (text.length() + TAIL.length() < LENGTH) {
            text.append(words, 0, Math.min(words.length(), LENGTH - TAIL.length() - text.length()));
        }
        this.template = text.append(TAIL).toString().getBytes(StandardCharsets.US_ASCII);
        if (template.length != LENGTH || run.length() != RUN_LENGTH) {
            throw new IllegalStateException("a message of " + template.length + " bytes");
        }
        readClock();
    }

    /** The same conversations, for another thread. */
    public Messages copy() {
        return new Messages(run);
    }

    /** @param conversation from 0 to 999,999 */
    public String conversationId(int conversation) {
        return run + digits(conversation, CONVERSATION_DIGITS);
    }

    private static String digits(long value, int width) {
        String digits = Long.toString(value);
        return "0".repeat(width - digits.length()) + digits;
    }

    private void readClock() {
        Instant now = Instant.now();
        epochNanos = now.getEpochSecond() * 1_000_000_000L + now.getNano();
        epochNanoTime = System.nanoTime();
    }

    /**
     * Writes an event.
     *
     * @param number what it is known by in {@link Deliveries}
     * @param sentNanos when it is sent, or was to be sent, in terms of {@link System#nanoTime}
     */
    void write(byte[] into, int at, int conversation, long number, long sentNanos) {
        System.arraycopy(template, 0, into, at, LENGTH);
        putTime(into, at + HEAD.indexOf(TIME), epochNanos + sentNanos - epochNanoTime);
        put(into, at + CONVERSATION_AT, conversation, CONVERSATION_DIGITS);
        putId(into, at + ID_AT);
        put(into, at + SENT_AT, sentNanos, SENT_DIGITS);
        put(into, at + NUMBER_AT, number, NUMBER_DIGITS);
    }

    /** An event as text, for tests and for those who measure with it elsewhere. */
    public String text(int conversation, long number, long sentNanos) {
        byte[] bytes = new byte[LENGTH];
        write(bytes, 0, conversation, number, sentNanos);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    private void putTime(byte[] into, int at, long nanos) {
        long now = Math.floorDiv(nanos, 1_000_000_000L);
        if (now != second) {
            second = now;
            byte[] text = SECOND.format(Instant.ofEpochSecond(now)).getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(text, 0, template, HEAD.indexOf(TIME), text.length);
            System.arraycopy(text, 0, into, at, text.length);
        }
        put(into, at + TIME.indexOf('.') + 1, Math.floorMod(nanos, 1_000_000_000L), 9);
    }

    private static void put(byte[] into, int at, long value, int width) {
        long rest = value;
        for (int i = at + width - 1; i >= at; i--) {
            into[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }

    private static void putId(byte[] into, int at) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        long bits = 0;
        int left = 0;
        for (int i = 0; i < ID.length(); i++) {
            if (ID.charAt(i) == '0') {
                if (left == 0) {
                    bits = random.nextLong();
                    left = 16;
                }
                into[at + i] = HEX[(int) bits & 15];
                bits >>>= 4;
                left--;
            }
        }
    }

    /** When the event in this payload was sent; -1 if it is none of ours. */
    static long sentNanos(byte[] payload, int from, int to) {
        return isOurs(payload, from, to) ? number(payload, from + SENT_AT, SENT_DIGITS) : -1;
    }

    static long number(byte[] payload, int from) {
        return number(payload, from + NUMBER_AT, NUMBER_DIGITS);
    }

    static int conversation(byte[] payload, int from) {
        return (int) number(payload, from + CONVERSATION_AT, CONVERSATION_DIGITS);
    }

    private static final byte[] MARK = SENT.getBytes(StandardCharsets.US_ASCII);

    private static boolean isOurs(byte[] payload, int from, int to) {
        int mark = from + SENT_AT - MARK.length;
        return to - from == LENGTH && Arrays.equals(payload, mark, mark + MARK.length, MARK, 0, MARK.length);
    }

    private static long number(byte[] bytes, int from, int width) {
        long value = 0;
        for (int i = from; i < from + width; i++) {
            value = value * 10 + bytes[i] - '0';
        }
        return value;
    }
}
