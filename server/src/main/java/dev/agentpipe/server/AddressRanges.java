package dev.agentpipe.server;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.wildfly.common.net.CidrAddress;
import org.wildfly.common.net.Inet;

/** Sets of IP addresses. No method looks up a name. */
public record AddressRanges(List<CidrAddress> ranges) {

    /** What a list may say instead of addresses. */
    private static final Map<String, List<String>> WORDS = Map.of(
            "none", List.of(),
            "loopback", List.of("127.0.0.0/8", "::1/128"),
            "private",
                    List.of(
                            "10.0.0.0/8",
                            "172.16.0.0/12",
                            "192.168.0.0/16",
                            "169.254.0.0/16",
                            "fc00::/7",
                            "fe80::/10"));

    private static final int ADDRESS_CHARS_MAX = 45;
    private static final Pattern CHARACTERS = Pattern.compile("[0-9A-Fa-f:.]+");

    /** Octal to some, decimal to others. */
    private static final Pattern LEADING_ZERO = Pattern.compile("(?:^|[.:])0[0-9]+\\.|\\.0[0-9]");

    public static final AddressRanges NONE = of("none");
    public static final AddressRanges LOOPBACK = of("loopback");

    public AddressRanges {
        ranges = List.copyOf(ranges);
    }

    /**
     * @param list addresses, ranges such as {@code 10.0.0.0/8}, and words, with commas between them
     * @throws IllegalArgumentException if there is anything else in it
     */
    public static AddressRanges of(String list) {
        List<CidrAddress> ranges = new ArrayList<>();
        for (String part : list.split(",", -1)) {
            String one = part.strip();
            WORDS.getOrDefault(one, List.of(one)).forEach(range -> ranges.add(range(range)));
        }
        return new AddressRanges(ranges);
    }

    private static CidrAddress range(String text) {
        int slash = text.indexOf('/');
        InetAddress address = address(slash < 0 ? text : text.substring(0, slash));
        if (address == null) {
            throw new IllegalArgumentException(text);
        }
        int bits = 8 * address.getAddress().length;
        return CidrAddress.create(address, slash < 0 ? bits : prefix(text.substring(slash + 1), bits));
    }

    private static int prefix(String text, int bits) {
        int prefix = text.matches("\\d{1,3}") ? Integer.parseInt(text) : Integer.MAX_VALUE;
        if (prefix > bits) {
            throw new IllegalArgumentException(text);
        }
        return prefix;
    }

    /** Null if it is none. One of IPv4 that is written as IPv6 is one of IPv4. */
    public static InetAddress address(String literal) {
        if (literal.length() > ADDRESS_CHARS_MAX
                || !CHARACTERS.matcher(literal).matches()
                || LEADING_ZERO.matcher(literal).find()) {
            return null;
        }
        byte[] bytes = Inet.parseInetAddressToBytes(literal);
        try {
            return bytes == null ? null : InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            return null;
        }
    }

    public boolean contains(InetAddress address) {
        for (CidrAddress range : ranges) {
            if (range.matches(address)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String toString() {
        return ranges.toString();
    }
}
