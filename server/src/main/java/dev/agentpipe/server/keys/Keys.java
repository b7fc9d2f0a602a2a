package dev.agentpipe.server.keys;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.Database;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Failures;
import dev.agentpipe.server.http.FixedCallers;
import dev.agentpipe.server.http.Reads;
import dev.agentpipe.server.http.Routes;
import io.undertow.server.HttpHandler;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keys, sessions and tickets of a server, put together. Thread-safe, but for the housekeeping. */
public final class Keys {

    /** How soon a change in the database is seen: one look at one row. */
    public static final Duration REFRESH = Duration.ofSeconds(1);

    /** How often is noted which keys were used, and told who was refused. */
    public static final Duration NOTE = Duration.ofMinutes(1);

    private static final Logger log = LoggerFactory.getLogger(Keys.class);

    private final Keyring keyring;
    private final Sessions sessions;
    private final Audit audit;
    private final Failures failures;
    private final Access access;

    /**
     * Blocks for a first look at the database: nobody may be let in before it is known who may.
     *
     * @param clientKeys of the environment; may ingest, upload and read
     * @param adminKeys of the environment; may do everything
     */
    public Keys(List<ApiKey> clientKeys, List<ApiKey> adminKeys, Database database, Audit audit) {
        this.keyring =
                new Keyring(new FixedCallers(clientKeys, adminKeys), database.apiKeys(), audit, System::nanoTime);
        this.sessions = new Sessions(keyring, database.keyTokens());
        this.audit = audit;
        this.failures = new Failures(audit, System::nanoTime);
        this.access = new Access(keyring, failures);
    }

    public Access access() {
        return access;
    }

    /**
     * In front of all URLs: refuses keys in URLs, makes known who has a session, and notes for the audit.
     *
     * @param away answers while the database cannot be asked
     */
    public HttpHandler inFrontOf(HttpHandler routes, Reads reads, HttpHandler away) {
        return new Authentication(sessions, access, failures, audit, reads, away, routes);
    }

    /** What takes tickets beside keys and sessions. */
    public HttpHandler readers(HttpHandler stream, Reads reads, HttpHandler away) {
        return new Tickets(sessions, keyring, reads, away, access.readers(stream));
    }

    public Routes.Sessions sessions(Reads reads) {
        return new SessionHandlers(keyring, sessions, access, audit, reads).table();
    }

    /**
     * Looks for changes; blocks.
     *
     * @param changed run if there were any: somebody may not go on
     */
    public void refresh(Runnable changed) {
        boolean keysChanged = keyring.refresh();
        if (sessions.refresh(keysChanged) || keysChanged) {
            changed.run();
        }
    }

    /** Notes what was used and refused; blocks. */
    public void note() {
        failures.tell();
        try {
            keyring.writeUses();
            sessions.deleteExpired();
        } catch (LogUnavailableException away) {
            log.debug("The use of keys is not noted", away);
        }
    }
}
