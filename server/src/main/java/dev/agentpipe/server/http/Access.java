package dev.agentpipe.server.http;

import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.audit.Audit;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import io.undertow.util.Headers;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Who may do what. A caller is known by the key in {@code Authorization}, or was {@linkplain #admit made known} by what came
 * instead. Missing, malformed, unknown, expired and revoked keys are answered alike. Thread-safe.
 */
public final class Access {

    /**
     * Whether a reader may still read, for those that read on: attached by {@link #readers}, asked from any thread.
     */
    public static final AttachmentKey<BooleanSupplier> MAY_STILL_READ = AttachmentKey.create(BooleanSupplier.class);

    private static final AttachmentKey<Callers.Known> KNOWN = AttachmentKey.create(Callers.Known.class);
    private static final String SCHEME = "Bearer ";

    private final Callers callers;
    private final Failures failures;

    /** With keys that never change, and reading open. */
    public Access(List<ApiKey> clientKeys, List<ApiKey> adminKeys) {
        this(new FixedCallers(clientKeys, adminKeys), new Failures(new Audit(Clock.systemUTC()), System::nanoTime));
    }

    /** @param failures told of each that is refused */
    public Access(Callers callers, Failures failures) {
        this.callers = callers;
        this.failures = failures;
    }

    /** Answers 401 or 403 and returns false unless the request may do this. */
    public boolean allows(HttpServerExchange exchange, Scope scope) {
        if (scope == Scope.READ && callers.isReadingOpen()) {
            return true;
        }
        Callers.Known known = known(exchange);
        if (known instanceof Callers.Known.Bad bad) {
            failures.refuse(exchange, bad);
            return false;
        }
        if (((Callers.Known.Good) known).caller().may(scope)) {
            return true;
        }
        Replies.problem(exchange, Problem.FORBIDDEN, "It takes a key with the scope \"" + scope.label() + "\".");
        return false;
    }

    /** Whether the request brings a key with this scope; answers nothing. */
    public boolean has(HttpServerExchange exchange, Scope scope) {
        return caller(exchange).filter(caller -> caller.may(scope)).isPresent();
    }

    /** Who it is, if that is known; answers nothing. */
    public Optional<Caller> caller(HttpServerExchange exchange) {
        return known(exchange) instanceof Callers.Known.Good good ? Optional.of(good.caller()) : Optional.empty();
    }

    /** Who has sent a key itself, not what was made from one; answers 401 if nobody has. */
    public Optional<Caller> keyHolder(HttpServerExchange exchange) {
        if (!exchange.getRequestHeaders().contains(Headers.AUTHORIZATION)) {
            admit(exchange, Callers.Known.Bad.MISSING); // whatever a cookie says
        }
        Callers.Known known = known(exchange);
        if (known instanceof Callers.Known.Bad bad) {
            failures.refuse(exchange, bad);
        }
        return caller(exchange);
    }

    /** Makes known who calls, or why nobody does, where that is not told by {@code Authorization}. */
    public static void admit(HttpServerExchange exchange, Callers.Known known) {
        exchange.putAttachment(KNOWN, known);
    }

    /** For what goes on for long: lets readers in, and attaches {@link #MAY_STILL_READ}. */
    public HttpHandler readers(HttpHandler stream) {
        return exchange -> {
            if (allows(exchange, Scope.READ)) {
                BooleanSupplier asSomebody = caller(exchange)
                        .filter(caller -> caller.may(Scope.READ))
                        .map(Caller::isGood)
                        .orElse(() -> false);
                exchange.putAttachment(MAY_STILL_READ, () -> callers.isReadingOpen() || asSomebody.getAsBoolean());
                stream.handleRequest(exchange);
            }
        };
    }

    /** How the key is named that the request has shown, if somebody has looked at it. */
    static String keyId(HttpServerExchange exchange) {
        Callers.Known known = exchange.getAttachment(KNOWN);
        if (known instanceof Callers.Known.Good good) {
            return good.caller().keyId();
        }
        return known instanceof Callers.Known.Bad bad ? bad.keyId() : null;
    }

    private Callers.Known known(HttpServerExchange exchange) {
        Callers.Known known = exchange.getAttachment(KNOWN);
        if (known == null) {
            known = byKey(exchange.getRequestHeaders().getFirst(Headers.AUTHORIZATION));
            exchange.putAttachment(KNOWN, known);
            if (known instanceof Callers.Known.Bad bad && !bad.isMissing()) {
                failures.count(exchange, bad); // also where reading is open, so that nobody tries keys unseen
            }
        }
        return known;
    }

    private Callers.Known byKey(String header) {
        if (header == null) {
            return Callers.Known.Bad.MISSING;
        }
        if (!header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return Callers.Known.Bad.MALFORMED;
        }
        String key = header.substring(SCHEME.length()).strip();
        return ApiKey.isOne(key) ? callers.ofKey(key) : Callers.Known.Bad.MALFORMED;
    }
}
