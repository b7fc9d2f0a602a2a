package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.agentpipe.server.EffectiveSettings.Entry;
import dev.agentpipe.server.EffectiveSettings.Source;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class EffectiveSettingsTest {

    private static final Map<String, String> OTHERS = Map.ofEntries(
            Map.entry("NODE_ENV", "test"),
            Map.entry("HOST", "::1"),
            Map.entry("PORT", "3001"),
            Map.entry("TLS_CERT", "/etc/x/cert.pem"),
            Map.entry("TLS_KEY", "/etc/x/key.pem"),
            Map.entry("HTTP_REDIRECT_PORT", "80"),
            Map.entry("HSTS_MAX_AGE", "60"),
            Map.entry("ALLOWED_ORIGINS", "https://a.example,https://b.example"),
            Map.entry("DATA_DIR", "/var/lib/x"),
            Map.entry("DATABASE_URL", "postgresql://db.example/x?sslmode=require"),
            Map.entry("DATABASE_POOL_MAX", "20"),
            Map.entry("REDIS_URL", "rediss://cache.example:6380/2"),
            Map.entry("CONVERSATION_IDLE_TIMEOUT", "90m"),
            Map.entry("TRUSTED_PROXIES", "private,192.0.2.7"),
            Map.entry("RATE_LIMIT_EXEMPT", "none"),
            Map.entry("REDACT", "on"),
            Map.entry("LOG_FORMAT", "json"),
            Map.entry("AUDIT_LOG", "/var/log/x"));

    private static List<Entry> of(Map<String, String> variables) throws SettingsException {
        return EffectiveSettings.of(SettingsReader.read(variables).settings(), variables, Set.of("SSE_MAX_AGE"));
    }

    private static Map<String, String> values(Map<String, String> variables) throws SettingsException {
        return of(variables).stream().collect(Collectors.toMap(Entry::name, Entry::value));
    }

    @Test
    void names_areAllThatAreRead() throws Exception {
        List<String> names = of(Map.of()).stream().map(Entry::name).toList();
        assertEquals(new TreeSet<>(SettingsReader.KNOWN), new TreeSet<>(names));
        assertEquals(names.size(), Set.copyOf(names).size());
    }

    /** So each is the one in effect, and in its own unit. */
    @Test
    void values_readBack_giveTheSameSettings() throws Exception {
        for (Map<String, String> variables : List.of(Map.<String, String>of(), OTHERS)) {
            assertEquals(
                    SettingsReader.read(variables).settings(),
                    SettingsReader.read(values(variables)).settings());
        }
    }

    @Test
    void sources_areThoseOfTheValues() throws Exception {
        Map<String, Source> sources = of(Map.of("PORT", "3001", "HOST", " ", "SSE_MAX_AGE", "60")).stream()
                .collect(Collectors.toMap(Entry::name, Entry::source));
        assertEquals(Source.ENVIRONMENT, sources.get("PORT"));
        assertEquals(Source.DEFAULT, sources.get("HOST"));
        assertEquals(Source.FILE, sources.get("SSE_MAX_AGE"));
    }

    @Test
    void secrets_areMasked() throws Exception {
        Map<String, String> variables = new HashMap<>(Map.of(
                "DATABASE_URL",
                "postgresql://own:hush%401@db.example:5433/x?sslmode=require&password=hush&sslpassword=hush",
                "DIRECT_URL",
                "jdbc:postgresql://db.example/x?user=own&password=hush",
                "AGENTPIPE_BRIDGE_API_KEY",
                "ap_live_hush-hush-hush-hush-hush,hush-hush",
                "AGENTPIPE_ADMIN_API_KEY",
                "hush-hush-hush-hush-hush",
                "REDIS_URL",
                "rediss://default:hush@cache.example",
                "REDIS_TOKEN",
                "hush",
                "SENTRY_DSN",
                "https://hush@sentry.example/42"));
        Map<String, String> values = values(variables);
        assertFalse(values.toString().contains("hush"), values::toString);
        assertEquals(
                "postgresql://own:***@db.example:5433/x?sslmode=require&password=***&sslpassword=***",
                values.get("DATABASE_URL"));
        assertEquals("jdbc:postgresql://db.example/x?user=own&password=***", values.get("DIRECT_URL"));
        assertEquals("rediss://***@cache.example", values.get("REDIS_URL"));
        assertEquals(
                new ApiKey("ap_live_hush-hush-hush-hush-hush") + "," + new ApiKey("hush-hush"),
                values.get("AGENTPIPE_BRIDGE_API_KEY"));
        assertEquals("***", values.get("REDIS_TOKEN"));
        assertEquals("https://***@sentry.example/42", values.get("SENTRY_DSN"));

        for (String odd : List.of(
                "postgres://hush@db.example",
                "postgresql://a:hush:hush@db.example/x",
                "jdbc:postgresql://own:hush@db.example/x",
                "jdbc:postgresql:x?password=hush")) {
            String masked = values(Map.of("DATABASE_URL", odd)).get("DATABASE_URL");
            assertEquals(odd.startsWith("postgres:"), masked.contains("hush"), "a user alone is none: " + masked);
        }
    }
}
