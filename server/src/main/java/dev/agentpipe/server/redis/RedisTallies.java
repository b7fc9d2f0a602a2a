package dev.agentpipe.server.redis;

import dev.agentpipe.server.limits.SharedTallies;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import redis.clients.jedis.exceptions.JedisNoScriptException;

/** Tallies in Redis, by one script a round trip, which Redis runs as a whole and by its own clock. Thread-safe. */
public final class RedisTallies implements SharedTallies {

    private static final String SCRIPT = script();
    private static final String SHA1 = sha1(SCRIPT);

    private final Redis redis;
    private final String prefix;

    /** @param prefix of all keys: other logs have other tallies */
    public RedisTallies(Redis redis, String prefix) {
        this.redis = redis;
        this.prefix = prefix;
    }

    private static String script() {
        try (InputStream in = RedisTallies.class.getResourceAsStream("tallies.lua")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sha1(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-1", e);
        }
    }

    @Override
    public boolean isThere() {
        return redis.isUp();
    }

    @Override
    public Optional<List<Long>> take(List<List<Take>> requests) {
        List<String> keys = new ArrayList<>();
        List<String> arguments = new ArrayList<>();
        for (int request = 0; request < requests.size(); request++) {
            for (Take take : requests.get(request)) {
                keys.add(prefix + take.tally());
                arguments.add(Integer.toString(request));
                arguments.add(Long.toString(take.costMicros()));
                arguments.add(Long.toString(take.mostMicros()));
            }
        }
        return redis.call(client -> {
                    try {
                        return client.evalsha(SHA1, keys, arguments);
                    } catch (JedisNoScriptException e) { // once for each start of Redis
                        return client.eval(SCRIPT, keys, arguments);
                    }
                })
                .map(answer -> ((List<?>) answer).stream().map(Long.class::cast).toList());
    }
}
