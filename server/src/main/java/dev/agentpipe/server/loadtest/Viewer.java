package dev.agentpipe.server.loadtest;

import dev.agentpipe.server.sse.SseEvent;
import dev.agentpipe.server.sse.SseSubscriber;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The reader of one stream. The HTTP client calls it from one thread at a time. */
final class Viewer {

    /** Who counts what viewers see; called on the HTTP client's threads. */
    interface Counter {
        void message(Viewer viewer, Conversations.Message message);

        /** An id that is not above the one before it. */
        void disordered();

        /** The stream is over, by the server or the network. */
        void ended(Viewer viewer, String why);
    }

    private final int conversation;
    private final Conversations conversations;
    private final Counter counter;
    private final SseSubscriber body = new SseSubscriber(this::event, this::end);
    private final CompletableFuture<Void> begun = new CompletableFuture<>();
    private String lastWord = "ended by the server";
    private long position = -1;
    private volatile boolean isOver;

    /** @param conversation the one it follows; -1 for all */
    Viewer(int conversation, Conversations conversations, Counter counter) {
        this.conversation = conversation;
        this.conversations = conversations;
        this.counter = counter;
    }

    List<String> follows() {
        return conversation < 0 ? conversations.ids() : List.of(conversations.id(conversation));
    }

    boolean follows(int asked) {
        return conversation < 0 || conversation == asked;
    }

    SseSubscriber body() {
        return body;
    }

    /** Completes when the server has said that the stream is open. */
    CompletableFuture<Void> begun() {
        return begun;
    }

    boolean isOver() {
        return isOver;
    }

    /** Cuts the stream; nobody is told. */
    void close() {
        body.close();
    }

    private void end(String error) {
        String why = error.isEmpty() ? lastWord : error;
        isOver = true;
        begun.completeExceptionally(new IllegalStateException(why));
        counter.ended(this, why);
    }

    private void event(SseEvent event) {
        if (!event.type().equals("message")) {
            lastWord = event.type(); // "overloaded": it ends next; "reset": what is missing will be counted
            return;
        }
        // The greeting has the id of what came before it, on a server that resumes; only what follows must be above.
        boolean isGreeting = !begun.isDone();
        long next = positionOf(event.id());
        if (!isGreeting && next <= position) {
            counter.disordered();
        }
        position = next;
        if (isGreeting) {
            begun.complete(null);
        }
        Conversations.Message message = conversations.messageIn(event.data());
        if (message != null) {
            counter.message(this, message);
        }
    }

    /** An id is {@code <log epoch>-<position>}. One of another form is never above another. */
    private static long positionOf(String id) {
        try {
            return Long.parseLong(id.substring(id.lastIndexOf('-') + 1));
        } catch (NumberFormatException notAPosition) {
            return -1;
        }
    }
}
