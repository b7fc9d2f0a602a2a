package dev.agentpipe.server;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.ReadResult;
import dev.agentpipe.core.event.ReadResult.Item.Accepted;
import dev.agentpipe.core.log.AppendResult;
import dev.agentpipe.core.log.CommitOutcome;
import dev.agentpipe.core.log.GroupCommit;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.IdleConversation;
import dev.agentpipe.server.http.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes conversations of which nothing was heard for long, with an event like any other: a CLI that was killed never says
 * goodbye.
 *
 * <p>The event's time is the last event's arrival plus the limit, not the time of the look, so that all nodes make the same
 * event and the log keeps one of them.
 */
final class IdleConversations {

    private static final int AT_A_TIME = 100;
    private static final Duration INTERVAL_MIN = Duration.ofMillis(250);
    private static final Duration INTERVAL_MAX = Duration.ofMinutes(1);

    private static final Logger log = LoggerFactory.getLogger(IdleConversations.class);

    private final Database database;
    private final EventReader reader;
    private final GroupCommit groupCommit;
    private final Duration idleMax;

    IdleConversations(Database database, EventReader reader, GroupCommit groupCommit, Duration idleMax) {
        this.database = database;
        this.reader = reader;
        this.groupCommit = groupCommit;
        this.idleMax = idleMax;
    }

    /** How often to look. */
    Duration interval() {
        Duration tenth = idleMax.dividedBy(10);
        return tenth.compareTo(INTERVAL_MAX) > 0
                ? INTERVAL_MAX
                : tenth.compareTo(INTERVAL_MIN) < 0 ? INTERVAL_MIN : tenth;
    }

    /** Closes some of those that are idle now. Blocks. */
    void close() {
        List<IdleConversation> idle = database.idleConversations(idleMax, AT_A_TIME);
        if (!idle.isEmpty()) {
            List<Event> events = idle.stream().map(this::interrupted).toList();
            groupCommit.append(events, Runnable::run, outcome -> {
                if (outcome instanceof CommitOutcome.Committed committed) {
                    log.info("Closed {} idle conversations", stored(committed));
                }
            });
        }
    }

    /** Others may have been faster with the same. */
    private static long stored(CommitOutcome.Committed committed) {
        return committed.results().stream()
                .filter(AppendResult.Stored.class::isInstance)
                .count();
    }

    private Event interrupted(IdleConversation conversation) {
        Instant at = conversation.lastReceivedAt().plus(idleMax);
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("conversation_id", conversation.conversationId());
        data.put("reason", "idle");
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("type", "conversation.interrupted");
        event.put("timestamp", at.toString());
        event.put("data", data);
        ReadResult result = reader.readJson(Json.bytes(event));
        return ((Accepted) ((ReadResult.Events) result).items().get(0)).event();
    }
}
