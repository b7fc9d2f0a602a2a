package dev.agentpipe.server.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/** The answers that are kept: this node's in memory, and those of all nodes in the shared cache. Thread-safe. */
public final class ResponseCache {

    private static final int ANSWER_BYTES_MAX = 8 << 20;

    /** Of this size an answer takes as long to come from Redis as from PostgreSQL. */
    private static final int SHARED_BYTES_MAX = 1 << 20;

    private static final long MEMORY_BYTES_MAX = 64L << 20;
    private static final int HEAP_PARTS = 16;

    /** What an entry takes beside its body. */
    private static final int ENTRY_BYTES = 512;

    /** An answer may depend on the clock a little ("the last day"), and what was deleted shall not lie here for ever. */
    private static final Duration AGE_MAX = Duration.ofMinutes(1);

    private final Freshness freshness;
    private final SharedCache shared;
    private final String prefix;
    private final Cache<String, CachedAnswer> memory = Caffeine.newBuilder()
            .maximumWeight(Math.min(MEMORY_BYTES_MAX, Runtime.getRuntime().maxMemory() / HEAP_PARTS))
            .weigher((String key, CachedAnswer answer) -> ENTRY_BYTES + key.length() + answer.json().length)
            .expireAfterWrite(AGE_MAX)
            .build();

    /** What was kept before this position is gone; changed by {@link #forgetDeleted} alone. */
    private long forgottenAt;

    private final LongAdder hits = new LongAdder();
    private final LongAdder sharedHits = new LongAdder();
    private final LongAdder misses = new LongAdder();

    /**
     * @param prefix of this node's keys in the shared cache: nodes with the same one have the same log and give the same
     *     answers
     */
    public ResponseCache(Freshness freshness, SharedCache shared, String prefix) {
        this.freshness = freshness;
        this.shared = shared;
        this.prefix = prefix;
    }

    /** What the cache was asked, since the start. */
    public record Counts(long hits, long sharedHits, long misses) {}

    public Counts counts() {
        return new Counts(hits.sum(), sharedHits.sum(), misses.sum());
    }

    /**
     * What is asked for.
     *
     * @param url path and query
     * @param conversationId of the conversation that the answer is of; null if it is of anything
     * @param now the position that the answer must not be older than
     */
    public record Question(String url, String conversationId, long now) {}

    /** What this node has in memory. Never blocks. */
    public Optional<CachedAnswer> find(Question question) {
        Optional<CachedAnswer> found =
                Optional.ofNullable(memory.getIfPresent(question.url)).filter(answer -> isFresh(answer, question));
        found.ifPresent(answer -> hits.increment());
        return found;
    }

    /** What another node has found. May block for some milliseconds. */
    public Optional<CachedAnswer> findShared(Question question) {
        Optional<CachedAnswer> found = shared.get(sharedKey(question))
                .flatMap(CachedAnswer::ofBytes)
                .filter(answer -> isFresh(answer, question));
        found.ifPresentOrElse(
                answer -> {
                    sharedHits.increment();
                    keep(question, answer);
                },
                misses::increment);
        return found;
    }

    public void put(Question question, CachedAnswer answer) {
        int bytes = answer.json().length;
        if (bytes <= ANSWER_BYTES_MAX) {
            keep(question, answer);
        }
        if (bytes <= SHARED_BYTES_MAX && !maySayWhatIsDeleted(answer)) {
            shared.put(sharedKey(question), answer.toBytes());
        }
    }

    private void keep(Question question, CachedAnswer answer) {
        memory.put(question.url, answer);
        if (maySayWhatIsDeleted(answer)) { // looked at afterwards: else what is forgotten meanwhile could come back
            memory.invalidate(question.url);
        }
    }

    private boolean maySayWhatIsDeleted(CachedAnswer answer) {
        return answer.since() < freshness.deletedAt();
    }

    /**
     * Once a conversation was deleted, gives up all answers from before, here and in the shared cache: nobody would get them
     * any more, but they are still there. Every node does, since until it has heard of the deletion it may add some. To be
     * called now and then, by one thread at a time; may block.
     */
    public void forgetDeleted() {
        long deletedAt = freshness.deletedAt();
        if (deletedAt > forgottenAt) {
            memory.invalidateAll();
            if (shared.removeAll(prefix)) {
                forgottenAt = deletedAt;
            }
        }
    }

    private boolean isFresh(CachedAnswer answer, Question question) {
        return question.conversationId == null
                ? answer.since() >= question.now
                : freshness.isUntouched(question.conversationId, answer.since(), question.now);
    }

    private String sharedKey(Question question) {
        return prefix + CachedAnswer.digest(question.url.getBytes(StandardCharsets.UTF_8));
    }
}
