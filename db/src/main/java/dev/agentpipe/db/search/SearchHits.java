package dev.agentpipe.db.search;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Documents that were found, gathered by conversation. Confined to one thread. */
final class SearchHits {

    /** Messages that are shown of a conversation. */
    static final int MESSAGES_SHOWN = 3;

    /** What each further match adds to a conversation's best: a little, for a long talk is not the better answer. */
    private static final double MORE_MATCHES_WEIGHT = 0.1;

    /**
     * @param part negative for a description of the conversation
     * @param charsFrom where in the message's text the document begins, in code points
     */
    record Hit(String conversationId, long position, int part, int charsFrom, int chars, double rank) {

        boolean isDescription() {
            return part < 0;
        }

        private String key() {
            return position + "/" + part + "/" + conversationId;
        }
    }

    static final class OfConversation {
        final String id;
        private final List<Hit> hits = new ArrayList<>();

        OfConversation(String id) {
            this.id = id;
        }

        double score() {
            double best = hits.stream().mapToDouble(Hit::rank).max().orElse(0);
            return best * (1 + MORE_MATCHES_WEIGHT * Math.log(Math.max(1, hits.size()))); // 0 without a query
        }

        long newest() {
            return hits.stream().mapToLong(Hit::position).max().orElse(0);
        }

        int count() {
            return hits.size();
        }

        boolean isDescriptionFound() {
            return hits.stream().anyMatch(Hit::isDescription);
        }

        /** Of a long message with several hits, the best place. */
        List<Hit> bestMessages() {
            Set<Long> seen = new HashSet<>();
            return hits.stream()
                    .filter(hit -> !hit.isDescription())
                    .sorted(Comparator.comparingDouble(Hit::rank)
                            .reversed()
                            .thenComparing(Hit::position, Comparator.reverseOrder()))
                    .filter(hit -> seen.add(hit.position()))
                    .limit(MESSAGES_SHOWN)
                    .toList();
        }
    }

    private final Map<String, OfConversation> conversations = new HashMap<>();
    private final Set<String> keys = new HashSet<>();

    void add(Hit hit) {
        if (keys.add(hit.key())) {
            conversations
                    .computeIfAbsent(hit.conversationId(), OfConversation::new)
                    .hits
                    .add(hit);
        }
    }

    int count() {
        return keys.size();
    }

    Set<String> conversationIds() {
        return conversations.keySet();
    }

    OfConversation of(String id) {
        return conversations.getOrDefault(id, new OfConversation(id));
    }

    /** Ids, the best first; of equal ones the newest. */
    List<String> byScore(boolean isDescending) {
        Comparator<OfConversation> order = Comparator.comparingDouble(OfConversation::score)
                .thenComparingLong(OfConversation::newest)
                .thenComparing(one -> one.id);
        return conversations.values().stream()
                .sorted(isDescending ? order.reversed() : order)
                .map(one -> one.id)
                .toList();
    }
}
