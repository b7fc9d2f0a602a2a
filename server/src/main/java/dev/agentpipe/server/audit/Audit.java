package dev.agentpipe.server.audit;

import dev.agentpipe.server.logs.LogFields;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.json.JsonMapper;

/** Writes the audit. Thread-safe. */
public final class Audit {

    /** Where it goes is set by this name. */
    public static final String LOGGER = "audit";

    private static final Logger log = LoggerFactory.getLogger(LOGGER);

    private final Clock clock;

    public Audit(Clock clock) {
        this.clock = clock;
    }

    /**
     * Notes an event.
     *
     * @param what a noun and a verb, such as {@code conversation.deleted}; stays the same for ever
     * @param who the id of a key, or whoever a change of a key names; null if nobody is known
     * @param details in their order; without those that are null
     */
    public void note(String what, String who, Map<String, ?> details) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("audit", what);
        put(members, "who", who);
        details.forEach((name, value) -> put(members, name, value));
        log.info("{}", new Line(clock.instant().truncatedTo(ChronoUnit.MILLIS), members));
    }

    /** By itself, in a file or among lines of text, it is an object with a time; as a line of JSON it has that already. */
    private record Line(Instant time, Map<String, Object> members) implements LogFields {
        @Override
        public String message() {
            return (String) members.get("audit");
        }

        @Override
        public void writeTo(JsonGenerator json) {
            members.forEach(json::writePOJOProperty);
        }

        @Override
        public boolean isKept() {
            return true;
        }

        @Override
        public String toString() {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("time", time.toString());
            object.putAll(members);
            return JsonMapper.shared().writeValueAsString(object);
        }
    }

    private static void put(Map<String, Object> line, String name, Object value) {
        if (value != null) {
            line.put(name, value);
        }
    }
}
