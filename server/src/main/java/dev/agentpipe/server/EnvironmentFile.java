package dev.agentpipe.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A file of variables as systemd reads it ({@code EnvironmentFile=} in systemd.exec(5)): {@code NAME=value} lines, {@code #}
 * and {@code ;} for comments, quotes around values, a backslash before what stands for itself, or at the end of a line that
 * goes on. What systemd passes over with a mere line in its journal is an error here. One thread at a time.
 */
public final class EnvironmentFile {

    private static final int FILE_BYTES_MAX = 1 << 20;

    private final String text;
    private final String file;
    private final List<String> problems = new ArrayList<>();
    private int at;
    private int line = 1;

    private EnvironmentFile(String text, String file) {
        this.text = text;
        this.file = file;
    }

    /** @throws SettingsException with every line that is none, by its number and without its content */
    public static Map<String, String> read(Path file) throws SettingsException {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new SettingsException(List.of(file + " is larger than " + FILE_BYTES_MAX + " bytes"));
            }
            return parse(Files.readString(file), file.toString());
        } catch (IOException e) {
            throw new SettingsException(List.of(
                    file + " cannot be read: " + e.getClass().getSimpleName().replace("Exception", "")));
        }
    }

    static Map<String, String> parse(String text, String file) throws SettingsException {
        EnvironmentFile reading = new EnvironmentFile(text.replace("\r\n", "\n"), file);
        Map<String, String> variables = new LinkedHashMap<>();
        while (reading.skipToLine()) {
            int line = reading.line;
            String name = reading.name();
            if (name == null) {
                reading.problems.add("%s, line %d: is no NAME=value".formatted(file, line));
                continue;
            }
            String value = reading.value();
            if (value == null) {
                reading.problems.add("%s, line %d: a quote is not closed".formatted(file, line));
            } else {
                variables.put(name, value);
            }
        }
        if (!reading.problems.isEmpty()) {
            throw new SettingsException(reading.problems);
        }
        return variables;
    }

    /** To the first character of the next line that says something. */
    private boolean skipToLine() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '#' || c == ';') {
                skipComment();
            } else if (Character.isWhitespace(c)) {
                next();
            } else {
                return true;
            }
        }
        return false;
    }

    /** Before version 254 of systemd a comment went on behind a backslash. */
    private void skipComment() {
        int end = text.indexOf('\n', at);
        int to = end < 0 ? text.length() : end;
        if (text.charAt(to - 1) == '\\') {
            problems.add(
                    "%s, line %d: a comment ends with a backslash, and may hide the next line".formatted(file, line));
        }
        at = to;
    }

    /** Behind it stands the value. Null, behind its line, if there is none. */
    private String name() {
        int end = text.indexOf('\n', at);
        String rest = text.substring(at, end < 0 ? text.length() : end);
        int equals = rest.indexOf('=');
        String name = equals < 0 ? "" : rest.substring(0, equals).strip();
        if (!name.matches("[A-Za-z_][A-Za-z0-9_]*")) {
            at += rest.length();
            return null;
        }
        at += equals + 1;
        return name;
    }

    /** Null if a quote has no end. Quotes are those at its beginning, and those that follow them at once. */
    private String value() {
        StringBuilder value = new StringBuilder();
        while (at < text.length() && text.charAt(at) != '\n') {
            char c = text.charAt(at);
            if (c == '"' || c == '\'') {
                next();
                if (!quoted(c, value)) {
                    return null;
                }
            } else if (Character.isWhitespace(c)) {
                next();
            } else {
                plain(value);
            }
        }
        return value.toString();
    }

    /** To the end of its line, but for white space there that no backslash is in front of. */
    private void plain(StringBuilder value) {
        int meant = value.length();
        while (at < text.length() && text.charAt(at) != '\n') {
            char c = next();
            if (c == '\\' && at < text.length()) {
                char escaped = next();
                if (escaped != '\n') {
                    value.append(escaped);
                }
                meant = value.length();
            } else {
                value.append(c);
                meant = Character.isWhitespace(c) ? meant : value.length();
            }
        }
        value.setLength(meant);
    }

    private boolean quoted(char quote, StringBuilder value) {
        while (at < text.length()) {
            char c = next();
            if (c == quote) {
                return true;
            }
            if (c == '\\' && quote == '"' && at < text.length()) {
                char escaped = next();
                if (escaped == '\n') {
                    continue;
                }
                if ("\"\\`$".indexOf(escaped) < 0) {
                    value.append(c);
                }
                value.append(escaped);
            } else {
                value.append(c);
            }
        }
        return false;
    }

    private char next() {
        char c = text.charAt(at++);
        if (c == '\n') {
            line++;
        }
        return c;
    }
}
