package dev.agentpipe.db.search.text;

/** How PostgreSQL reads {@code tsvector} and {@code tsquery}. */
final class TsText {

    private TsText() {}

    /** A term, whatever it has in it: between quotes, where a quote and a backslash are written twice. */
    static StringBuilder quote(StringBuilder out, String term) {
        out.append('\'');
        for (int i = 0; i < term.length(); i++) {
            char c = term.charAt(i);
            if (c == '\'' || c == '\\') {
                out.append(c);
            }
            out.append(c);
        }
        return out.append('\'');
    }
}
