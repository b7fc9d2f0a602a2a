package dev.agentpipe.core.redact;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * Replaces secrets by marks such as {@code [redacted: github token]}. What was found is counted by kind and never told.
 * Nothing is found in a mark.
 *
 * <p>Thread-safe.
 */
public final class Redactor {

    /** Finds nothing, and costs nothing. */
    public static final Redactor OFF = new Redactor(false);

    private final boolean on;
    private final Map<SecretKind, LongAdder> counts = new EnumMap<>(SecretKind.class);

    private Redactor(boolean on) {
        this.on = on;
        for (SecretKind kind : SecretKind.values()) {
            counts.put(kind, new LongAdder());
        }
    }

    /** One that redacts, with counts of its own. */
    public static Redactor on() {
        return new Redactor(true);
    }

    /**
     * Redacts the strings of JSON: one value, or several one after the other.
     *
     * @return null if there is nothing to redact
     */
    public byte[] json(byte[] json, int from, int to) {
        if (!on) {
            return null;
        }
        Found found = JsonRedaction.find(json, from, to);
        return found.isEmpty() ? null : replaced(json, from, to, found);
    }

    /**
     * Redacts one value of JSON, which is that of a member of this name.
     *
     * @return the same text if there is nothing to redact
     */
    public String member(String name, String json) {
        if (!on) {
            return json;
        }
        String start = '"' + name.replaceAll("[^A-Za-z0-9_.-]", "_") + "\":";
        byte[] member = (start + json).getBytes(StandardCharsets.UTF_8);
        byte[] redacted = json(member, 0, member.length);
        return redacted == null ? json : new String(redacted, StandardCharsets.UTF_8).substring(start.length());
    }

    /**
     * Redacts a text that is not JSON.
     *
     * @param name what the text is the value of; null if it has no name
     * @return the same text if there is nothing to redact
     */
    public String text(String name, String text) {
        if (!on || text.isEmpty()) {
            return text;
        }
        Found found = new Found();
        SecretScanner scanner = new SecretScanner(found);
        byte[] characters = Chars.of(text);
        scanner.scan(characters, 0, characters.length, false);
        if (found.isEmpty() && name != null) {
            byte[] nameCharacters = Chars.of(name);
            SecretName announced = SecretName.endingAt(nameCharacters, 0, nameCharacters.length);
            scanner.scanMember(characters, 0, characters.length, announced, false);
        }
        if (found.isEmpty()) {
            return text;
        }
        StringBuilder out = new StringBuilder(text.length());
        int read = 0;
        for (int i = 0; i < found.count(); i++) {
            out.append(text, read, found.from(i));
            out.append(new String(counted(found.kind(i)).mark(), StandardCharsets.US_ASCII));
            read = found.to(i);
        }
        return out.append(text, read, text.length()).toString();
    }

    private byte[] replaced(byte[] json, int from, int to, Found found) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(to - from);
        int read = from;
        for (int i = 0; i < found.count(); i++) {
            out.write(json, read, found.from(i) - read);
            out.writeBytes(counted(found.kind(i)).mark());
            read = found.to(i);
        }
        out.write(json, read, to - read);
        return out.toByteArray();
    }

    private SecretKind counted(SecretKind kind) {
        counts.get(kind).increment();
        return kind;
    }

    /** How many of each kind it has replaced so far; those that it has not are left out. */
    public Map<SecretKind, Long> counts() {
        Map<SecretKind, Long> sums = new EnumMap<>(SecretKind.class);
        counts.forEach((kind, count) -> {
            if (count.sum() > 0) {
                sums.put(kind, count.sum());
            }
        });
        return sums;
    }
}
