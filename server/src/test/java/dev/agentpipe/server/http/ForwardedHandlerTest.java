package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.AddressRanges;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.RawHttp;
import io.undertow.Undertow;
import io.undertow.util.Headers;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is believed, of whom. The peer is always 127.0.0.1. */
final class ForwardedHandlerTest {

    private static final String PROXIES = "loopback,10.0.0.0/8,2001:db8:f::/48";

    private final List<Undertow> servers = new ArrayList<>();

    @AfterEach
    void stop() {
        servers.forEach(Undertow::stop);
    }

    @Test
    void stranger_isNotBelieved_andToldOfOnce() throws Exception {
        try (CapturedLog log = new CapturedLog(ForwardedHandler.class.getName())) {
            int port = serve("10.0.0.1");
            for (int i = 0; i < 3; i++) {
                assertEquals(
                        "127.0.0.1 http me",
                        seen(
                                port,
                                "X-Forwarded-For: 192.0.2.1",
                                "X-Forwarded-Proto: https",
                                "X-Forwarded-Host: evil.example",
                                "Forwarded: for=192.0.2.1;proto=https;host=evil.example"));
            }
            assertEquals(1, log.events().size());
            assertTrue(
                    log.events().toString().contains("TRUSTED_PROXIES"),
                    log.events().toString());
        }
    }

    @Test
    void client_isTheFirstFromTheRightThatIsNoProxy() throws Exception {
        int port = serve(PROXIES);
        assertEquals("192.0.2.1", client(port, "X-Forwarded-For: 192.0.2.1"));
        assertEquals("192.0.2.2", client(port, "X-Forwarded-For: 192.0.2.1, 192.0.2.2"));
        assertEquals("192.0.2.2", client(port, "X-Forwarded-For: 192.0.2.1,192.0.2.2, 10.1.1.1,10.2.2.2"));
        assertEquals("192.0.2.2", client(port, "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2, 10.1.1.1"));
        assertEquals("10.1.1.1", client(port, "X-Forwarded-For: 10.1.1.1, 10.2.2.2"), "the client is inside");
        assertEquals("127.0.0.1", client(port));
    }

    @Test
    void nonsense_endsTheList() throws Exception {
        int port = serve(PROXIES);
        for (String end : List.of("unknown", "_hidden", "", "localhost", "1.2.3", "192.0.2.1 x", "256.1.1.1", "[::1")) {
            assertEquals("127.0.0.1", client(port, "X-Forwarded-For: 192.0.2.1, " + end), end);
            assertEquals("10.1.1.1", client(port, "X-Forwarded-For: 192.0.2.1, " + end + ", 10.1.1.1"), end);
        }
        assertEquals("192.0.2.2", client(port, "X-Forwarded-For: x" + ",".repeat(5_000) + "192.0.2.2"));
        assertEquals("127.0.0.1", client(port, "X-Forwarded-For: 192.0.2.1" + ", 127.0.0.1".repeat(2_000)));
    }

    @Test
    void ports_andIpv6_areUnderstood() throws Exception {
        int port = serve(PROXIES);
        assertEquals("192.0.2.1", client(port, "X-Forwarded-For: 192.0.2.1:4711"));
        assertEquals("2001:db8:0:0:0:0:0:1", client(port, "X-Forwarded-For: 2001:db8::1"));
        assertEquals("2001:db8:0:0:0:0:0:1", client(port, "X-Forwarded-For: [2001:db8::1]:4711, 2001:db8:f::2"));
        assertEquals("192.0.2.1", client(port, "X-Forwarded-For: ::ffff:192.0.2.1"));
    }

    @Test
    void forwarded_isReadAsItsRfcSays() throws Exception {
        int port = serve(PROXIES);
        assertEquals("192.0.2.43", client(port, "Forwarded: For=192.0.2.43"));
        assertEquals("2001:db8:0:0:0:0:0:17", client(port, "Forwarded: for=\"[2001:db8::17]:4711\""));
        assertEquals("192.0.2.2", client(port, "Forwarded: for=192.0.2.1, for=192.0.2.2;by=10.0.0.1 , for=10.1.1.1"));
        assertEquals(
                "192.0.2.2 https pipe.example:8443",
                seen(port, "Forwarded: for=192.0.2.2;proto=https;host=\"pipe.example:8443\";secret=\"a,b;\\\"c\""));
        assertEquals("127.0.0.1", client(port, "Forwarded: for=192.0.2.1, for=_gazonk"));
        for (String malformed : List.of("for=\"192.0.2.1", "for", "=192.0.2.1", "for=1\"2", "for=a b", "\"")) {
            assertEquals("127.0.0.1", client(port, "Forwarded: " + malformed), malformed);
        }
    }

    @Test
    void headersThatDoNotAgree_areNotBelieved() throws Exception {
        int port = serve(PROXIES);
        assertEquals("192.0.2.1", client(port, "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1"));
        assertEquals("127.0.0.1", client(port, "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.2"));
        assertEquals("127.0.0.1", client(port, "X-Forwarded-For: 192.0.2.1", "Forwarded: nonsense"));
    }

    @Test
    void schemeAndHost_areThoseThatTheNextProxyTells_ifTheyAreOnes() throws Exception {
        int port = serve(PROXIES);
        assertEquals("127.0.0.1 https me", seen(port, "X-Forwarded-Proto: https"));
        assertEquals("127.0.0.1 http me", seen(port, "X-Forwarded-Proto: https, http"));
        assertEquals("127.0.0.1 http me", seen(port, "X-Forwarded-Proto: javascript"));
        assertEquals("127.0.0.1 http pipe.example", seen(port, "X-Forwarded-Host: evil.example, pipe.example"));
        assertEquals("127.0.0.1 http [2001:db8::1]:443", seen(port, "X-Forwarded-Host: [2001:db8::1]:443"));
        for (String host : List.of("a b", "a/b", "a@b", "a:b", "<a>", "\"a\"", "a:123456", "")) {
            assertEquals("127.0.0.1 http me", seen(port, "X-Forwarded-Host: " + host), host);
        }
    }

    private int serve(String proxies) {
        Undertow server = Undertow.builder()
                .setIoThreads(1)
                .setWorkerThreads(1)
                .addHttpListener(0, "127.0.0.1")
                .setHandler(new ForwardedHandler(
                        AddressRanges.of(proxies),
                        exchange -> exchange.getResponseSender()
                                .send(exchange.getSourceAddress().getHostString()
                                        + ' '
                                        + exchange.getRequestScheme()
                                        + ' '
                                        + exchange.getRequestHeaders().getFirst(Headers.HOST))))
                .build();
        server.start();
        servers.add(server);
        return ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
    }

    private static String client(int port, String... headers) throws Exception {
        String seen = seen(port, headers);
        return seen.substring(0, seen.indexOf(' '));
    }

    private static String seen(int port, String... headers) throws Exception {
        String lines = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
        return RawHttp.ask(port, "GET / HTTP/1.1\r\nHost: me\r\n" + lines + "\r\n")
                .body();
    }
}
