package dev.agentpipe.server.check;

import dev.agentpipe.server.sse.SseEvent;
import dev.agentpipe.server.sse.SseSubscriber;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * A running deployment as its users reach it, by GET alone. It is also looked at where its certificate is not trusted, which
 * is told; then, and where the way is not encrypted, no key is sent. One thread at a time.
 */
final class Deployment {

    private static final Duration CONNECT_MAX = Duration.ofSeconds(3);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(5);
    private static final int HTTPS_PORT = 443;

    /** What a stream has shown. @param first null if there was no event in time, or another answer than a stream */
    record StreamSeen(int status, HttpHeaders headers, SseEvent first, Duration firstAfter) {}

    /** @param untrusted why a client would refuse it; empty if it would not */
    record Presented(X509Certificate certificate, String untrusted) {}

    record Answer(int status, HttpHeaders headers, String body, Instant at) {
        String header(String name) {
            return headers.firstValue(name).orElse("");
        }
    }

    private final URI base;
    private final Optional<String> key;
    private final HttpClient client;
    private final Optional<Presented> presented;
    private Answer health;

    private Deployment(URI base, Optional<String> key, Optional<Presented> presented) throws GeneralSecurityException {
        this.base = base;
        this.key = key;
        this.presented = presented;
        HttpClient.Builder builder =
                HttpClient.newBuilder().connectTimeout(CONNECT_MAX).followRedirects(HttpClient.Redirect.NEVER);
        this.client = builder.sslContext(context(new TrustAll())).build();
    }

    static Deployment open(Subject subject) throws IOException, GeneralSecurityException, InterruptedException {
        try {
            return connect(subject);
        } catch (ConnectException refused) {
            throw new IOException("nothing listens at " + subject.url(), refused);
        }
    }

    private static Deployment connect(Subject subject)
            throws IOException, GeneralSecurityException, InterruptedException {
        Optional<Presented> presented =
                isEncrypted(subject.url()) ? Optional.of(present(subject.url())) : Optional.empty();
        Deployment deployment = new Deployment(subject.url(), subject.key(), presented);
        deployment.health = deployment.get("/api/health");
        return deployment;
    }

    private static boolean isEncrypted(URI url) {
        return url.getScheme().toLowerCase(Locale.ROOT).equals("https");
    }

    URI base() {
        return base;
    }

    boolean isEncrypted() {
        return isEncrypted(base);
    }

    /** What {@code /api/health} has said at the beginning. */
    Answer health() {
        return health;
    }

    /** Empty without TLS. */
    Optional<Presented> presented() {
        return presented;
    }

    boolean isOnThisMachine() {
        InetAddress address = new InetSocketAddress(base.getHost(), 1).getAddress();
        return address != null && address.isLoopbackAddress();
    }

    /** A key, if it would go to the right one alone. */
    Optional<String> sendableKey() {
        boolean safe = presented.map(one -> one.untrusted.isEmpty()).orElse(isOnThisMachine());
        return safe ? key : Optional.empty();
    }

    Answer get(String path, String... headers) throws IOException, InterruptedException {
        return get(URI.create(base + path), headers);
    }

    Answer get(URI url, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(url).timeout(ANSWER_MAX);
        if (headers.length > 0) {
            request.headers(headers);
        }
        HttpResponse<String> answer = client.send(
                request.build(),
                info -> BodySubscribers.mapping(
                        BodyHandlers.ofByteArray().apply(info),
                        bytes -> new String(bytes, 0, Math.min(bytes.length, 1 << 20), StandardCharsets.UTF_8)));
        return new Answer(answer.statusCode(), answer.headers(), answer.body(), Instant.now());
    }

    /** Opens one, waits for its first event, and cuts it. With a key where reading takes one. */
    StreamSeen stream() throws IOException, InterruptedException {
        StreamSeen open = stream(Optional.empty());
        return open.status == 401 && sendableKey().isPresent() ? stream(sendableKey()) : open;
    }

    private StreamSeen stream(Optional<String> bearer) throws IOException, InterruptedException {
        BlockingQueue<Optional<SseEvent>> events = new LinkedBlockingQueue<>();
        SseSubscriber body =
                new SseSubscriber(event -> events.add(Optional.of(event)), why -> events.add(Optional.empty()));
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + "/api/realtime/stream"))
                .timeout(ANSWER_MAX)
                .header("Accept", "text/event-stream")
                .header("Accept-Encoding", "gzip, br, zstd"); // as browsers do
        bearer.ifPresent(value -> request.header("Authorization", "Bearer " + value));
        long start = System.nanoTime();
        try (body) {
            HttpResponse<Void> answer = client.send(request.build(), info -> body);
            boolean plain = answer.statusCode() == 200
                    && answer.headers().firstValue("Content-Encoding").isEmpty();
            Optional<SseEvent> first = plain
                    ? events.poll(ANSWER_MAX.toNanos() - (System.nanoTime() - start), TimeUnit.NANOSECONDS)
                    : Optional.empty();
            return new StreamSeen(
                    answer.statusCode(),
                    answer.headers(),
                    first == null ? null : first.orElse(null),
                    Duration.ofNanos(System.nanoTime() - start));
        }
    }

    private static Presented present(URI url) throws IOException, GeneralSecurityException {
        String untrusted = "";
        try (SSLSocket strict = handshake(url, context(null), true)) {
            return new Presented(own(strict), "");
        } catch (SSLException refused) {
            untrusted = String.valueOf(refused.getMessage()).lines().findFirst().orElse("");
        }
        try (SSLSocket lenient = handshake(url, context(new TrustAll()), false)) {
            return new Presented(own(lenient), untrusted);
        }
    }

    private static X509Certificate own(SSLSocket socket) throws IOException {
        return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }

    private static SSLSocket handshake(URI url, SSLContext context, boolean checksName) throws IOException {
        int port = url.getPort() < 0 ? HTTPS_PORT : url.getPort();
        Socket plain = new Socket();
        try {
            plain.connect(new InetSocketAddress(url.getHost().replaceAll("[\\[\\]]", ""), port), (int)
                    CONNECT_MAX.toMillis());
            plain.setSoTimeout((int) ANSWER_MAX.toMillis());
            SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, url.getHost(), port, true);
            if (checksName) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                socket.setSSLParameters(parameters);
            }
            socket.startHandshake();
            return socket;
        } catch (IOException failed) {
            plain.close();
            throw failed;
        }
    }

    /** @param trust null: whom this Java trusts */
    private static SSLContext context(TrustManager trust) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        if (trust == null) {
            TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trusted.init((KeyStore) null);
            context.init(null, trusted.getTrustManagers(), null);
        } else {
            context.init(null, new TrustManager[] {trust}, null);
        }
        return context;
    }

    /** Looks at what nobody vouches for, to tell what it is. */
    private static final class TrustAll extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
