package dev.agentpipe.server.tls;

import io.undertow.UndertowOptions;
import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.undertow.server.DelegateOpenListener;
import io.undertow.server.HttpHandler;
import io.undertow.server.protocol.http.HttpOpenListener;
import io.undertow.server.protocol.http2.Http2OpenListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.xnio.ChannelListener;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Sequence;
import org.xnio.Xnio;
import org.xnio.XnioExecutor;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;
import org.xnio.channels.ConnectedChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.ssl.SslConnection;

/**
 * A port that speaks TLS 1.2 and 1.3, and within it HTTP/2 or HTTP/1.1 as the client wishes (ALPN).
 *
 * <p>Put together from Undertow's parts, since its builder has no place for a limit on how long a handshake may take, nor for
 * {@link Http2Connection}. Signatures are computed by threads of their own: when thousands come back at once, the I/O
 * threads go on with those who are there.
 *
 * <p>Thread-safe.
 */
public final class TlsListener implements AutoCloseable {

    private static final Sequence<String> PROTOCOLS = Sequence.of("TLSv1.3", "TLSv1.2");

    private static final int HANDSHAKE_THREADS =
            Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

    /** Handshakes that wait; one more is cut off, and its client comes back. As many as may wait to be accepted. */
    private static final int HANDSHAKES_WAITING_MAX = 4_096;

    /** Without effect once this Java has made a context; renegotiation is of no use, and costs more than it costs the client. */
    private static final String NO_RENEGOTIATION = "jdk.tls.rejectClientInitiatedRenegotiation";

    private final ThreadPoolExecutor handshakes;
    private final Http2Listener http2;
    private final HttpOpenListener http1;
    private final ByteBufferPool pool;
    private final AcceptingChannel<SslConnection> accepting;
    private final Predicate<ConnectedChannel> connections;
    private final Duration handshakeMax;

    /**
     * @param options of connections and of HTTP, as Undertow has them
     * @param connections whether a new one may stay
     * @param handshakeMax from the first byte to the choice of a protocol
     */
    public TlsListener(
            InetSocketAddress address,
            XnioWorker worker,
            ByteBufferPool pool,
            OptionMap options,
            Predicate<ConnectedChannel> connections,
            Certificates certificates,
            Duration handshakeMax,
            HttpHandler handler)
            throws IOException {
        System.setProperty(NO_RENEGOTIATION, System.getProperty(NO_RENEGOTIATION, "true"));
        this.connections = connections;
        this.handshakeMax = handshakeMax;
        this.pool = pool;
        AtomicInteger number = new AtomicInteger();
        handshakes = new ThreadPoolExecutor(
                HANDSHAKE_THREADS,
                HANDSHAKE_THREADS,
                30,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(HANDSHAKES_WAITING_MAX),
                task -> new Thread(task, "tls-" + number.incrementAndGet()));
        handshakes.allowCoreThreadTimeOut(true);

        OptionMap http = OptionMap.builder()
                .set(UndertowOptions.BUFFER_PIPELINED_DATA, true)
                .set(UndertowOptions.HTTP2_SETTINGS_ENABLE_PUSH, false)
                .set(UndertowOptions.HTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, Http2Connection.STREAMS_MAX)
                .addAll(options)
                .getMap();
        http2 = new Http2Listener(pool, http);
        http2.setRootHandler(handler);
        http1 = new HttpOpenListener(pool, http);
        http1.setRootHandler(handler);

        UndertowXnioSsl ssl = new UndertowXnioSsl(
                Xnio.getInstance(),
                OptionMap.create(Options.USE_DIRECT_BUFFERS, true),
                certificates.context(),
                handshakes);
        certificates.onChange(ssl::updateSSLContext);
        OptionMap tls = OptionMap.builder()
                .addAll(options)
                .set(Options.SSL_ENABLED_PROTOCOLS, PROTOCOLS)
                .set(Options.SSL_ENABLED_CIPHER_SUITES, Sequence.of(cipherSuites(certificates)))
                .set(UndertowOptions.SSL_USER_CIPHER_SUITES_ORDER, true)
                .getMap();
        ChannelListener<AcceptingChannel<SslConnection>> acceptor = ChannelListeners.openListenerAdapter(this::open);
        try {
            accepting = ssl.createSslConnectionServer(worker, address, acceptor, tls);
        } catch (IOException | RuntimeException e) {
            handshakes.shutdownNow();
            throw e;
        }
        accepting.resumeAccepts();
    }

    /** Those of this Java's defaults that keep what was recorded secret when the key is lost, and that HTTP/2 allows. */
    static String[] cipherSuites(Certificates certificates) {
        return Arrays.stream(certificates.context().getDefaultSSLParameters().getCipherSuites())
                .filter(suite -> suite.contains("_GCM_") || suite.contains("_CHACHA20_"))
                .filter(suite -> suite.startsWith("TLS_ECDHE_") || !suite.contains("_WITH_"))
                .toArray(String[]::new);
    }

    private void open(SslConnection connection) {
        if (!connections.test(connection)) {
            IoUtils.safeClose(connection);
            return;
        }
        XnioExecutor.Key timer = connection
                .getIoThread()
                .executeAfter(() -> IoUtils.safeClose(connection), handshakeMax.toMillis(), TimeUnit.MILLISECONDS);
        connection.getHandshakeSetter().set(done -> timer.remove());
        SSLEngine engine = UndertowXnioSsl.getSslConduit(connection).getSSLEngine();
        SSLParameters offered = engine.getSSLParameters();
        offered.setApplicationProtocols(new String[] {Http2OpenListener.HTTP2, "http/1.1"});
        engine.setSSLParameters(offered);
        ChannelListener<ConduitStreamSourceChannel> reader = source -> handOver(connection, engine, source);
        connection.getSourceChannel().setReadListener(reader);
        reader.handleEvent(connection.getSourceChannel());
    }

    /**
     * Reads, which is what moves the handshake on, until a protocol is chosen. Undertow's AlpnOpenListener would do this, but
     * it gives HTTP/1.1 to clients that speak nothing older than TLS 1.3: it does not know their cipher suites.
     */
    private void handOver(SslConnection connection, SSLEngine engine, ConduitStreamSourceChannel source) {
        PooledByteBuffer buffer = pool.allocate();
        boolean handedOver = false;
        try {
            if (source.read(buffer.getBuffer()) == -1) {
                IoUtils.safeClose(connection);
                return;
            }
            String chosen = engine.getApplicationProtocol(); // "" for a client without ALPN
            if (chosen == null) {
                source.resumeReads();
                return;
            }
            buffer.getBuffer().flip();
            source.getReadSetter().set(null);
            DelegateOpenListener protocol = chosen.equals(Http2OpenListener.HTTP2) ? http2 : http1;
            protocol.handleEvent(connection, buffer);
            handedOver = true;
        } catch (IOException e) { // of a handshake that failed, or a client that left
            IoUtils.safeClose(connection);
        } finally {
            if (!handedOver) {
                buffer.close();
            }
        }
    }

    public InetSocketAddress address() {
        return accepting.getLocalAddress(InetSocketAddress.class);
    }

    /** Takes no more connections, and tells the clients of those over HTTP/2. */
    @Override
    public void close() {
        IoUtils.safeClose(accepting);
        http2.goAway();
        handshakes.shutdown();
    }
}
