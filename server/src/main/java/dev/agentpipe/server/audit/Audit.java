package dev.agentpipe.server.audit;

import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("time", clock.instant().truncatedTo(ChronoUnit.MILLIS).toString());
        line.put("audit", what);
        put(line, "who", who);
        details.forEach((name, value) -> put(line, name, value));
        log.info("{}", JsonMapper.shared().writeValueAsString(line));
    }

    private static void put(Map<String, Object> line, String name, Object value) {
        if (value != null) {
            line.put(name, value);
        }
    }
}
