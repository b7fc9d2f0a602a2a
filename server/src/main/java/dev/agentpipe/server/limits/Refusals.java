package dev.agentpipe.server.limits;

import dev.agentpipe.server.audit.Audit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who was refused, told once a minute. Thread-safe. */
final class Refusals {

    private static final Logger log = LoggerFactory.getLogger(Refusals.class);

    private static final int TOLD_MAX = 100;

    private final Audit audit;
    private final Map<Refused, LongAdder> refused = new ConcurrentHashMap<>();
    private final LongAdder others = new LongAdder();

    private record Refused(String limit, Subject subject) {}

    Refusals(Audit audit) {
        this.audit = audit;
    }

    void count(String limit, Subject subject) {
        Refused one = new Refused(limit, subject);
        LongAdder count = refused.get(one);
        if (count == null && refused.size() >= TOLD_MAX) {
            others.increment();
        } else {
            refused.computeIfAbsent(one, unknown -> new LongAdder()).increment();
        }
    }

    void tell() {
        for (Refused one : refused.keySet()) {
            LongAdder count = refused.remove(one);
            if (count != null) {
                log.warn("{} requests of {} were refused by the limit \"{}\"", count, one.subject, one.limit);
                tell(one.limit, one.subject.keyId(), one.subject.address(), count.sum());
            }
        }
        long rest = others.sumThenReset();
        if (rest > 0) {
            log.warn("{} requests of many others were refused by limits", rest);
            tell(null, null, null, rest);
        }
    }

    private void tell(String limit, String keyId, String address, long count) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("limit", limit);
        details.put("address", address);
        details.put("count", count);
        audit.note("limit.exceeded", keyId, details);
    }
}
