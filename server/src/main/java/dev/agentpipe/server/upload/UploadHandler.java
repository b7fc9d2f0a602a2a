package dev.agentpipe.server.upload;

import dev.agentpipe.core.event.EventFileReader;
import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.Session;
import dev.agentpipe.core.event.SessionReader;
import dev.agentpipe.core.event.UploadCheck;
import dev.agentpipe.core.event.UploadLimits;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.core.log.UploadLog;
import dev.agentpipe.core.log.UploadOutcome;
import dev.agentpipe.core.redact.Redactor;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.BodyDeadline;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestScope;
import dev.agentpipe.server.http.Scope;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * {@code POST /api/sessions/upload}: receives the body into a file, and has a thread of its own check it, from its beginning
 * to its end, and then store it. Thread-safe.
 */
public final class UploadHandler implements HttpHandler, AutoCloseable {

    private static final String EVENT_FILE = "application/x-ndjson";
    private static final String SESSION = "application/json";

    /** The largest upload, over a line of 2 Mbit/s. */
    private static final Duration BODY_MAX = Duration.ofMinutes(5);

    /** Uploads from their first byte to their answer: each has a file open, and 64 KiB of memory until it is there. */
    static final int AT_A_TIME = 128;

    private static final int LARGEST_AT_A_TIME = 4;

    private static final int UNPACK_BYTES = 16 << 10;

    private final Access access;
    private final UploadLog uploads;
    private final LogTail tail;
    private final EventFileReader events;
    private final SessionReader sessions;
    private final Spool spool;
    private final UploadReplies replies;
    private final ExecutorService threads;

    public UploadHandler(
            Access access,
            EventLimits eventLimits,
            UploadLimits limits,
            Redactor redactor,
            UploadLog uploads,
            LogTail tail) {
        this.access = access;
        this.uploads = uploads;
        this.tail = tail;
        EventReader reader = EventReader.ofFiles(eventLimits, Clock.systemUTC(), redactor);
        this.events = new EventFileReader(reader, eventLimits, limits);
        this.sessions = new SessionReader(eventLimits, limits, redactor);
        this.spool = new Spool(limits.bytesMax(), AT_A_TIME, (long) LARGEST_AT_A_TIME * limits.bytesMax());
        this.replies = new UploadReplies(limits);
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                uploads.atATime(),
                uploads.atATime(),
                30,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(AT_A_TIME), // as many as the spool lets in
                task -> new Thread(task, "upload-" + number.incrementAndGet()));
        pool.allowCoreThreadTimeOut(true);
        this.threads = pool;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        if (!access.allows(exchange, Scope.UPLOAD)) {
            return;
        }
        String type = mediaType(exchange);
        boolean isEventFile = type.equals(EVENT_FILE);
        if (!isEventFile && !type.equals(SESSION)) {
            Replies.problem(
                    exchange,
                    Problem.UNSUPPORTED_MEDIA_TYPE,
                    "Send a session as " + SESSION + ", or an event file as " + EVENT_FILE + ".");
            return;
        }
        String encoding = header(exchange, Headers.CONTENT_ENCODING_STRING, "identity");
        boolean isPacked = encoding.equals("gzip") || encoding.equals("x-gzip");
        if (!isPacked && !encoding.equals("identity")) {
            exchange.getResponseHeaders().put(Headers.ACCEPT_ENCODING, "gzip"); // RFC 9110, 12.5.3
            Replies.problem(exchange, Problem.UNSUPPORTED_MEDIA_TYPE, "The one content encoding is gzip.");
            return;
        }
        BodyDeadline.extend(exchange, BODY_MAX);
        spool.receive(exchange, new Spool.Receiver() {
            @Override
            public void received(SpooledBody body) {
                work(exchange, new Upload(body, isEventFile, isPacked));
            }

            @Override
            public void failed(Spool.Failure failure) {
                replies.failed(exchange, failure);
            }
        });
    }

    /** In lower case, without parameters; a body without a type is taken for a session, and reading it will tell. */
    private static String mediaType(HttpServerExchange exchange) {
        String header = header(exchange, Headers.CONTENT_TYPE_STRING, SESSION);
        int semicolon = header.indexOf(';');
        return semicolon < 0 ? header : header.substring(0, semicolon).strip();
    }

    private static String header(HttpServerExchange exchange, String name, String otherwise) {
        String header = exchange.getRequestHeaders().getFirst(name);
        return header == null ? otherwise : header.strip().toLowerCase(Locale.ROOT);
    }

    private record Upload(SpooledBody body, boolean isEventFile, boolean isPacked) {
        InputStream open() throws IOException {
            return isPacked ? new GZIPInputStream(body.read(), UNPACK_BYTES) : body.read();
        }
    }

    private void work(HttpServerExchange exchange, Upload upload) {
        try {
            threads.execute(RequestScope.step(exchange, () -> {
                Runnable reply = reply(exchange, upload);
                exchange.getIoThread().execute(RequestScope.step(exchange, reply));
            }));
        } catch (RejectedExecutionException e) {
            exchange.getIoThread()
                    .execute(RequestScope.step(exchange, () -> Replies.problem(exchange, Problem.SHUTTING_DOWN, null)));
        }
    }

    /** Checks and stores; returns what then answers. */
    private Runnable reply(HttpServerExchange exchange, Upload upload) {
        UploadCheck check;
        try (InputStream in = upload.open()) {
            check = upload.isEventFile ? events.check(in) : sessions.check(in);
        } catch (InterruptedIOException e) {
            return () -> Replies.problem(exchange, Problem.SHUTTING_DOWN, null);
        } catch (ZipException | EOFException e) {
            return () -> replies.notPacked(exchange);
        } catch (IOException e) {
            throw new IllegalStateException("a received upload cannot be read", e);
        }
        if (check instanceof UploadCheck.Invalid invalid) {
            return () -> replies.invalid(exchange, invalid);
        }
        if (check instanceof UploadCheck.TooLarge tooLarge) {
            return () -> replies.tooLarge(exchange, tooLarge.detail());
        }
        return stored(exchange, upload, check);
    }

    private Runnable stored(HttpServerExchange exchange, Upload upload, UploadCheck check) {
        UploadOutcome outcome;
        try {
            outcome = check instanceof UploadCheck.ValidSession valid
                    ? storeSession(upload, valid.session())
                    : storeEvents(upload);
        } catch (LogUnavailableException e) {
            return () ->
                    Replies.problem(exchange, Problem.DATABASE_UNAVAILABLE, "Nothing was stored; send the same again.");
        } catch (InterruptedIOException e) {
            return () -> Replies.problem(exchange, Problem.SHUTTING_DOWN, null);
        } catch (IOException e) {
            throw new IllegalStateException("a received upload cannot be read again", e);
        }
        if (outcome instanceof UploadOutcome.Conflicts conflicts) {
            return () -> replies.conflicts(exchange, conflicts, upload.isEventFile);
        }
        UploadOutcome.Stored stored = (UploadOutcome.Stored) outcome;
        if (stored.head() > 0) {
            tail.hint(stored.head());
        }
        return () -> replies.stored(exchange, stored);
    }

    private UploadOutcome storeEvents(Upload upload) throws IOException {
        return uploads.storeEvents(sink -> {
            try (InputStream in = upload.open()) {
                events.read(in, sink);
            }
        });
    }

    private UploadOutcome storeSession(Upload upload, Session session) throws IOException {
        return uploads.storeSession(session, sink -> {
            try (InputStream in = upload.open()) {
                sessions.readMessages(in, session, sink);
            }
        });
    }

    /** Uploads under way. */
    public int underWay() {
        return spool.bodies();
    }

    /** Drops what waits, and rolls back what is being stored: nothing of it was acknowledged. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
