package dev.agentpipe.server.bench.load;

import java.util.function.IntFunction;

/**
 * Which streams are opened.
 *
 * @param lastEventId after which they resume; null: they read what comes
 * @param conversation which conversation the i-th stream reads, by its number in {@link Messages}; -1: all
 */
public record StreamPlan(int count, String lastEventId, IntFunction<Integer> conversation) {

    public static StreamPlan all(int count) {
        return new StreamPlan(count, null, i -> -1);
    }

    /** Each reads a conversation of its own. */
    public static StreamPlan ofOneEach(int count) {
        return new StreamPlan(count, null, i -> i);
    }

    /** All read the same conversation. */
    public static StreamPlan ofConversation(int count, int conversation) {
        return new StreamPlan(count, null, i -> conversation);
    }

    public StreamPlan after(String id) {
        return new StreamPlan(count, id, conversation);
    }
}
