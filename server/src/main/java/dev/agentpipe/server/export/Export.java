package dev.agentpipe.server.export;

import dev.agentpipe.db.export.Transcript;
import dev.agentpipe.db.export.Transcript.Message;
import dev.agentpipe.db.export.Transcript.RetainedEvent;
import dev.agentpipe.db.export.Transcripts;
import dev.agentpipe.db.export.Transcripts.Order;
import java.util.Arrays;
import java.util.List;

/**
 * One conversation on its way to a file, piece by piece. A piece is about as large as the contents that it is made of: {@link
 * #CONTENT_BYTES} or one message, times what the format adds.
 *
 * <p>Blocks. One thread at a time.
 */
final class Export {

    private static final int CONTENT_BYTES = 256 << 10;
    private static final int MESSAGES_MAX = 512;

    private final Transcripts transcripts;
    private final Transcript transcript;
    private final TranscriptFile file;
    private Stage stage = Stage.BEGINNING;

    // While the messages are written: their order, and how far it is used up.
    private Order order;
    private int ordered;
    private Message last;
    private long messages;

    /** The position of the last event. */
    private long event;

    private enum Stage {
        BEGINNING,
        MESSAGES,
        EVENTS,
        OVER
    }

    /** @param isLast whether the file ends with it */
    record Piece(byte[] bytes, boolean isLast) {}

    /** The conversation was deleted before all of it was read. */
    static final class GoneException extends RuntimeException {
        GoneException() {
            super("the conversation was deleted while it was exported", null, false, false);
        }
    }

    Export(Transcripts transcripts, Transcript transcript, Format format) {
        this.transcripts = transcripts;
        this.transcript = transcript;
        this.file = format.of(transcript);
    }

    /** @throws GoneException after which there is no next one, as after the last one */
    Piece next() {
        while (stage != Stage.OVER && file.size() < CONTENT_BYTES) {
            switch (stage) {
                case BEGINNING -> {
                    file.begin();
                    stage = Stage.MESSAGES;
                }
                case MESSAGES -> writeMessages();
                default -> writeEvents();
            }
        }
        return new Piece(file.take(), stage == Stage.OVER);
    }

    private void writeMessages() {
        if (order == null || (ordered == order.positions().length && !order.isLast())) {
            order = transcripts.order(transcript, last);
            ordered = 0;
        }
        int end = ordered;
        for (long bytes = 0;
                end < order.positions().length && end - ordered < MESSAGES_MAX && bytes < CONTENT_BYTES;
                end++) {
            bytes += order.contentBytes()[end];
        }
        if (end > ordered) {
            List<Message> page = transcripts.messages(transcript, Arrays.copyOfRange(order.positions(), ordered, end));
            if (page.size() < end - ordered) {
                throw new GoneException();
            }
            page.forEach(file::message);
            messages += page.size();
            last = page.get(page.size() - 1);
            ordered = end;
        }
        if (ordered == order.positions().length && order.isLast()) {
            if (messages != transcript.messageCount()) {
                throw new GoneException();
            }
            order = null;
            goOnAfter(Stage.MESSAGES);
        }
    }

    private void writeEvents() {
        List<RetainedEvent> page = transcripts.events(transcript, event, CONTENT_BYTES);
        page.forEach(file::event);
        if (page.isEmpty()) {
            goOnAfter(Stage.EVENTS);
        } else {
            event = page.get(page.size() - 1).position();
        }
    }

    private void goOnAfter(Stage done) {
        if (done == Stage.MESSAGES && file.hasEvents()) {
            stage = Stage.EVENTS;
        } else {
            file.end();
            stage = Stage.OVER;
        }
    }
}
