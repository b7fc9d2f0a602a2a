package dev.agentpipe.db.backup;

import dev.agentpipe.db.postgres.PostgresUrl;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A database's address as PostgreSQL's own programs take it: in environment variables ("Environment Variables" in its manual,
 * 34.15), so that no list of processes shows the password. What only pgjdbc knows is left out.
 */
final class LibpqEnvironment {

    private static final String PREFIX = "jdbc:postgresql:";

    /** By pgjdbc's names. */
    private static final Map<String, String> VARIABLES = Map.ofEntries(
            Map.entry("user", "PGUSER"),
            Map.entry("password", "PGPASSWORD"),
            Map.entry("sslmode", "PGSSLMODE"),
            Map.entry("sslrootcert", "PGSSLROOTCERT"),
            Map.entry("sslcert", "PGSSLCERT"),
            Map.entry("sslkey", "PGSSLKEY"),
            Map.entry("connectTimeout", "PGCONNECT_TIMEOUT"),
            Map.entry("channelBinding", "PGCHANNELBINDING"),
            Map.entry("gssEncMode", "PGGSSENCMODE"),
            Map.entry("options", "PGOPTIONS"));

    private static final Map<String, String> SERVER_TYPES =
            Map.of("primary", "read-write", "master", "read-write", "secondary", "read-only");

    private LibpqEnvironment() {}

    static Map<String, String> of(PostgresUrl url) {
        String text = url.jdbcUrl().substring(PREFIX.length());
        int question = text.indexOf('?');
        String place = question < 0 ? text : text.substring(0, question);
        Map<String, String> parameters = parameters(question < 0 ? "" : text.substring(question + 1));
        if (url.user() != null) {
            parameters.put("user", url.user());
        }
        if (url.password() != null) {
            parameters.put("password", url.password());
        }

        Map<String, String> environment = new HashMap<>();
        String authority = place.startsWith("//") ? place.substring(2) : "";
        int slash = authority.indexOf('/');
        String database = place.startsWith("//") ? (slash < 0 ? "" : authority.substring(slash + 1)) : place;
        hosts(slash < 0 ? authority : authority.substring(0, slash), environment);
        String user = parameters.getOrDefault("user", System.getProperty("user.name", "postgres"));
        environment.put("PGUSER", user);
        environment.put("PGDATABASE", database.isEmpty() ? user : decoded(database));
        VARIABLES.forEach((name, variable) -> {
            if (parameters.containsKey(name)) {
                environment.put(variable, parameters.get(name));
            }
        });
        String type = SERVER_TYPES.get(parameters.getOrDefault("targetServerType", ""));
        if (type != null) {
            environment.put("PGTARGETSESSIONATTRS", type);
        }
        if (parameters.getOrDefault("ssl", "false").equals("true")) {
            environment.putIfAbsent("PGSSLMODE", "verify-full"); // what pgjdbc takes it for
        }
        environment.put("PGCLIENTENCODING", "UTF8");
        environment.put("PGAPPNAME", "agentpipe-backup");
        return environment;
    }

    private static void hosts(String authority, Map<String, String> environment) {
        List<String> hosts = new ArrayList<>();
        List<String> ports = new ArrayList<>();
        for (String one : authority.split(",")) {
            int colon = one.lastIndexOf(':');
            boolean hasPort = colon > one.lastIndexOf(']');
            String host = hasPort ? one.substring(0, colon) : one;
            hosts.add(host.isEmpty() ? "localhost" : host.replaceAll("[\\[\\]]", ""));
            ports.add(hasPort ? one.substring(colon + 1) : "5432");
        }
        environment.put("PGHOST", String.join(",", hosts));
        environment.put("PGPORT", String.join(",", ports));
    }

    private static Map<String, String> parameters(String query) {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (String pair : query.split("&")) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                parameters.put(decoded(pair.substring(0, equals)), decoded(pair.substring(equals + 1)));
            }
        }
        return parameters;
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
