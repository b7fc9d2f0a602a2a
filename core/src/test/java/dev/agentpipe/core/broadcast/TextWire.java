package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogRecord;
import java.nio.charset.StandardCharsets;

/** A wire that can be read in a test: {@code <position>:<payload>;}, in form 1 with a {@code #} in front. */
final class TextWire implements Wire {

    private record TextFrame(LogRecord record) implements Frame {
        @Override
        public long position() {
            return record.position();
        }

        @Override
        public EventType type() {
            return record.type();
        }

        @Override
        public String conversationId() {
            return record.conversationId();
        }

        @Override
        public byte[] bytes(int form) {
            String payload = new String(record.payload(), StandardCharsets.UTF_8);
            return ((form == 1 ? "#" : "") + record.position() + ":" + payload + ";").getBytes(StandardCharsets.UTF_8);
        }
    }

    @Override
    public int forms() {
        return 2;
    }

    @Override
    public Frame frame(LogRecord record) {
        return new TextFrame(record);
    }

    @Override
    public byte[] heartbeat(int form, long position) {
        return ("~" + position + ";").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public byte[] farewell(int form, CloseReason reason) {
        return ("!" + reason + ";").getBytes(StandardCharsets.UTF_8);
    }
}
