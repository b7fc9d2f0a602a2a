package dev.agentpipe.server.usage;

import dev.agentpipe.core.broadcast.Broadcaster;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogState;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.core.log.StreamId;
import dev.agentpipe.server.http.Answer;
import dev.agentpipe.server.http.Read;
import dev.agentpipe.server.http.ReadRequest;
import dev.agentpipe.server.stream.Streams;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/**
 * {@code GET /api/realtime/stats}: what this node's streams do at this moment, so not for a cache. It answers also while
 * the database is away, then without what only the log knows.
 */
public final class RealtimeStats implements Read {

    private final Streams streams;
    private final EventLog eventLog;
    private final String epoch;
    private final Clock clock;
    private final String instanceId = UUID.randomUUID().toString();

    /** @param epoch of the log */
    public RealtimeStats(Streams streams, EventLog eventLog, String epoch, Clock clock) {
        this.streams = streams;
        this.eventLog = eventLog;
        this.epoch = epoch;
        this.clock = clock;
    }

    @Override
    public Answer read(ReadRequest request) {
        return Answer.json(body());
    }

    private Map<String, Object> body() {
        int connections = streams.count();
        int ofConversations = Math.min(streams.ofConversations(), connections);
        Broadcaster.Held held = streams.broadcaster().held();
        Map<String, Object> body = new LinkedHashMap<>();
        // agentpipe-web's names.
        body.put("instanceId", instanceId);
        body.put("globalListeners", connections - ofConversations);
        body.put("conversationListeners", ofConversations);
        body.put("totalListeners", connections);
        body.put("bufferedEvents", held.frames());
        body.put("bufferCapacity", held.framesMax());
        body.put("bufferBytes", held.bytes());
        body.put("bufferBytesCapacity", held.bytesMax());

        body.put("maxConnections", streams.connectionsMax());
        Map<String, Long> ended = new LinkedHashMap<>();
        streams.ended().forEach((reason, count) -> ended.put(reason.name().toLowerCase(Locale.ROOT), count));
        body.put("ended", ended);
        Streams.ReplayState replays = streams.replayState();
        body.put("replays", Map.of("inUse", replays.inUse(), "waiting", replays.waiting(), "max", replays.max()));
        body.putAll(positions());
        body.put("timestamp", clock.instant().truncatedTo(ChronoUnit.MILLIS).toString());
        return body;
    }

    /** Where this node's readers are, and where the log is. */
    private Map<String, Object> positions() {
        Map<String, Object> positions = new LinkedHashMap<>();
        long position = streams.broadcaster().head();
        positions.put("streamPosition", new StreamId(epoch, position).toString());
        positions.put("position", position);
        try {
            LogState state = eventLog.state();
            positions.put("head", state.head());
            positions.put("floor", state.floor());
            positions.put("lag", Math.max(0, state.head() - position));
        } catch (LogUnavailableException e) {
            positions.put("head", null);
            positions.put("floor", null);
            positions.put("lag", null);
        }
        return positions;
    }
}
