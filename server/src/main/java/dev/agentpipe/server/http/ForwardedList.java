package dev.agentpipe.server.http;

import dev.agentpipe.server.AddressRanges;
import io.undertow.util.HeaderValues;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What proxies write into {@code X-Forwarded-…} and {@code Forwarded} (RFC 7239). */
final class ForwardedList {

    /** What proxies in a row add; more on the left end is not looked at. */
    private static final int HOPS_MAX = 64;

    private static final Pattern PORT = Pattern.compile(":(?:[0-9]{1,5}|_[A-Za-z0-9._-]+)$");

    /** A pair, or what separates pairs and elements. */
    private static final Pattern PAIR =
            Pattern.compile("\\G[ \\t]*(?:([A-Za-z]+)=(?:\"((?:[^\"\\\\]|\\\\.)*+)\"|([^\\s\",;]*+)))?[ \\t]*([,;]|$)");

    private static final Pattern ESCAPED = Pattern.compile("\\\\(.)");

    private ForwardedList() {}

    /** The items of a list in all headers of a name, the newest last. */
    static List<String> addresses(HeaderValues headers) {
        List<String> items = new ArrayList<>();
        for (int i = headers.size() - 1; i >= 0 && items.size() < HOPS_MAX; i--) {
            String header = headers.get(i);
            int end = header.length();
            while (end >= 0 && items.size() < HOPS_MAX) {
                int comma = header.lastIndexOf(',', end - 1);
                items.add(0, header.substring(comma + 1, end).strip());
                end = comma;
            }
        }
        return items;
    }

    /** What the proxy next to this server says; null if it does not. */
    static String last(HeaderValues headers) {
        if (headers == null || headers.isEmpty()) {
            return null;
        }
        String header = headers.getLast();
        return header.substring(header.lastIndexOf(',') + 1).strip();
    }

    /** The elements of {@code Forwarded}, the newest last; none if it is malformed. Names are in lower case. */
    static List<Map<String, String>> hops(HeaderValues headers) {
        List<Map<String, String>> hops = new ArrayList<>();
        for (String header : headers) {
            Map<String, String> hop = new HashMap<>();
            Matcher pair = PAIR.matcher(header);
            int end = 0;
            while (end < header.length()) {
                if (!pair.find()) {
                    return List.of();
                }
                if (pair.group(1) != null) {
                    String quoted = pair.group(2);
                    String value = quoted == null
                            ? pair.group(3)
                            : ESCAPED.matcher(quoted).replaceAll("$1");
                    hop.putIfAbsent(pair.group(1).toLowerCase(Locale.ROOT), value);
                }
                end = pair.end();
                if (pair.group(4).equals(",")) {
                    hops.add(hop);
                    hop = new HashMap<>();
                }
            }
            hops.add(hop);
        }
        return hops;
    }

    /** With or without a port; null if it is no address, but hidden, unknown or nonsense. */
    static InetAddress address(String node) {
        if (node.startsWith("[")) {
            int close = node.indexOf(']');
            String port = close < 0 ? "" : node.substring(close + 1);
            boolean isOne = close > 0 && (port.isEmpty() || PORT.matcher(port).matches());
            return isOne ? AddressRanges.address(node.substring(1, close)) : null;
        }
        boolean isFour = node.indexOf('.') > 0 && node.indexOf(':') == node.lastIndexOf(':');
        return AddressRanges.address(isFour ? PORT.matcher(node).replaceFirst("") : node);
    }
}
