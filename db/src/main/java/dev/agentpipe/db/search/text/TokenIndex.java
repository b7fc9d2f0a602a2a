package dev.agentpipe.db.search.text;

import dev.agentpipe.db.search.text.SearchQuery.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Finds phrases in an analyzed text, as PostgreSQL does in its {@code tsvector}. */
final class TokenIndex {

    private final List<Token> tokens;
    private final Map<Integer, List<Token>> byPosition = new HashMap<>();

    TokenIndex(List<Token> tokens) {
        this.tokens = tokens;
        for (Token token : tokens) {
            byPosition
                    .computeIfAbsent(token.position(), position -> new ArrayList<>(2))
                    .add(token);
        }
    }

    void find(List<Step> phrase, int clause, List<Match> found) {
        for (Token token : tokens) {
            if (phrase.get(0).matches(token)) {
                Token last = follow(phrase, token);
                if (last != null) {
                    found.add(new Match(token.start(), last.end(), clause));
                }
            }
        }
    }

    /** The token with which the phrase ends; null if it does not go on like it. */
    private Token follow(List<Step> phrase, Token first) {
        Token last = first;
        for (int i = 1; i < phrase.size() && last != null; i++) {
            Step step = phrase.get(i);
            last = byPosition.getOrDefault(last.position() + step.distance(), List.of()).stream()
                    .filter(step::matches)
                    .findFirst()
                    .orElse(null);
        }
        return last;
    }
}
