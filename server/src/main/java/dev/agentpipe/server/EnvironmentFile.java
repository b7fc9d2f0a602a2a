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
    private int at;
    private int line = 1;

    private EnvironmentFile(String text) {
        this.text = text;
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
        EnvironmentFile reading = new EnvironmentFile(text.replace("\r\n", "\n"));
        Map<String, String> variables = new LinkedHashMap<>();
        List<String> problems = new ArrayList<>();
        while (reading.skipToLine()) {
            int line = reading.line;
            String name = reading.name();
            if (name == null) {
                problems.add("%s, line %d: is no NAME=value".formatted(file, line));
                continue;
            }
            String value = reading.value();
            if (value == null) {
                problems.add("%s, line %d: a quote is not closed".formatted(file, line));
            } else {
                variables.put(name, value);
            }
        }
        if (!problems.isEmpty()) {
            throw new SettingsException(problems);
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

    /** A comment goes on behind a backslash, too. */
    private void skipComment() {
        while (at < text.length() && text.charAt(at) != '\n') {
            if (next() == '\\' && at < text.length()) {
                next();
            }
        }
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

    /** Null if a quote has no end. Of several pieces, quoted or not, as in a shell. */
    private String value() {
        StringBuilder value = new StringBuilder();
        int meant = 0; // what is behind it is white space that nobody has quoted
        while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
            next();
        }
        while (at < text.length() && text.charAt(at) != '\n') {
            char c = next();
            if (c == '"' || c == '\'') {
                if (!quoted(c, value)) {
                    return null;
                }
                meant = value.length();
            } else if (c == '\\') {
                if (at < text.length()) {
                    char escaped = next();
                    if (escaped != '\n') {
                        value.append(escaped);
                        meant = value.length();
                    }
                }
            } else {
                value.append(c);
                meant = Character.isWhitespace(c) ? meant : value.length();
            }
        }
        return value.substring(0, meant);
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
