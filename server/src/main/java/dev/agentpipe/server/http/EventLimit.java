package dev.agentpipe.server.http;

import dev.agentpipe.core.event.Event;
import io.undertow.server.HttpServerExchange;
import java.util.List;
import java.util.function.Consumer;

/** How many events may come. */
public interface EventLimit {

    EventLimit NONE = (exchange, events, append) -> append.accept(() -> {});

    /**
     * Has the events appended, now or in a moment, or answers that there were too many. Called outside of the handler's call,
     * on the I/O thread, as {@code append} then is.
     *
     * @param append is given what is to be run if the events were not appended, and so do not count
     */
    void admit(HttpServerExchange exchange, List<Event> events, Consumer<Runnable> append);
}
