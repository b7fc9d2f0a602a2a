package dev.agentpipe.server.tls;

import dev.agentpipe.server.SettingsBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** Certificates of a CA for tests, and clients that trust it; see {@code resources/tls}. */
public final class TestTls {

    private static final Path FILES = Path.of("src/test/resources/tls");
    private static final int PATIENCE_MILLIS = 20_000;

    private TestTls() {}

    public static Path file(String name) {
        return FILES.resolve(name);
    }

    public static UnaryOperator<SettingsBuilder> on() {
        return settings -> settings.tls(file("first.crt"), file("first.key"), OptionalInt.empty());
    }

    /** Another one each time, so that no session is resumed. */
    public static SSLContext trusting() {
        try (InputStream in = Files.newInputStream(file("ca.crt"))) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setCertificateEntry(
                    "ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    public static HttpClient client(HttpClient.Version version) {
        return HttpClient.newBuilder()
                .sslContext(trusting())
                .version(version)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(Duration.ofMillis(PATIENCE_MILLIS))
                .build();
    }

    /** Not connected yet. */
    public static SSLSocket socket() throws IOException {
        return (SSLSocket) trusting().getSocketFactory().createSocket();
    }

    public static SSLSocket connect(int port) throws IOException {
        SSLSocket socket = socket();
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.connect(new InetSocketAddress("127.0.0.1", port), PATIENCE_MILLIS);
        return socket;
    }
}
