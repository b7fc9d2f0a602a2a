package dev.agentpipe.server.tls;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's certificate and key, as they stand in two files. {@link #reload} looks whether these have changed; a pair that
 * cannot be used, or that was only half written, is told once and kept out, and connections go on with the one before.
 *
 * <p>The content is compared, not the time of change: that tells nothing when a file is replaced within the same tick, or by
 * an older one. A new pair makes a new context, so that no session begun with the old one is resumed under the new.
 *
 * <p>Thread-safe.
 */
public final class Certificates {

    public static final Duration RELOAD = Duration.ofSeconds(2);

    private static final Duration EXPIRES_SOON = Duration.ofDays(14);
    private static final Duration SESSION = Duration.ofHours(1);

    /** Of TLS 1.2 without tickets; a session takes some kilobytes. */
    private static final int SESSIONS_MAX = 4_096;

    private static final Set<PosixFilePermission> OF_OTHERS =
            Set.of(PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE, PosixFilePermission.GROUP_WRITE);

    private static final Logger log = LoggerFactory.getLogger(Certificates.class);

    private final Path certFile;
    private final Path keyFile;
    private final Clock clock;
    private final List<Consumer<SSLContext>> listeners = new CopyOnWriteArrayList<>();
    private volatile Loaded loaded;

    // Of the one thread that reloads.
    private byte[] seenCert;
    private byte[] seenKey;
    private String problem;
    private Instant toldExpiry = Instant.MIN;

    private record Loaded(Credentials credentials, SSLContext context) {}

    /** @throws UnusableCertificateException if there is nothing to begin with */
    public Certificates(Path certFile, Path keyFile, Clock clock) throws UnusableCertificateException {
        this.certFile = certFile;
        this.keyFile = keyFile;
        this.clock = clock;
        seenCert = Credentials.bytes(certFile);
        seenKey = Credentials.bytes(keyFile);
        take(Credentials.read(certFile, seenCert, keyFile, seenKey));
    }

    SSLContext context() {
        return loaded.context;
    }

    /** @param listener told of each later context, on the thread that reloads */
    void onChange(Consumer<SSLContext> listener) {
        listeners.add(listener);
    }

    /** When the first certificate of the chain in use ends. */
    public Instant expiry() {
        return loaded.credentials.expiry();
    }

    public boolean isExpired() {
        return !clock.instant().isBefore(expiry());
    }

    /** Takes what has changed; blocks. One thread at a time. */
    public void reload() {
        try {
            byte[] cert = Credentials.bytes(certFile);
            byte[] key = Credentials.bytes(keyFile);
            if (!Arrays.equals(cert, seenCert) || !Arrays.equals(key, seenKey) || problem != null) {
                seenCert = cert;
                seenKey = key;
                Credentials credentials = Credentials.read(certFile, cert, keyFile, key);
                problem = null;
                if (!credentials.chain().equals(loaded.credentials.chain())) { // then it is the same key, too
                    take(credentials);
                    listeners.forEach(listener -> listener.accept(loaded.context));
                }
            }
        } catch (UnusableCertificateException e) {
            if (!e.getMessage().equals(problem)) {
                problem = e.getMessage();
                log.error("The certificate is not changed: {}. The one before stays in use", problem);
            }
        }
        warnOfExpiry();
    }

    private void take(Credentials credentials) {
        loaded = new Loaded(credentials, context(credentials));
        X509Certificate own = credentials.own();
        log.info(
                "TLS with the certificate of {} from {}, valid until {}",
                own.getSubjectX500Principal().getName(),
                certFile,
                credentials.expiry());
        if (!credentials.isInOrder()) {
            log.warn("{}: not every certificate is issued by the next; some clients will not trust it", certFile);
        }
        if (own.getNotBefore().toInstant().isAfter(clock.instant())) {
            log.warn(
                    "{}: the certificate is valid only from {}",
                    certFile,
                    own.getNotBefore().toInstant());
        }
        if (isOpenToOthers(keyFile)) {
            log.warn("{}: other users can read or change the private key; chmod 600 it", keyFile);
        }
        warnOfExpiry();
    }

    /** Once a day, from two weeks before. */
    private void warnOfExpiry() {
        Instant now = clock.instant();
        Instant expiry = expiry();
        if (now.plus(EXPIRES_SOON).isBefore(expiry) || now.isBefore(toldExpiry.plus(Duration.ofDays(1)))) {
            return;
        }
        toldExpiry = now;
        if (now.isBefore(expiry)) {
            log.warn("{}: the certificate expires at {}", certFile, expiry);
        } else {
            log.error("{}: the certificate has expired at {}; clients refuse it", certFile, expiry);
        }
    }

    private static SSLContext context(Credentials credentials) {
        try {
            char[] none = {};
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, none);
            store.setKeyEntry(
                    "server", credentials.key(), none, credentials.chain().toArray(X509Certificate[]::new));
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, none);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), null, null);
            context.getServerSessionContext().setSessionTimeout(Math.toIntExact(SESSION.toSeconds()));
            context.getServerSessionContext().setSessionCacheSize(SESSIONS_MAX);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("this Java cannot serve TLS with the certificate", e);
        }
    }

    private static boolean isOpenToOthers(Path file) {
        try {
            return Files.getPosixFilePermissions(file).stream().anyMatch(OF_OTHERS::contains);
        } catch (IOException | UnsupportedOperationException e) {
            return false; // no such permissions there
        }
    }
}
