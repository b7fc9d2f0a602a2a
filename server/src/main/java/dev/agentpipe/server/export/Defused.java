package dev.agentpipe.server.export;

/**
 * A text as a cell of a CSV, without its quotes around it. What an agent said may have been put into its mouth, so that it begins a
 * formula; it gets an apostrophe in front, which spreadsheets take for "this is text" (OWASP, CSV injection).
 *
 * <p>A spreadsheet runs a cell as a formula if it begins with one of a few characters, quoted or not, and some look past white
 * space, quotes, and invisible characters, or take full-width forms for the usual ones. And where the comma is not its separator, as in the
 * half of the world that writes decimals with one, it looks past the quotes, too: then a cell begins behind each semicolon, tab and line
 * break of a text. There, what can call nothing (no bracket, bar or exclamation mark up to the end of its line) is left as it is,
 * since that is what lists and rulers look like.
 *
 * <p>In one pass, whatever the text is.
 */
final class Defused {

    /** Also full-width, small and superscript forms, and the minus sign. */
    private static final String FORMULA_STARTS =
            "=+-@|%\uFF1D\uFF0B\uFF0D\uFF20\uFE66\uFE62\uFE63\uFE6B\u207C\u207A\u207B\u2212";

    private static final String CELL_ENDS = ";\t\r\n\uFF1B";
    private static final String LINE_ENDS = "\r\n";

    /** A function, a call of another program (DDE), another sheet, another file; also full-width. */
    private static final String CALLS = "(|![\uFF08\uFF5C\uFF01\uFF3B";

    private final String text;
    private int lineEnd = -1;
    private int call = -1;

    Defused(String text) {
        this.text = text;
    }

    void appendTo(StringBuilder out) {
        if (isFormula()) {
            out.append('\'');
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            out.append(c);
            if (c == '"') {
                out.append('"');
            } else if (CELL_ENDS.indexOf(c) >= 0 && isCallingFormula(i + 1)) {
                out.append('\'');
            }
        }
    }

    /** The text as a whole. */
    private boolean isFormula() {
        return !text.isEmpty() && LINE_ENDS.indexOf(text.charAt(0)) >= 0
                || text.startsWith("\t")
                || isFormulaStart(skip(0, ""));
    }

    /** What follows the end of another cell. */
    private boolean isCallingFormula(int from) {
        int start = skip(from, CELL_ENDS);
        if (!isFormulaStart(start)) {
            return false;
        }
        lineEnd = lineEnd >= start ? lineEnd : next(LINE_ENDS, start);
        call = call >= start ? call : next(CALLS, start);
        return call < lineEnd;
    }

    private boolean isFormulaStart(int at) {
        return at < text.length() && FORMULA_STARTS.indexOf(text.charAt(at)) >= 0;
    }

    /** Where something visible begins that is no quote, or one of the ends. */
    private int skip(int from, String ends) {
        int at = from;
        while (at < text.length() && ends.indexOf(text.charAt(at)) < 0 && isSkipped(text.codePointAt(at))) {
            at += Character.charCount(text.codePointAt(at));
        }
        return at;
    }

    private static boolean isSkipped(int c) {
        return Character.isWhitespace(c)
                || Character.isSpaceChar(c)
                || Character.isISOControl(c)
                || Character.getType(c) == Character.FORMAT
                || c == '"'
                || c == '\'';
    }

    /** The text's end if there is none. */
    private int next(String characters, int from) {
        int at = from;
        while (at < text.length() && characters.indexOf(text.charAt(at)) < 0) {
            at++;
        }
        return at;
    }
}
