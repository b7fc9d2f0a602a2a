package dev.agentpipe.server.redis;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;

/**
 * A look at a Redis as it is, for those who judge a deployment.
 *
 * @param info what INFO says, by name
 * @param clockAhead of this machine's clock
 */
public record RedisInspection(Map<String, String> info, Duration roundTrip, Duration clockAhead) {

    private static final Duration ANSWER_MAX = Duration.ofSeconds(3);

    public RedisInspection {
        info = Map.copyOf(info);
    }

    /**
     * Changes nothing there.
     *
     * @throws RuntimeException if Redis cannot be reached, or does not let this user in
     */
    public static RedisInspection of(URI url, String token) {
        try (RedisClient client = Redis.client(url, token, ANSWER_MAX)) {
            client.ping();
            Instant before = Instant.now();
            List<String> answer = client.executeCommand(
                    new CommandObject<>(new CommandArguments(Protocol.Command.TIME), BuilderFactory.STRING_LIST));
            Duration roundTrip = Duration.between(before, Instant.now());
            Duration ahead = Duration.between(before.plus(roundTrip.dividedBy(2)), time(answer));
            Map<String, String> info = new HashMap<>();
            client.info().lines().forEach(line -> {
                int colon = line.indexOf(':');
                if (colon > 0) {
                    info.put(line.substring(0, colon), line.substring(colon + 1).strip());
                }
            });
            return new RedisInspection(info, roundTrip, ahead);
        }
    }

    /** Seconds and microseconds, as text. */
    private static Instant time(List<String> answer) {
        return Instant.ofEpochSecond(Long.parseLong(answer.get(0)), Long.parseLong(answer.get(1)) * 1_000);
    }
}
