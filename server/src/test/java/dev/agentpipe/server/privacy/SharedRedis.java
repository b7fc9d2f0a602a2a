package dev.agentpipe.server.privacy;

import dev.agentpipe.server.SettingsBuilder;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import redis.clients.jedis.RedisClient;
import redis.embedded.RedisServer;

/** A Redis for the nodes of a test, and all that it holds. */
final class SharedRedis implements AutoCloseable {

    private final int port;
    private final RedisServer redis;

    SharedRedis() throws IOException {
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        redis = RedisServer.newRedisServer().port(port).bind("127.0.0.1").build();
        redis.start();
    }

    TestServer node() {
        return TestServer.start(builder -> builder.redis(uri(), null));
    }

    TestServer anotherNode(TestServer node) {
        UnaryOperator<SettingsBuilder> settings = builder -> builder.redis(uri(), null);
        return TestServer.on(node.databaseUrl(), settings);
    }

    private URI uri() {
        return URI.create("redis://127.0.0.1:" + port);
    }

    /** Keys and values, of whatever characters. */
    List<String> contents() {
        List<String> contents = new ArrayList<>();
        try (RedisClient client =
                RedisClient.builder().hostAndPort("127.0.0.1", port).build()) {
            for (String key : client.keys("*")) {
                byte[] value =
                        client.type(key).equals("string") ? client.get(key.getBytes(StandardCharsets.UTF_8)) : null;
                contents.add(key + " " + (value == null ? "" : new String(value, StandardCharsets.UTF_8)));
            }
        }
        return contents;
    }

    @Override
    public void close() throws IOException {
        redis.stop();
    }
}
