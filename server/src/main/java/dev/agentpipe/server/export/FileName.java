package dev.agentpipe.server.export;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;

/**
 * What a download is called. An id is whatever a client has sent: it must not leave the header (RFC 6266), the folder of the
 * downloads, or look like another kind of file.
 */
final class FileName {

    private static final int ID_CHARS_MAX = 100;

    private FileName() {}

    /** The value of {@code Content-Disposition}: a name in ASCII, and if that is not the same, one in UTF-8 (RFC 8187). */
    static String disposition(String id, LocalDate date, String extension) {
        String name = "conversation-" + safe(id) + "-" + date + "." + extension;
        String ascii = name.replaceAll("[^\\x20-\\x7E]", "_");
        String disposition = "attachment; filename=\"" + ascii + "\"";
        return ascii.equals(name)
                ? disposition
                : disposition + "; filename*=UTF-8''"
                        + URLEncoder.encode(name, StandardCharsets.UTF_8)
                                .replace("+", "%20")
                                .replace("*", "%2A");
    }

    /** Letters, digits and some signs; all else, also what is invisible or turns the direction of writing, is an underscore. */
    private static String safe(String id) {
        StringBuilder safe = new StringBuilder();
        id.codePoints()
                .limit(ID_CHARS_MAX)
                .map(c -> Character.isLetterOrDigit(c) || c == '-' || c == '_' || c == '.' ? c : '_')
                .forEach(safe::appendCodePoint);
        return safe.toString().replace("..", "__");
    }
}
