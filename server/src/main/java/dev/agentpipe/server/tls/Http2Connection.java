package dev.agentpipe.server.tls;

import io.undertow.UndertowOptions;
import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.protocols.http2.AbstractHttp2StreamSourceChannel;
import io.undertow.protocols.http2.Http2Channel;
import io.undertow.protocols.http2.Http2HeadersStreamSinkChannel;
import io.undertow.protocols.http2.Http2RstStreamStreamSourceChannel;
import io.undertow.protocols.http2.Http2Setting;
import io.undertow.protocols.http2.Http2SettingsStreamSourceChannel;
import io.undertow.protocols.http2.Http2StreamSourceChannel;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.framed.FrameHeaderData;
import io.undertow.server.protocol.http2.Http2OpenListener;
import io.undertow.util.AttachmentKey;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.xnio.IoUtils;
import org.xnio.Option;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;

/**
 * An HTTP/2 connection that holds its client to limits which Undertow states or has, but does not enforce:
 *
 * <ul>
 *   <li>Requests under way. Undertow counts streams, and one that was reset counts no longer, although its request is still
 *       worked on: the rapid reset of CVE-2023-44487. Here a request counts until it has been answered.
 *   <li>The table of the header encoder, which Undertow makes as large as the client says. It is searched from end to end.
 *   <li>A connection without any request. Undertow's timer starts after the first one.
 *   <li>Answers that wait for the client's window. Undertow forgets them when their stream is reset: they, and whoever waits
 *       for their end, stayed until the connection is closed. So each is closed with its stream, and as a shell of it stays
 *       in Undertow's queue, a connection with too many of them is given up.
 * </ul>
 *
 * <p>One I/O thread owns it.
 */
final class Http2Connection extends Http2Channel {

    private static final AttachmentKey<Http2Connection> KEY = AttachmentKey.create(Http2Connection.class);

    /** What browsers and libraries assume before they are told. */
    static final int STREAMS_MAX = 100;

    /** More: a client may open a stream before it hears of the limit, or as soon as it has read the end of another. */
    private static final int REQUESTS_MAX = 2 * STREAMS_MAX;

    /** What browsers say, the most of all known clients. */
    private static final long HEADER_TABLE_BYTES_MAX = 64 << 10;

    private static final int ABANDONED_MAX = 32;

    /** For an answer whose client gives no window. */
    private static final int WINDOW_WAIT_MILLIS = 30_000;

    private final Map<Integer, Request> underWay = new HashMap<>();
    private Http2StreamSourceChannel newest;
    private int abandoned;

    private static final class Request {
        private final Http2StreamSourceChannel body;
        private boolean reset;

        Request(Http2StreamSourceChannel body) {
            this.body = body;
        }
    }

    Http2Connection(StreamConnection connection, ByteBufferPool pool, PooledByteBuffer read, OptionMap options) {
        super(connection, Http2OpenListener.HTTP2, pool, read, false, false, options);
        putAttachment(KEY, this);
        int idleMillis = options.get(UndertowOptions.NO_REQUEST_TIMEOUT, -1);
        getIoThread().executeAfter(this::closeUnused, idleMillis, TimeUnit.MILLISECONDS);
    }

    /** Counts requests on their way to this handler, and turns away those that are too many. */
    static HttpHandler limit(HttpHandler next) {
        return exchange -> {
            Http2Connection connection = exchange.getConnection().getAttachment(KEY);
            exchange.setRequestScheme("https"); // whatever the client calls it
            if (connection.begin(exchange)) {
                next.handleRequest(exchange);
            }
        };
    }

    private boolean begin(HttpServerExchange exchange) {
        int streamId = newest.getStreamId();
        if (underWay.size() >= REQUESTS_MAX) {
            exchange.dispatch(getIoThread(), () -> {}); // so that nobody ends it
            super.sendRstStream(streamId, ERROR_REFUSED_STREAM);
            return false;
        }
        underWay.put(streamId, new Request(newest));
        exchange.addExchangeCompleteListener((completed, others) -> {
            getIoThread().execute(() -> underWay.remove(streamId));
            others.proceed();
        });
        return true;
    }

    private void closeUnused() {
        if (newest == null) {
            IoUtils.safeClose(this);
        }
    }

    @Override
    protected AbstractHttp2StreamSourceChannel createChannel(FrameHeaderData header, PooledByteBuffer data)
            throws IOException {
        AbstractHttp2StreamSourceChannel frame;
        try {
            frame = super.createChannel(header, data);
        } catch (NumberFormatException e) { // Undertow would log it as a failure of its own, with all its steps
            throw new IOException("a Content-Length that is no number");
        }
        if (frame instanceof Http2StreamSourceChannel request) {
            newest = request;
        } else if (frame instanceof Http2SettingsStreamSourceChannel settings) {
            settings.getSettings().forEach(this::check);
        } else if (frame instanceof Http2RstStreamStreamSourceChannel reset) {
            abandon(reset.getStreamId());
        }
        return frame;
    }

    private void check(Http2Setting setting) {
        if (setting.getId() == Http2Setting.SETTINGS_HEADER_TABLE_SIZE && setting.getValue() > HEADER_TABLE_BYTES_MAX) {
            sendGoAway(ERROR_ENHANCE_YOUR_CALM);
        }
    }

    @Override
    public void sendRstStream(int streamId, int statusCode) {
        Request request = underWay.get(streamId);
        if (request == null || !request.reset) { // not a second time, nor in answer to the client's
            super.sendRstStream(streamId, statusCode);
            abandon(streamId);
        }
    }

    private void abandon(int streamId) {
        Request request = underWay.get(streamId);
        if (request == null || request.reset) {
            return;
        }
        request.reset = true;
        Http2HeadersStreamSinkChannel answer = request.body.getResponseChannel();
        boolean waited = answer.isReadyForFlush();
        IoUtils.safeClose(answer); // calls its write listener
        if (waited && ++abandoned > ABANDONED_MAX) {
            sendGoAway(ERROR_ENHANCE_YOUR_CALM);
        }
    }

    @Override
    public <T> T getOption(Option<T> option) throws IOException {
        return option == Options.WRITE_TIMEOUT ? option.cast(WINDOW_WAIT_MILLIS) : super.getOption(option);
    }
}
