package dev.agentpipe.server.export;

import dev.agentpipe.db.export.Transcript;
import dev.agentpipe.db.export.Transcript.Message;

/**
 * CSV (RFC 4180) with agentpipe-web's columns, and others after them. It begins with a byte order mark: without one, a
 * spreadsheet takes it for the system's old character set; programs read {@link JsonLinesFile JSON lines}.
 *
 * <p>A spreadsheet runs a cell as a formula if it begins with one of a few characters, quoted or not, and some of them look
 * past white space, quotes, and invisible characters, or take full-width forms for the usual ones. What an agent said may
 * have been put into its mouth, so such a text gets an apostrophe in front, which spreadsheets take for "this is text" (OWASP,
 * CSV injection). Numbers are left alone: they are made here, of numbers.
 */
final class CsvFile extends TextFile {

    private static final String BYTE_ORDER_MARK = "\uFEFF";
    private static final String LINE_END = "\r\n";
    private static final String COLUMNS =
            "Timestamp,Agent,Type,Model,Input Tokens,Output Tokens,Total Tokens,Cost,Duration (ms),Content,"
                    + "Role,Sequence,Turn,Agent ID,Message ID";

    /** Also full-width, small and superscript forms, and the minus sign. */
    private static final String FORMULA_STARTS =
            "=+-@|%\uFF1D\uFF0B\uFF0D\uFF20\uFE66\uFE62\uFE63\uFE6B\u207C\u207A\u207B\u2212";

    CsvFile(Transcript transcript) {}

    @Override
    public void begin() {
        out.append(BYTE_ORDER_MARK).append(COLUMNS).append(LINE_END);
    }

    @Override
    public void message(Message message) {
        out.append(message.createdAt());
        text(message.agentName());
        text(message.agentType());
        text(message.model());
        number(message.inputTokens());
        number(message.outputTokens());
        number(message.totalTokens());
        number(message.cost() == null ? null : plain(message.cost()));
        number(message.durationMs());
        text(message.content());
        text(message.role());
        number(message.sequenceNumber());
        number(message.turnNumber());
        text(message.agentId());
        text(message.messageId());
        out.append(LINE_END);
    }

    private void number(Object number) {
        out.append(',');
        if (number != null) {
            out.append(number);
        }
    }

    private void text(String text) {
        out.append(',');
        if (text == null) {
            return;
        }
        out.append('"');
        if (isFormula(text)) {
            out.append('\'');
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            out.append(c);
            if (c == '"') {
                out.append('"');
            }
        }
        out.append('"');
    }

    private static boolean isFormula(String text) {
        if (!text.isEmpty() && (text.charAt(0) == '\t' || text.charAt(0) == '\r' || text.charAt(0) == '\n')) {
            return true;
        }
        int at = 0;
        while (at < text.length() && isSkipped(text.codePointAt(at))) {
            at += Character.charCount(text.codePointAt(at));
        }
        return at < text.length() && FORMULA_STARTS.indexOf(text.charAt(at)) >= 0;
    }

    private static boolean isSkipped(int c) {
        return Character.isWhitespace(c)
                || Character.isSpaceChar(c)
                || Character.isISOControl(c)
                || Character.getType(c) == Character.FORMAT
                || c == '"'
                || c == '\'';
    }

    @Override
    public void end() {}
}
