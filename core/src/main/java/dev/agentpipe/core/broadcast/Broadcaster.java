package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.LogTail;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/**
 * Takes the log's records from its tail, encodes each once into the window, and wakes the lanes, which read it with
 * cursors of their own. It holds no reader and waits for none.
 *
 * <p>{@link #advanced} is called by one thread at a time; everything else is thread-safe.
 */
public final class Broadcaster implements LogTail.Listener {

    /**
     * Bounds of what is kept in memory for readers that are a little behind.
     *
     * @param framesMax a power of two
     * @param bytesMax sum of the encoded frames
     */
    public record Limits(int framesMax, long bytesMax) {
        public static final Limits DEFAULT = new Limits(32_768, 48L << 20);
    }

    /** @param bytes sum of the encoded frames */
    public record Held(int frames, int framesMax, long bytes, long bytesMax) {}

    /** As many as there can be among the records that precede a window. */
    private static final int DELETIONS_MAX = 16_384;

    private final Function<LogRecord, ? extends Frame> encoder;
    private final Limits limits;
    private final Window window;
    private final Telemetry telemetry;
    /**
     * Conversations that were deleted, and where: what precedes the window is read while another thread or node may still
     * be taking such a conversation's events away. By the thread that adds.
     */
    private final Map<String, Long> deletions = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
            return size() > DELETIONS_MAX;
        }
    };

    private final List<Lane> lanes = new CopyOnWriteArrayList<>();

    /** @param head the position after which records will come */
    public Broadcaster(Function<LogRecord, ? extends Frame> encoder, long head, Limits limits) {
        this(encoder, head, limits, Telemetry.NONE);
    }

    /** @param head the position after which records will come */
    public Broadcaster(Function<LogRecord, ? extends Frame> encoder, long head, Limits limits, Telemetry telemetry) {
        this.telemetry = telemetry;
        this.encoder = encoder;
        this.limits = limits;
        this.window = new Window(limits.framesMax, limits.bytesMax, head);
    }

    Window window() {
        return window;
    }

    Telemetry telemetry() {
        return telemetry;
    }

    void add(Lane lane) {
        lanes.add(lane);
    }

    /** The last position that this node's readers can have. */
    public long head() {
        return window.head();
    }

    /** Records after this position and up to the head are in memory. */
    public long floor() {
        return window.floor();
    }

    /** How much is in memory, and how much may be; taken while both go on changing. */
    public Held held() {
        return new Held(window.size(), limits.framesMax, window.bytes(), limits.bytesMax);
    }

    /** Each reader looks into the log for what it lacks, and ends: it comes back with its place, and is told. */
    @Override
    public void lost(long through) {
        window.restart(through);
        lanes.forEach(Lane::wake);
    }

    @Override
    public boolean preceded(List<LogRecord> records, long after, long upTo) {
        noteDeletions(records);
        List<Frame> frames = new ArrayList<>(records.size());
        for (LogRecord record : records) {
            boolean isDeleted = record.conversationId() != null
                    && record.position() < deletions.getOrDefault(record.conversationId(), 0L);
            frames.add(isDeleted ? Window.forgotten(record.position(), record.type()) : encoder.apply(record));
        }
        return window.addOlder(frames, after, upTo);
    }

    @Override
    public void advanced(List<LogRecord> records, long through) {
        advanced(records, through, System.nanoTime());
    }

    @Override
    public void advanced(List<LogRecord> records, long through, long sinceNanos) {
        noteDeletions(records);
        window.add(encoded(records), through, sinceNanos);
        for (LogRecord record : records) {
            if (record.type() == EventType.CONVERSATION_DELETED) {
                window.forget(record.conversationId(), record.position());
            }
        }
        lanes.forEach(Lane::wake);
    }

    private void noteDeletions(List<LogRecord> records) {
        for (LogRecord record : records) {
            if (record.type() == EventType.CONVERSATION_DELETED) {
                deletions.merge(record.conversationId(), record.position(), Math::max);
            }
        }
    }

    private List<Frame> encoded(List<LogRecord> records) {
        List<Frame> frames = new ArrayList<>(records.size());
        for (LogRecord record : records) {
            frames.add(encoder.apply(record));
        }
        return frames;
    }
}
