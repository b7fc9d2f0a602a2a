package dev.agentpipe.db.postgres;

import java.io.ByteArrayOutputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A connection URI as libpq and the tools around it write it ("Connection URIs" in PostgreSQL's manual, 34.1.1.2), turned
 * into what pgjdbc understands.
 *
 * <p>Nothing here puts a part of the text into an error or {@link #toString()}: wherever a separator is missing, any part
 * may be the password.
 *
 * @param jdbcUrl without user and password, except where it was given as a JDBC URL
 * @param user null for a JDBC URL, which may hold it itself
 * @param password null if there is none
 */
public record PostgresUrl(String jdbcUrl, String user, String password) {

    private static final String JDBC = "jdbc:postgresql:";
    private static final String DEFAULT_PORT = "5432";

    /** Parameters that libpq, or Prisma (agentpipe-web), and pgjdbc name differently. */
    private static final Map<String, String> RENAMED = Map.of(
            "application_name", "ApplicationName",
            "connect_timeout", "connectTimeout",
            "keepalives", "tcpKeepAlive",
            "target_session_attrs", "targetServerType",
            "channel_binding", "channelBinding",
            "schema", "currentSchema");

    /** Values of target_session_attrs that pgjdbc names differently. */
    private static final Map<String, String> SERVER_TYPES = Map.of(
            "read-write", "primary",
            "read-only", "secondary",
            "standby", "secondary",
            "prefer-standby", "preferSecondary");

    private static final String HIDDEN = "***";

    private static final Pattern JDBC_ADDRESS = Pattern.compile(JDBC + "(//[\\w.:,\\[\\]-]+/)?[\\w%.-]*");

    private static final Set<String> SHOWN = Set.of(
            "sslmode",
            "sslrootcert",
            "user",
            "dbname",
            "host",
            "port",
            "schema",
            "currentSchema",
            "application_name",
            "ApplicationName",
            "connect_timeout",
            "connectTimeout",
            "socketTimeout",
            "prepareThreshold",
            "pgbouncer",
            "target_session_attrs",
            "targetServerType",
            "channel_binding",
            "channelBinding");

    public static PostgresUrl parse(String text) {
        String url = text.strip();
        if (url.startsWith(JDBC)) {
            return new PostgresUrl(url, null, null);
        }
        for (String scheme : List.of("postgresql://", "postgres://")) {
            if (url.startsWith(scheme)) {
                return parseAfterScheme(url.substring(scheme.length()));
            }
        }
        throw new IllegalArgumentException("must start with postgresql://, postgres:// or jdbc:postgresql:");
    }

    private static PostgresUrl parseAfterScheme(String rest) {
        if (rest.indexOf('#') >= 0) {
            throw new IllegalArgumentException("'#' must be written as %23");
        }
        int question = rest.indexOf('?');
        Map<String, String> parameters = parameters(question < 0 ? "" : rest.substring(question + 1));
        String beforeQuery = question < 0 ? rest : rest.substring(0, question);
        int slash = beforeQuery.indexOf('/');
        String authority = slash < 0 ? beforeQuery : beforeQuery.substring(0, slash);
        String path = slash < 0 ? "" : beforeQuery.substring(slash + 1);
        if (path.indexOf('@') >= 0 || path.indexOf('/') >= 0) {
            throw new IllegalArgumentException(
                    "'/', '?', '#' and '@' in the user, the password or the database must be percent-encoded");
        }
        int at = authority.lastIndexOf('@');
        String login = at < 0 ? "" : authority.substring(0, at);
        int colon = login.indexOf(':');
        String user = firstOf(
                parameters.remove("user"),
                decode(colon < 0 ? login : login.substring(0, colon)),
                operatingSystemUser());
        String password =
                firstOf(parameters.remove("password"), colon < 0 ? "" : decode(login.substring(colon + 1)), "");
        String database = firstOf(parameters.remove("dbname"), decode(path), user);
        String hosts = hosts(authority.substring(at + 1), parameters.remove("host"), parameters.remove("port"));
        return new PostgresUrl(
                "jdbc:postgresql://" + hosts + "/" + encode(database) + query(parameters),
                user,
                password.isEmpty() ? null : password);
    }

    private static Map<String, String> parameters(String query) {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (String pair : query.split("&")) {
            if (!pair.isEmpty()) {
                int equals = pair.indexOf('=');
                if (equals < 1) {
                    throw new IllegalArgumentException("after '?' there must be name=value, separated by '&'");
                }
                parameters.put(decode(pair.substring(0, equals)), decode(pair.substring(equals + 1)));
            }
        }
        return parameters;
    }

    private static String hosts(String inAuthority, String inQuery, String portsInQuery) {
        String ports = portsInQuery == null ? DEFAULT_PORT : portsInQuery;
        String given = firstOf(inQuery, inAuthority, "localhost");
        List<String> hosts = new ArrayList<>();
        for (String host : given.split(",", -1)) {
            String[] portOfEach = ports.split(",", -1);
            String port = portOfEach[Math.min(hosts.size(), portOfEach.length - 1)];
            hosts.add(hostAndPort(host, port));
        }
        return String.join(",", hosts);
    }

    private static String hostAndPort(String text, String defaultPort) {
        int bracket = text.lastIndexOf(']');
        int colon = text.indexOf(':', Math.max(bracket, 0));
        String host = decode(colon < 0 ? text : text.substring(0, colon));
        String port = colon < 0 || colon == text.length() - 1 ? defaultPort : text.substring(colon + 1);
        if (host.startsWith("/")) {
            throw new IllegalArgumentException("a Unix socket is not supported: name a host");
        }
        boolean bracketed = bracket >= 0 && host.startsWith("[") && host.endsWith("]");
        if ((host.indexOf('[') >= 0 || bracket >= 0) && !bracketed) {
            throw new IllegalArgumentException("an IPv6 address must be written as [address]");
        }
        if (!port.matches("[0-9]{1,5}") || Integer.parseInt(port) < 1 || Integer.parseInt(port) > 65_535) {
            throw new IllegalArgumentException("the port is not a number from 1 to 65535 (is a ':', '@' or '/' in the"
                    + " password not percent-encoded?)");
        }
        return (host.isEmpty() ? "localhost" : host) + ":" + port;
    }

    private static String query(Map<String, String> parameters) {
        // Prisma's way to say that a pooler in transaction mode is between, where prepared statements get lost.
        if ("true".equals(parameters.remove("pgbouncer"))) {
            parameters.putIfAbsent("prepareThreshold", "0");
        }
        return parameters.entrySet().stream()
                .map(entry -> {
                    String name = RENAMED.getOrDefault(entry.getKey(), entry.getKey());
                    String value = name.equals("targetServerType")
                            ? SERVER_TYPES.getOrDefault(entry.getValue(), entry.getValue())
                            : entry.getValue();
                    return encode(name) + "=" + encode(value);
                })
                .collect(Collectors.joining("&", parameters.isEmpty() ? "" : "?", ""));
    }

    private static String firstOf(String first, String second, String last) {
        return first != null && !first.isEmpty() ? first : !second.isEmpty() ? second : last;
    }

    private static String operatingSystemUser() {
        return System.getProperty("user.name", "postgres");
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** Percent-encoding only: unlike in a form, '+' is a plus sign. */
    private static String decode(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < encoded.length; i++) {
            if (encoded[i] != '%') {
                bytes.write(encoded[i]);
                continue;
            }
            int high = i + 2 < encoded.length ? Character.digit(encoded[i + 1], 16) : -1;
            int low = i + 2 < encoded.length ? Character.digit(encoded[i + 2], 16) : -1;
            int value = high * 16 + low;
            if (high < 0 || low < 0 || value == 0) {
                throw new IllegalArgumentException("'%' must be followed by two hexadecimal digits, and not by 00");
            }
            bytes.write(value);
            i += 2;
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** Where it leads, for messages: nothing for a JDBC URL, which may hold a password anywhere. */
    public String target() {
        if (user == null) {
            return "the database of the JDBC URL";
        }
        int question = jdbcUrl.indexOf('?');
        return jdbcUrl.substring("jdbc:postgresql://".length(), question < 0 ? jdbcUrl.length() : question);
    }

    /** For a URL that {@link #parse} takes. Of parameters only those are shown that are known to be none of a secret. */
    static String masked(String text) {
        String url = text.strip();
        int question = url.indexOf('?');
        String address = question < 0 ? url : url.substring(0, question);
        if (address.startsWith(JDBC)) {
            address = JDBC_ADDRESS.matcher(address).matches() ? address : JDBC + HIDDEN;
        } else {
            int authority = address.indexOf("//") + 2;
            int at = address.lastIndexOf('@');
            int colon = address.indexOf(':', authority);
            if (at > colon && colon >= 0) {
                address = address.substring(0, colon + 1) + HIDDEN + address.substring(at);
            }
        }
        return address
                + (question < 0
                        ? ""
                        : Arrays.stream(url.substring(question + 1).split("&"))
                                .map(PostgresUrl::maskedParameter)
                                .collect(Collectors.joining("&", "?", "")));
    }

    private static String maskedParameter(String pair) {
        int equals = pair.indexOf('=');
        if (equals < 0) {
            return HIDDEN;
        }
        String name = pair.substring(0, equals);
        return SHOWN.contains(name) ? pair : name + "=" + HIDDEN;
    }

    @Override
    public String toString() {
        return target();
    }
}
