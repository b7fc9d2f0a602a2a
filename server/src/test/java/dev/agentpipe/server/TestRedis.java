package dev.agentpipe.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.RedisClient;
import redis.embedded.RedisServer;
import redis.embedded.core.RedisServerBuilder;

/** A real Redis of a test's own, which comes and goes on one port. */
public final class TestRedis implements AutoCloseable {

    private static final int PATIENCE_MILLIS = 20_000;

    private final int port;
    private RedisServer server;

    private TestRedis(int port) {
        this.port = port;
    }

    /** @param settings lines of its configuration */
    public static TestRedis start(String... settings) {
        TestRedis redis = new TestRedis(freePort());
        redis.restart(settings);
        return redis;
    }

    private static int freePort() {
        try (ServerSocket free = new ServerSocket(0)) {
            return free.getLocalPort();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    public URI url() {
        return URI.create("redis://127.0.0.1:" + port);
    }

    /** Starts it, empty, after it was killed if it runs. */
    public void restart(String... settings) {
        kill();
        try {
            RedisServerBuilder builder = RedisServer.newRedisServer()
                    .port(port)
                    .bind("127.0.0.1")
                    .setting("save \"\"")
                    .onShutdownForceStop(true);
            for (String setting : settings) {
                builder.setting(setting);
            }
            server = builder.build();
            server.start();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    public void kill() {
        if (server != null) {
            try {
                server.stop();
                server = null;
                Await.until("Redis is gone", () -> !isThere());
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }
    }

    private boolean isThere() {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            return socket.isConnected();
        } catch (IOException refused) {
            return false;
        }
    }

    /** Forgets all that was put there. */
    public void flush() {
        String answer = command("FLUSHALL");
        if (!answer.startsWith("+OK")) {
            throw new AssertionError(answer);
        }
    }

    /** How many entries there are. */
    public int size() {
        return Integer.parseInt(command("DBSIZE").substring(1).strip());
    }

    /** Keys and values, of whatever characters; of what is no string the key alone. */
    public List<String> contents() {
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

    private String command(String inline) {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.getOutputStream().write((inline + "\r\nQUIT\r\n").getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .findFirst()
                    .orElse("");
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    @Override
    public void close() {
        kill();
    }
}
