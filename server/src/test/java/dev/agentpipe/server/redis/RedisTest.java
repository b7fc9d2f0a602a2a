package dev.agentpipe.server.redis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Await;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.TestRedis;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class RedisTest {

    private static final byte[] VALUE = {0, -1, '{', 13, 10};

    private TestRedis server;

    @BeforeEach
    void start() {
        server = TestRedis.start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void value_isThereForOthers() {
        try (Redis a = redis(null);
                Redis b = redis(null)) {
            assertTrue(a.get("k").isEmpty());
            a.put("k", VALUE);
            assertArrayEquals(VALUE, b.get("k").orElseThrow());
            assertTrue(b.isUp());
        }
    }

    @Test
    void server_thatIsStoppedAndStarted_isMissedWithoutAnError() {
        try (Redis redis = redis(null);
                CapturedLog log = new CapturedLog(Redis.class.getName())) {
            redis.put("k", VALUE);
            server.kill();

            redis.put("k", VALUE);
            assertTrue(redis.get("k").isEmpty());
            assertFalse(redis.isUp());
            assertFalse(redis.ping());

            server.restart();
            Await.until("Redis is used again", redis::ping);
            redis.put("k", VALUE);
            assertArrayEquals(VALUE, redis.get("k").orElseThrow());
            assertTrue(log.events().size() == 2, log.events().toString());
        }
    }

    @Test
    void password_ofTheUrlOrTheToken_isUsedAndNeverLogged() {
        server.restart("requirepass s3cret-word");
        try (CapturedLog log = new CapturedLog(Redis.class.getName());
                Redis none = redis(null);
                Redis wrong = redis("wr0ng-word");
                Redis token = redis("s3cret-word");
                Redis inUrl = new Redis(URI.create(server.url().toString().replace("//", "//:s3cret-word@")), null)) {
            assertFalse(none.ping());
            assertFalse(wrong.ping());
            assertTrue(token.ping());
            assertTrue(inUrl.ping());
            String logged = log.events().toString();
            assertFalse(logged.contains("s3cret-word") || logged.contains("wr0ng-word"), logged);
        }
    }

    @Test
    void server_thatTakesConnectionsAndSaysNothing_isGivenUpSoon() throws Exception {
        try (ServerSocket silent = new ServerSocket(0);
                Redis redis = new Redis(URI.create("redis://127.0.0.1:" + silent.getLocalPort()), null)) {
            assertTrue(redis.get("k").isEmpty());
            assertFalse(redis.isUp());
            assertTrue(redis.get(new String(VALUE, StandardCharsets.ISO_8859_1)).isEmpty(), "without asking again");
        }
    }

    private Redis redis(String token) {
        return new Redis(server.url(), token);
    }
}
