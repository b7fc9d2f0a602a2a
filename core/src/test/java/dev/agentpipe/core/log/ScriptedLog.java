package dev.agentpipe.core.log;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A log in memory that does what a test says before it appends, reads or tells its state. Thread-safe. */
final class ScriptedLog implements EventLog {

    final MemoryEventLog memory = new MemoryEventLog("test", 100_000);
    private final List<Integer> appendSizes = new ArrayList<>();
    private volatile Consumer<List<Event>> beforeAppend = events -> {};
    private volatile Runnable beforeRead = () -> {};

    void beforeAppend(Consumer<List<Event>> script) {
        beforeAppend = script;
    }

    void beforeRead(Runnable script) {
        beforeRead = script;
    }

    /** How many events each append had that got through. */
    List<Integer> appendSizes() {
        synchronized (appendSizes) {
            return List.copyOf(appendSizes);
        }
    }

    @Override
    public LogState state() {
        beforeRead.run();
        return memory.state();
    }

    @Override
    public Appended append(List<Event> events) {
        beforeAppend.accept(events);
        synchronized (appendSizes) {
            appendSizes.add(events.size());
        }
        return memory.append(events);
    }

    @Override
    public Page read(long after, long upTo, EventFilter filter, int recordsMax, int bytesMax) {
        beforeRead.run();
        return memory.read(after, upTo, filter, recordsMax, bytesMax);
    }

    @Override
    public long beforeLast(int count, EventFilter filter) {
        return memory.beforeLast(count, filter);
    }
}
