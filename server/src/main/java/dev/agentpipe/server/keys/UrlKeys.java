package dev.agentpipe.server.keys;

import dev.agentpipe.server.ApiKey;
import io.undertow.server.HttpServerExchange;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds what looks like a key in a URL, where proxies, histories and logs would keep it. */
final class UrlKeys {

    /** Where other APIs take their keys, so that people try it here. */
    private static final Set<String> NAMES =
            Set.of("key", "api_key", "api-key", "apikey", "token", "access_token", "authorization", "bearer");

    private static final String BEGIN = "ap_";
    private static final Pattern KEY = Pattern.compile("ap_(?:live|test)_[A-Za-z0-9_-]{16,}");

    private UrlKeys() {}

    /** How the key is named; empty if there is none. */
    static Optional<String> find(HttpServerExchange exchange) {
        if (exchange.getRequestPath().contains(BEGIN)) {
            Optional<String> found = find(exchange.getRequestPath());
            if (found.isPresent()) {
                return found;
            }
        }
        if (exchange.getQueryString().isEmpty()) {
            return Optional.empty();
        }
        for (Map.Entry<String, Deque<String>> parameter :
                exchange.getQueryParameters().entrySet()) {
            boolean isNamedSo = NAMES.contains(parameter.getKey().toLowerCase(Locale.ROOT));
            Optional<String> found = find(parameter.getKey());
            for (String value : parameter.getValue()) {
                found = found.or(() -> find(value))
                        .or(() -> isNamedSo && !value.isEmpty() ? label(value) : Optional.empty());
            }
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    private static Optional<String> find(String text) {
        if (!text.contains(BEGIN)) {
            return Optional.empty();
        }
        Matcher matcher = KEY.matcher(text);
        return matcher.find() ? label(matcher.group()) : Optional.empty();
    }

    private static Optional<String> label(String key) {
        return Optional.of(ApiKey.isOne(key) ? new ApiKey(key).toString() : "…");
    }
}
