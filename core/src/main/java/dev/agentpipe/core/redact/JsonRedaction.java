package dev.agentpipe.core.redact;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;

/**
 * Redacts the strings of valid JSON in place: what it does not find stays as it is, byte for byte. It only tells strings from
 * names and follows what is open; a string with escapes is scanned as what it means. Names stay, since they are structure;
 * so do identifiers, since two things whose ids are redacted would become one. One use, one thread.
 */
final class JsonRedaction {

    private static final Set<String> IDENTIFIERS = Set.of("conversation_id", "message_id", "agent_id", "agent_type");

    private static final String COMMAND = "command";

    private final byte[] json;
    private final int from;
    private final int to;
    private final Found inString = new Found();
    private final SecretScanner scanner = new SecretScanner(inString);

    /** In bytes of the JSON; made when there is a first one. */
    private final Found found = new Found();

    /** The name whose value comes next; null in arrays. */
    private byte[] name;

    /** What the last string announced about the next one, if that follows at once: an option and its argument. */
    private SecretName option = SecretName.NONE;

    /** Of what was unescaped last. */
    private int textLength;

    private int depth;

    /** The depth inside of the outermost {@code command}; 0 outside of it. */
    private int commandDepth;

    private JsonRedaction(byte[] json, int from, int to) {
        this.json = json;
        this.from = from;
        this.to = to;
    }

    /** Where the secrets are. */
    static Found find(byte[] json, int from, int to) {
        JsonRedaction redaction = new JsonRedaction(json, from, to);
        redaction.read();
        return redaction.found;
    }

    private void read() {
        int at = from;
        while (at < to) {
            switch (json[at]) {
                case '"' -> {
                    int end = endOfString(at + 1);
                    string(at + 1, Math.abs(end), end < 0);
                    at = Math.abs(end);
                }
                case '{', '[' -> {
                    depth++;
                    if (commandDepth == 0 && name != null && isCommandName()) {
                        commandDepth = depth;
                    }
                    endValue();
                }
                case '}', ']' -> {
                    commandDepth = depth == commandDepth ? 0 : commandDepth;
                    depth--;
                    endValue();
                }
                case ' ', '\t', '\n', '\r', ',', ':' -> {}
                default -> endValue(); // a number or a literal
            }
            at++;
        }
    }

    private boolean isCommandName() {
        return new String(name, StandardCharsets.ISO_8859_1).equals(COMMAND);
    }

    private void endValue() {
        name = null;
        option = SecretName.NONE;
    }

    /** Index of the closing quote; negative if there are escapes before it. A string that is cut off ends with its line. */
    private int endOfString(int start) {
        boolean escapes = false;
        int at = start;
        while (at < to && json[at] != '"' && json[at] != '\n') {
            if (json[at] == '\\') {
                escapes = true;
                at++;
            }
            at++;
        }
        return escapes ? -Math.min(at, to) : at;
    }

    private void string(int start, int end, boolean escapes) {
        if (isName(end + 1)) {
            name = escapes ? Arrays.copyOf(unescaped(start, end), textLength) : Arrays.copyOfRange(json, start, end);
            option = SecretName.NONE;
            return;
        }
        SecretName announced = name == null ? option : SecretName.endingAt(name, 0, name.length);
        boolean isIdentifier = name != null && IDENTIFIERS.contains(new String(name, StandardCharsets.ISO_8859_1));
        boolean inArray = name == null;
        endValue();
        if (isIdentifier || start >= end) {
            return;
        }
        byte[] text = escapes ? unescaped(start, end) : json;
        int textFrom = escapes ? 0 : start;
        int textTo = escapes ? textLength : end;
        inString.clear();
        boolean isCommand = commandDepth > 0;
        if (isCommand && announced != SecretName.NONE) {
            scanner.scanMember(text, textFrom, textTo, announced, true);
        }
        if (inString.isEmpty()) {
            scanner.scan(text, textFrom, textTo, isCommand);
        }
        if (inString.isEmpty() && announced != SecretName.NONE) {
            scanner.scanMember(text, textFrom, textTo, announced, isCommand);
        }
        if (!inString.isEmpty()) {
            note(start, escapes);
        } else if (inArray && text[textFrom] == '-') {
            option = SecretName.endingAt(text, textFrom, textTo);
        }
    }

    private boolean isName(int afterQuote) {
        for (int at = afterQuote; at < to; at++) {
            switch (json[at]) {
                case ' ', '\t', '\n', '\r' -> {}
                default -> {
                    return json[at] == ':';
                }
            }
        }
        return false;
    }

    /** One byte a character, for what is not escaped as many as it has in UTF-8; those are negative. */
    private byte[] unescaped(int start, int end) {
        byte[] text = new byte[end - start];
        int length = 0;
        int at = start;
        while (at < end) {
            byte b = json[at];
            if (b != '\\' || at + 1 == end) {
                text[length++] = b;
                at++;
            } else {
                text[length++] = escaped(at);
                at = next(at);
            }
        }
        textLength = length;
        return text;
    }

    private int next(int at) {
        return json[at] != '\\' ? at + 1 : at + 1 < to && json[at + 1] == 'u' ? at + 6 : at + 2;
    }

    private byte escaped(int at) {
        return switch (json[at + 1]) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'u' -> unicode(at + 2);
            default -> json[at + 1];
        };
    }

    private byte unicode(int at) {
        int code = 0;
        for (int i = at; i < at + 4; i++) {
            code = code << 4 | (i < to ? Character.digit(json[i], 16) : 0) & 0xF;
        }
        return code < 128 ? (byte) code : -1;
    }

    /** Takes over what was found in a string, in bytes of the JSON. */
    private void note(int start, boolean escapes) {
        int at = start;
        int character = 0;
        for (int i = 0; i < inString.count(); i++) {
            if (!escapes) {
                found.add(inString.from(i), inString.to(i), inString.kind(i));
                continue;
            }
            while (character < inString.from(i)) {
                at = next(at);
                character++;
            }
            int secretFrom = at;
            while (character < inString.to(i)) {
                at = next(at);
                character++;
            }
            found.add(secretFrom, at, inString.kind(i));
        }
    }
}
