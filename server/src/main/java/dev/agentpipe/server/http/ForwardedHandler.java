package dev.agentpipe.server.http;

import dev.agentpipe.server.AddressRanges;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * In front of everything: gives the exchange the address, scheme and host that its client has used, if a trusted proxy tells
 * them. Nobody behind it looks at those headers again.
 *
 * <p>A proxy appends whom it got the request from, so the list is read from its right end: each address is told by the one
 * behind it, and believed while that one is a trusted proxy. What stands further left may have been written by the client.
 * Scheme and host are those that the proxy next to this server tells. Of two headers that do not agree on the client, one was
 * written by the client, since the proxy does not know it; then neither is believed.
 *
 * <p>Thread-safe.
 */
public final class ForwardedHandler implements HttpHandler {

    private static final Logger log = LoggerFactory.getLogger(ForwardedHandler.class);

    private static final HttpString FORWARDED_HOST = Headers.X_FORWARDED_HOST;
    private static final Set<String> SCHEMES = Set.of("http", "https");

    /** A name or an address, with or without a port: nothing that could be more than a host where it is repeated. */
    private static final Pattern HOST =
            Pattern.compile("(?:[A-Za-z0-9._-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}])(?::[0-9]{1,5})?");

    private final AddressRanges trusted;
    private final HttpHandler next;
    private final AtomicBoolean isToldOfStranger = new AtomicBoolean();

    public ForwardedHandler(AddressRanges trusted, HttpHandler next) {
        this.trusted = trusted;
        this.next = next;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        HeaderMap headers = exchange.getRequestHeaders();
        HeaderValues list = headers.get(Headers.X_FORWARDED_FOR);
        HeaderValues forwarded = headers.get(Headers.FORWARDED);
        InetAddress peer = exchange.getSourceAddress().getAddress();
        if (peer != null && trusted.contains(peer)) {
            believe(exchange, peer, list, forwarded);
        } else if (list != null || forwarded != null) {
            tellOfStranger(peer);
        }
        next.handleRequest(exchange);
    }

    /** Once: anybody can send such headers, but an operator who has forgotten a proxy must learn of it. */
    private void tellOfStranger(InetAddress peer) {
        if (!isToldOfStranger.get() && isToldOfStranger.compareAndSet(false, true)) {
            log.warn(
                    "A request from {} names the client it is forwarded for, and is not believed: if that is a proxy of"
                            + " yours, name it in TRUSTED_PROXIES, else all its clients count as one",
                    peer == null ? "an unknown address" : peer.getHostAddress());
        }
    }

    private void believe(HttpServerExchange exchange, InetAddress peer, HeaderValues list, HeaderValues forwarded) {
        InetAddress client = peer;
        if (list != null) {
            client = client(peer, ForwardedList.addresses(list));
        }
        if (forwarded != null) {
            List<Map<String, String>> hops = ForwardedList.hops(forwarded);
            InetAddress other =
                    client(peer, hops.stream().map(hop -> hop.get("for")).toList());
            client = list == null || other.equals(client) ? other : peer;
            if (!hops.isEmpty()) {
                setScheme(exchange, hops.get(hops.size() - 1).get("proto"));
                setHost(exchange, hops.get(hops.size() - 1).get("host"));
            }
        }
        if (!client.equals(peer)) {
            exchange.setSourceAddress(new InetSocketAddress(client, 0));
        }
        setScheme(exchange, ForwardedList.last(exchange.getRequestHeaders().get(Headers.X_FORWARDED_PROTO)));
        setHost(exchange, ForwardedList.last(exchange.getRequestHeaders().get(FORWARDED_HOST)));
    }

    /** @param hops addresses as they were written; null where none was */
    private InetAddress client(InetAddress peer, List<String> hops) {
        InetAddress client = peer;
        for (int i = hops.size() - 1; i >= 0 && trusted.contains(client); i--) {
            InetAddress hop = hops.get(i) == null ? null : ForwardedList.address(hops.get(i));
            if (hop == null) {
                return client; // hidden, or nonsense: what is left of it cannot be believed either
            }
            client = hop;
        }
        return client;
    }

    private static void setScheme(HttpServerExchange exchange, String scheme) {
        if (scheme != null && SCHEMES.contains(scheme)) {
            exchange.setRequestScheme(scheme);
        }
    }

    private static void setHost(HttpServerExchange exchange, String host) {
        if (host != null && HOST.matcher(host).matches()) {
            exchange.getRequestHeaders().put(Headers.HOST, host);
        }
    }
}
