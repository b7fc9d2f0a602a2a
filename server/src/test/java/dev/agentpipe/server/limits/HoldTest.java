package dev.agentpipe.server.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.ReadResult;
import dev.agentpipe.server.AddressRanges;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.Settings.RateLimits;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.http.Access;
import io.undertow.Undertow;
import io.undertow.util.SameThreadExecutor;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Requests that wait: one event in a second, and room for one that waits. */
final class HoldTest {

    private volatile long now;
    private final Access access = new Access(List.of(new ApiKey(TestServer.KEY)), List.of());
    private final Limits limits = new Limits(
            new RateLimits(Duration.ofSeconds(1), 1, 0, 0, 0, AddressRanges.NONE),
            AddressRanges.NONE,
            access,
            Optional.empty(),
            (exchange, problem) -> exchange.endExchange(),
            new Audit(Clock.systemUTC()),
            () -> now,
            1);

    private final AtomicInteger through = new AtomicInteger();
    private final Undertow server = Undertow.builder()
            .setIoThreads(2)
            .setWorkerThreads(1)
            .addHttpListener(0, "127.0.0.1")
            .setHandler(exchange -> exchange.dispatch(
                    SameThreadExecutor.INSTANCE,
                    () -> limits.admit(exchange, List.of(event()), giveBack -> {
                        through.incrementAndGet();
                        exchange.setStatusCode(201).endExchange();
                    })))
            .build();

    HoldTest() {
        server.start();
    }

    @AfterEach
    void stop() {
        limits.close();
        server.stop();
    }

    @Test
    void heldRequests_areBounded_andTheOthersGoOnAtOnce() throws Exception {
        assertEquals(201, RawHttp.ask(port(), request()).status());
        try (RawHttp held = RawHttp.open(port()).write(request())) {
            Await.until("one waits", () -> limits.held() == 1);
            assertEquals(201, RawHttp.ask(port(), request()).status());
            assertTrue(through.get() == 2 || limits.held() == 0, "the other went past the one that waits");
            RawHttp.Answer refused = RawHttp.ask(port(), request());
            assertEquals(429, refused.status());
            assertEquals("3", refused.header("Retry-After"));
            assertEquals(201, held.read().status());
        }
        assertEquals(0, limits.held());
        assertEquals(1, limits.counts().held());
        assertEquals(1, limits.counts().refused());
    }

    @Test
    void oneAfterTheOther_isSlowedDown_andNeverRefused() throws Exception {
        try (RawHttp http = RawHttp.open(port())) {
            for (int i = 0; i < 3; i++) {
                assertEquals(201, http.write(request()).read().status());
                now += Duration.ofMillis(100 + 900 * Math.min(i, 1)).toNanos(); // what it waited, at least
            }
        }
        assertEquals(2, limits.counts().held());
    }

    @Test
    void heldRequest_whoseClientLeaves_isFinished() throws Exception {
        assertEquals(201, RawHttp.ask(port(), request()).status());
        RawHttp gone = RawHttp.open(port()).write(request());
        Await.until("it waits", () -> limits.held() == 1);
        gone.reset();
        Await.until("it goes on", () -> through.get() == 2);
        assertEquals(0, limits.held());
    }

    private int port() {
        return ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
    }

    private static String request() {
        return RawHttp.post("");
    }

    private static Event event() {
        byte[] body = TestServer.messageBody("c", "m", "x").getBytes(StandardCharsets.UTF_8);
        ReadResult.Events read =
                (ReadResult.Events) new EventReader(EventLimits.DEFAULT, Clock.systemUTC()).readJson(body);
        return ((ReadResult.Item.Accepted) read.items().get(0)).event();
    }
}
