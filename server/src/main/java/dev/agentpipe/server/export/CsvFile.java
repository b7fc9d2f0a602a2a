package dev.agentpipe.server.export;

import dev.agentpipe.db.export.Transcript;
import dev.agentpipe.db.export.Transcript.Message;

/**
 * CSV (RFC 4180) with agentpipe-web's columns, and others after them. It begins with a byte order mark: without one, a
 * spreadsheet takes it for the system's old character set; programs read {@link JsonLinesFile JSON lines}.
 */
final class CsvFile extends TextFile {

    private static final String BYTE_ORDER_MARK = "\uFEFF";
    private static final String LINE_END = "\r\n";
    private static final String COLUMNS =
            "Timestamp,Agent,Type,Model,Input Tokens,Output Tokens,Total Tokens,Cost,Duration (ms),Content,"
                    + "Role,Sequence,Turn,Agent ID,Message ID";

    CsvFile(Transcript transcript) {}

    @Override
    public void begin() {
        out.append(BYTE_ORDER_MARK).append(COLUMNS).append(LINE_END);
    }

    @Override
    public void message(Message message) {
        out.append(message.at());
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
        new Defused(text).appendTo(out);
        out.append('"');
    }

    @Override
    public void end() {}
}
