package dev.agentpipe.server;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a page comes from, written exactly as browsers write it in {@code Origin} (WHATWG HTML, "serialization of an origin"),
 * so that two are the same if their texts are.
 */
public record Origin(String value) {

    private static final Pattern PARTS = Pattern.compile("(https?)://([^/?#@]*?)(?::(\\d*))?");
    private static final Pattern NAME = Pattern.compile("[a-z0-9_-]+(?:\\.[a-z0-9_-]+)*\\.?");
    private static final Pattern NUMERIC_END = Pattern.compile("(?:.*\\.)?(?:\\d+|0x[0-9a-f]*)\\.?");
    private static final String BYTE = "(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])";
    private static final Pattern IPV4 = Pattern.compile(BYTE + "(?:\\." + BYTE + "){3}");
    private static final Pattern IPV6 = Pattern.compile("\\[[0-9a-f:]+\\]");
    private static final Pattern ZEROS = Pattern.compile("(?<![0-9a-f])0(?::0)+(?![0-9a-f])");
    private static final int NAME_CHARS_MAX = 253;
    private static final int PORT_MAX = 65_535;

    public Origin {
        String problem = problem(value);
        if (problem != null) {
            throw new IllegalArgumentException("the origin " + problem);
        }
    }

    /** Why this is no origin that a browser would send, as the end of a sentence; null if it is one. */
    public static String problem(String text) {
        if (text.contains("*")) {
            return "has a *: each origin is named in full, such as https://app.example";
        }
        if (text.equals("null")) {
            return "is null, which files and sandboxed frames of anybody send";
        }
        Matcher parts = PARTS.matcher(text);
        if (!parts.matches()) {
            return text.matches("https?://[^/?#@]+[/?#].*")
                    ? "has a slash or more behind its host: an origin ends there"
                    : "is not http:// or https:// in lower case, a host, and a port if it has one, such as http://localhost:5173";
        }
        String host = parts.group(2);
        if (!isHost(host)) {
            return "has a host that browsers write in another way: in lower case, in ASCII (xn--…), addresses in their"
                    + " shortest form";
        }
        return parts.group(3) == null ? null : portProblem(parts.group(1), parts.group(3));
    }

    private static String portProblem(String scheme, String port) {
        if (port.length() > 5 || !port.matches("[1-9]\\d*") || Integer.parseInt(port) > PORT_MAX) {
            return "has a port that is not 1 to " + PORT_MAX;
        }
        return port.equals(scheme.equals("https") ? "443" : "80")
                ? "has the port that its scheme has anyway: browsers leave it out"
                : null;
    }

    private static boolean isHost(String host) {
        if (IPV6.matcher(host).matches()) {
            return isShortest(host.substring(1, host.length() - 1));
        }
        return NAME.matcher(host).matches()
                && host.length() <= NAME_CHARS_MAX
                && (IPV4.matcher(host).matches() || !NUMERIC_END.matcher(host).matches());
    }

    private static boolean isShortest(String address) {
        try {
            InetAddress parsed = InetAddress.getByName('[' + address + ']'); // a literal: nobody is asked
            return parsed instanceof Inet6Address
                    && shortest(parsed.getHostAddress()).equals(address);
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /** The first of the longest rows of zeros becomes {@code ::}. */
    private static String shortest(String full) {
        int from = 0;
        int to = 0;
        for (Matcher zeros = ZEROS.matcher(full); zeros.find(); ) {
            if (zeros.end() - zeros.start() > to - from) {
                from = zeros.start();
                to = zeros.end();
            }
        }
        return to == 0
                ? full
                : full.substring(0, Math.max(0, from - 1)) + "::" + full.substring(Math.min(full.length(), to + 1));
    }

    @Override
    public String toString() {
        return value;
    }
}
