package dev.agentpipe.server.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The part of a document that a program writes: between two comments, each alone on its line. */
final class MarkedPart {

    static final String BEGIN = "<!-- bench:begin -->";
    static final String END = "<!-- bench:end -->";

    private MarkedPart() {}

    /**
     * Puts new lines between the markers.
     *
     * @throws IllegalArgumentException if the document does not have both of them, once, in their order
     */
    static String replace(String document, String part) {
        int begin = only(document, BEGIN) + BEGIN.length() + 1;
        int end = only(document, END);
        if (begin > end) {
            throw new IllegalArgumentException(END + " stands before " + BEGIN);
        }
        return document.substring(0, begin) + part.stripTrailing() + "\n" + document.substring(end);
    }

    private static int only(String document, String marker) {
        int at = ("\n" + document).indexOf("\n" + marker + "\n");
        if (at < 0 || document.indexOf(marker, at + 1) >= 0) {
            throw new IllegalArgumentException("the document needs the line " + marker + " once");
        }
        return at;
    }

    static void replace(Path file, String part) throws IOException {
        Files.writeString(file, replace(Files.readString(file), part));
    }
}
