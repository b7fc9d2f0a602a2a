package dev.agentpipe.server.export;

import dev.agentpipe.db.export.Transcript.Message;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.time.Instant;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;

/** JSON on its way. Members that would be null are left out. */
abstract class JsonText implements TranscriptFile {

    /** For what the wire requires and nobody told. */
    static final String UNKNOWN = "unknown";

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
            .rootValueSeparator("")
            .build();

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    final JsonGenerator json;

    JsonText() {
        json = FACTORY.createGenerator(ObjectWriteContext.empty(), out, JsonEncoding.UTF8);
    }

    static String known(String agentType) {
        return agentType == null || agentType.isEmpty() ? UNKNOWN : agentType;
    }

    final void text(String name, String value) {
        if (value != null) {
            json.writeStringProperty(name, value);
        }
    }

    final void time(String name, Instant value) {
        if (value != null) {
            json.writeStringProperty(name, value.toString());
        }
    }

    final void number(String name, Long value) {
        if (value != null) {
            json.writeNumberProperty(name, value.longValue());
        }
    }

    final void number(String name, BigDecimal value) {
        if (value != null) {
            json.writeNumberProperty(name, value);
        }
    }

    /** JSON as it was sent, on one line: in valid JSON a raw line break stands between two tokens. */
    final void raw(String name, String value) {
        if (value != null) {
            json.writeName(name);
            json.writeRawValue(oneLine(value));
        }
    }

    static String oneLine(String value) {
        return value.replace('\n', ' ').replace('\r', ' ');
    }

    /** What {@code message.created} has, but for its conversation. */
    final void members(Message message) {
        text("message_id", message.messageId());
        text("agent_id", message.agentId());
        text("agent_type", known(message.agentType()));
        text("agent_name", message.agentName());
        text("role", message.role());
        text("content", message.content());
        number("sequence_number", message.sequenceNumber());
        number("turn_number", message.turnNumber());
        number("tokens_used", message.tokensUsed());
        number("input_tokens", message.inputTokens());
        number("output_tokens", message.outputTokens());
        number("cost", message.cost());
        text("model", message.model());
        number("duration_ms", message.durationMs());
    }

    @Override
    public int size() {
        json.flush();
        return out.size();
    }

    @Override
    public byte[] take() {
        json.flush();
        byte[] bytes = out.toByteArray();
        out.reset();
        return bytes;
    }
}
