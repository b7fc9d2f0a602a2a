package dev.agentpipe.server.redis;

import dev.agentpipe.server.cache.SharedCache;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.resps.ScanResult;
import redis.clients.jedis.util.JedisURIHelper;

/**
 * A connection to Redis that nobody has to worry about: no call throws, none takes longer than some hundred milliseconds,
 * and after a failure Redis is left alone for a while. Thread-safe.
 */
public final class Redis implements SharedCache, AutoCloseable {

    /** In the network of the server: slower than this, PostgreSQL is faster. */
    private static final Duration ANSWER_MAX = Duration.ofMillis(100);

    private static final Duration CONNECT_MAX = Duration.ofMillis(250);
    private static final Duration AWAY = Duration.ofSeconds(2);
    private static final Duration KEPT = Duration.ofMinutes(1);
    private static final int CONNECTIONS_MAX = 8;

    /** A millisecond of Redis's time, and a million keys in all. */
    private static final int SCANNED_KEYS = 1_000;

    private static final int SCANS_MAX = 1_000;

    private static final String PING = "PONG";

    private static final Logger log = LoggerFactory.getLogger(Redis.class);

    private final RedisClient client;
    private final AtomicReference<State> state = new AtomicReference<>(State.UP);

    /** UP → AWAY at a failure; AWAY → UP at the first success, which is tried every {@link #AWAY}. */
    private record State(boolean isUp, long retryAtNanos) {
        static final State UP = new State(true, 0);
    }

    /**
     * Connects later, when it is first needed.
     *
     * @param url {@code redis://} or {@code rediss://}, with or without user, password and number of the database
     * @param token the password where the URL has none; null for none
     */
    public Redis(URI url, String token) {
        this(url, token, ANSWER_MAX);
    }

    Redis(URI url, String token, Duration answerMax) {
        client = client(url, token, answerMax);
    }

    static RedisClient client(URI url, String token, Duration answerMax) {
        DefaultJedisClientConfig.Builder config = DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis((int) CONNECT_MAX.toMillis())
                .socketTimeoutMillis((int) answerMax.toMillis())
                .clientName("agentpipe-server")
                .database(JedisURIHelper.getDBIndex(url));
        if (JedisURIHelper.isRedisSSLScheme(url)) {
            config.sslOptions(SslOptions.defaults()); // checks the certificate and the host's name
        }
        String password = JedisURIHelper.getPassword(url);
        if (password != null || token != null) {
            config.user(JedisURIHelper.getUser(url)).password(password != null ? password : token);
        }
        GenericObjectPoolConfig<Connection> pool = new GenericObjectPoolConfig<>();
        pool.setMaxTotal(CONNECTIONS_MAX);
        pool.setMaxIdle(CONNECTIONS_MAX);
        pool.setMaxWait(answerMax);
        pool.setJmxEnabled(false);
        return RedisClient.builder()
                .hostAndPort(new HostAndPort(url.getHost(), url.getPort() < 0 ? 6_379 : url.getPort()))
                .clientConfig(config.build())
                .poolConfig(pool)
                .build();
    }

    @Override
    public Optional<byte[]> get(String key) {
        return call(redis -> redis.get(bytes(key)));
    }

    @Override
    public void put(String key, byte[] value) {
        call(redis -> redis.set(bytes(key), value, SetParams.setParams().px(KEPT.toMillis())));
    }

    @Override
    public boolean removeAll(String prefix) {
        ScanParams matching = new ScanParams().match(prefix + "*").count(SCANNED_KEYS);
        String cursor = ScanParams.SCAN_POINTER_START;
        for (int i = 0; i < SCANS_MAX; i++) {
            String from = cursor;
            Optional<ScanResult<String>> found = call(redis -> redis.scan(from, matching));
            if (found.isEmpty()) {
                return false;
            }
            String[] keys = found.get().getResult().toArray(String[]::new);
            if (keys.length > 0 && call(redis -> redis.unlink(keys)).isEmpty()) {
                return false;
            }
            cursor = found.get().getCursor();
            if (cursor.equals(ScanParams.SCAN_POINTER_START)) {
                return true;
            }
        }
        return true; // so many keys are not all ours: what is left of ours goes by itself
    }

    /** Whether it can be reached. Blocks for a moment. */
    public boolean ping() {
        return call(RedisClient::ping).filter(PING::equals).isPresent();
    }

    /**
     * What Redis says of its memory.
     *
     * @param limitBytes what it may take: its own limit, or the machine's memory where it has none
     */
    public record Memory(long usedBytes, long limitBytes) {}

    /** Empty if it cannot be reached, or does not tell. Blocks for a moment. */
    public Optional<Memory> memory() {
        return call(redis -> redis.info("memory")).flatMap(Redis::memory);
    }

    private static Optional<Memory> memory(String info) {
        OptionalLong used = field(info, "used_memory");
        OptionalLong limit = field(info, "maxmemory");
        OptionalLong all = field(info, "total_system_memory");
        long most = limit.orElse(0) > 0 ? limit.getAsLong() : all.orElse(0);
        return used.isPresent() && most > 0 ? Optional.of(new Memory(used.getAsLong(), most)) : Optional.empty();
    }

    private static OptionalLong field(String info, String name) {
        return info.lines()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).strip())
                .filter(value -> value.matches("\\d{1,18}"))
                .mapToLong(Long::parseLong)
                .findFirst();
    }

    /** Whether the last call has reached it. */
    public boolean isUp() {
        return state.get().isUp;
    }

    <T> Optional<T> call(Function<RedisClient, T> command) {
        State before = state.get();
        if (!before.isUp && System.nanoTime() - before.retryAtNanos < 0) {
            return Optional.empty();
        }
        if (!before.isUp && !state.compareAndSet(before, away())) {
            return Optional.empty(); // somebody else tries
        }
        try {
            T result = command.apply(client);
            if (!state.getAndSet(State.UP).isUp) {
                log.info("Redis is there again");
            }
            return Optional.ofNullable(result);
        } catch (JedisException e) {
            if (state.getAndSet(away()).isUp) {
                log.warn("Redis is away, this node does without it: {}", e.getMessage());
            }
            return Optional.empty();
        }
    }

    private static State away() {
        return new State(false, System.nanoTime() + AWAY.toNanos());
    }

    private static byte[] bytes(String key) {
        return key.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        client.close();
    }
}
