package dev.agentpipe.core.broadcast;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The live readers of a lane, by what they want: those of a conversation are found by its id, so that a frame costs nothing
 * to the thousands who watch other conversations.
 *
 * <p>Confined to the lane's thread; nobody with a filter joins or leaves while those are walked through.
 */
final class Audience {

    private final Roster[] unfiltered;
    private final Map<String, List<Subscription>> byConversation = new HashMap<>();
    private final List<Subscription> byType = new ArrayList<>();

    Audience(int forms) {
        unfiltered = new Roster[forms];
        for (int form = 0; form < forms; form++) {
            unfiltered[form] = new Roster();
        }
    }

    int forms() {
        return unfiltered.length;
    }

    /** Those of one form who want everything. */
    Roster unfiltered(int form) {
        return unfiltered[form];
    }

    /** From now on everyone who wants everything lacks the step. */
    void beginStep() {
        for (Roster roster : unfiltered) {
            roster.beginStep();
        }
    }

    /** Whether a reader, of whatever kind, lacks the current step. */
    boolean isUnswept(Subscription subscription) {
        return subscription.filter.isAll() && unfiltered[subscription.form].isUnswept(subscription);
    }

    /** The size of a frame in the largest of the forms that have readers who want everything. */
    int largest(Frame frame) {
        int largest = 0;
        for (int form = 0; form < unfiltered.length; form++) {
            if (unfiltered[form].size() > 0) {
                largest = Math.max(largest, frame.bytes(form).length);
            }
        }
        return largest;
    }

    /** They may leave meanwhile. */
    void forEachUnfiltered(Consumer<Subscription> reader) {
        for (Roster roster : unfiltered) {
            for (int i = roster.size() - 1; i >= 0; i--) {
                reader.accept(roster.get(i));
            }
        }
    }

    void forEachMatching(Frame frame, Consumer<Subscription> reader) {
        for (Subscription one : byConversation.getOrDefault(frame.conversationId(), List.of())) {
            if (one.filter.matches(frame.type(), frame.conversationId())) {
                reader.accept(one);
            }
        }
        for (Subscription one : byType) {
            if (one.filter.matches(frame.type(), frame.conversationId())) {
                reader.accept(one);
            }
        }
    }

    void forEachFiltered(Consumer<Subscription> reader) {
        byConversation.values().forEach(readers -> readers.forEach(reader));
        byType.forEach(reader);
    }

    void add(Subscription subscription) {
        if (subscription.filter.isAll()) {
            unfiltered[subscription.form].add(subscription);
        } else if (subscription.filter.conversationIds().isEmpty()) {
            byType.add(subscription);
        } else {
            for (String id : subscription.filter.conversationIds()) {
                byConversation.computeIfAbsent(id, key -> new ArrayList<>(1)).add(subscription);
            }
        }
    }

    void remove(Subscription subscription) {
        if (subscription.filter.isAll()) {
            unfiltered[subscription.form].remove(subscription);
        } else if (subscription.filter.conversationIds().isEmpty()) {
            byType.remove(subscription);
        } else {
            for (String id : subscription.filter.conversationIds()) {
                byConversation.computeIfPresent(id, (key, readers) -> {
                    readers.remove(subscription);
                    return readers.isEmpty() ? null : readers;
                });
            }
        }
    }
}
