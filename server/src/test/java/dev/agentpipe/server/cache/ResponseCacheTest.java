package dev.agentpipe.server.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.server.cache.ResponseCache.Question;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ResponseCacheTest {

    private final Map<String, byte[]> stored = new HashMap<>();
    private final SharedCache shared = new SharedCache() {
        @Override
        public Optional<byte[]> get(String key) {
            return Optional.ofNullable(stored.get(key));
        }

        @Override
        public void put(String key, byte[] value) {
            stored.put(key, value);
        }

        @Override
        public boolean removeAll(String prefix) {
            stored.keySet().removeIf(key -> key.startsWith(prefix));
            return true;
        }
    };
    private final LogTail.Listener nobody = (records, through) -> {};
    private final Freshness freshness = new Freshness(10, nobody);
    private final ResponseCache cache = new ResponseCache(freshness, shared, "x:");

    @Test
    void answerOfAnything_isGivenUntilThereIsAnythingNew() {
        Question before = new Question("/list?", null, 10);
        cache.put(before, answer(10, "{\"a\":1}"));

        assertTrue(cache.find(before).isPresent());
        assertTrue(cache.find(new Question("/list?", null, 11)).isEmpty());
        assertTrue(cache.find(new Question("/list?page=2", null, 10)).isEmpty());
    }

    @Test
    void answerOfAConversation_outlivesTheEventsOfOthers() {
        cache.put(new Question("/a?", "a", 10), answer(10, "{}"));
        freshness.advanced(List.of(new LogRecord(11, EventType.MESSAGE_CREATED, "b", new byte[0])), 11);
        assertTrue(cache.find(new Question("/a?", "a", 11)).isPresent());
        freshness.advanced(List.of(new LogRecord(12, EventType.MESSAGE_CREATED, "a", new byte[0])), 12);
        assertTrue(cache.find(new Question("/a?", "a", 12)).isEmpty());
    }

    @Test
    void anotherNode_takesWhatIsShared_onlyWhileItIsTrue() {
        cache.put(new Question("/list?", null, 10), answer(10, "{\"a\":1}"));
        ResponseCache other = new ResponseCache(new Freshness(9, nobody), shared, "x:");
        ResponseCache ofAnotherLog = new ResponseCache(freshness, shared, "y:");

        Question same = new Question("/list?", null, 10);
        CachedAnswer found = other.findShared(same).orElseThrow();
        assertEquals(answer(10, "{\"a\":1}").tag(), found.tag(), "nodes agree on the tag");
        assertArrayEquals("{\"a\":1}".getBytes(StandardCharsets.UTF_8), found.json());
        assertTrue(other.find(same).isPresent(), "and keep it");
        assertTrue(other.findShared(new Question("/list?", null, 11)).isEmpty());
        assertTrue(other.findShared(new Question("/list?", null, 9)).isPresent(), "newer than it must be");
        assertTrue(ofAnotherLog.findShared(same).isEmpty());
        assertEquals(new ResponseCache.Counts(1, 2, 1), other.counts());
    }

    @Test
    void whatIsSharedButNobodyHasWritten_isNoAnswer() {
        for (String bad : List.of("", "x", "123456789", "123456789[]")) {
            cache.put(new Question("/list?", null, 10), answer(10, "{}"));
            stored.replaceAll((key, value) -> bad.getBytes(StandardCharsets.UTF_8));
            assertTrue(new ResponseCache(freshness, shared, "x:")
                    .findShared(new Question("/list?", null, 10))
                    .isEmpty());
        }
    }

    @Test
    void largeAnswers_areNotShared_andVeryLargeOnesNotKept() {
        Question large = new Question("/large?", null, 10);
        cache.put(large, answer(10, "{\"a\":\"" + "x".repeat(1 << 20) + "\"}"));
        assertTrue(cache.find(large).isPresent());
        assertTrue(stored.isEmpty());

        Question veryLarge = new Question("/veryLarge?", null, 10);
        cache.put(veryLarge, answer(10, "{\"a\":\"" + "x".repeat(8 << 20) + "\"}"));
        assertTrue(cache.find(veryLarge).isEmpty());
    }

    @Test
    void deletion_makesItForgetWhatWasKeptBefore_andKeepNothingOlder() {
        Question other = new Question("/other?", "other", 10);
        cache.put(other, answer(10, "{}"));
        new ResponseCache(freshness, shared, "y:").put(other, answer(10, "{}"));
        freshness.advanced(List.of(new LogRecord(11, EventType.MESSAGE_CREATED, "a", new byte[0])), 11);
        cache.forgetDeleted();
        assertTrue(cache.find(other).isPresent(), "nothing was deleted");

        freshness.advanced(List.of(new LogRecord(12, EventType.CONVERSATION_DELETED, "a", new byte[0])), 12);
        cache.forgetDeleted();
        cache.put(new Question("/late?", "other", 10), answer(11, "{}"));
        cache.put(new Question("/new?", "other", 12), answer(12, "{}"));

        assertTrue(cache.find(other).isEmpty());
        assertTrue(cache.find(new Question("/late?", "other", 10)).isEmpty());
        assertTrue(cache.find(new Question("/new?", "other", 12)).isPresent());
        assertEquals(2, stored.size(), "the new one, and what another log has");
    }

    private static CachedAnswer answer(long since, String json) {
        return CachedAnswer.of(since, json.getBytes(StandardCharsets.UTF_8), true);
    }
}
