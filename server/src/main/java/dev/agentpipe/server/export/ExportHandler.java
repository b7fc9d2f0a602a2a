package dev.agentpipe.server.export;

import dev.agentpipe.db.export.Transcript;
import dev.agentpipe.db.export.Transcripts;
import dev.agentpipe.server.export.Export.Piece;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.QueryParameters;
import dev.agentpipe.server.http.ReadRequest;
import dev.agentpipe.server.http.Reads;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.Scope;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * {@code GET /api/conversations/{id}/export}: begins an export; {@link Download} goes on with it. The first piece is read before
 * the answer begins, so that whatever is wrong has a status.
 */
public final class ExportHandler implements HttpHandler {

    /** Exports under way at once: some 30 MB, if all are of long conversations. */
    static final int EXPORTS_MAX = 16;

    private final Transcripts transcripts;
    private final Reads reads;
    private final Access access;
    private final Duration stallMax;
    private final Semaphore exports = new Semaphore(EXPORTS_MAX);

    public ExportHandler(Transcripts transcripts, Reads reads, Access access) {
        this(transcripts, reads, access, Download.STALL_MAX);
    }

    ExportHandler(Transcripts transcripts, Reads reads, Access access, Duration stallMax) {
        this.transcripts = transcripts;
        this.reads = reads;
        this.access = access;
        this.stallMax = stallMax;
    }

    /** Exports under way. */
    int underWay() {
        return EXPORTS_MAX - exports.availablePermits();
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        if (access.allows(exchange, Scope.READ)) {
            reads.answer(exchange, () -> begin(exchange));
        }
    }

    private Runnable begin(HttpServerExchange exchange) {
        String id = ReadRequest.path(exchange, "id");
        QueryParameters parameters = QueryParameters.of(exchange);
        Format format = parameters.choice("format", Format.BY_NAME, Format.JSON);
        parameters.check();
        if (!exports.tryAcquire()) {
            return () -> Replies.problem(exchange, Problem.TOO_MANY_EXPORTS, null);
        }
        boolean goesOn = false;
        try {
            Optional<Transcript> found = transcripts.open(id);
            if (found.isEmpty()) {
                return () -> Replies.problem(exchange, Problem.NOT_FOUND, "There is no conversation with this id.");
            }
            Transcript transcript = found.get();
            if (exchange.getRequestMethod().equals(Methods.HEAD)) {
                return () -> head(exchange, transcript, format);
            }
            Export export = new Export(transcripts, transcript, format);
            Piece first = export.next();
            goesOn = true;
            return () -> send(exchange, transcript, format, export, first);
        } catch (Export.GoneException e) {
            return () -> Replies.problem(exchange, Problem.NOT_FOUND, "The conversation was just deleted.");
        } finally {
            if (!goesOn) {
                exports.release();
            }
        }
    }

    private void send(HttpServerExchange exchange, Transcript transcript, Format format, Export export, Piece first) {
        if (isKnown(exchange, transcript, format)) {
            exports.release();
            return;
        }
        setHeaders(exchange, transcript, format);
        new Download(exchange, export, reads, stallMax, exports::release).send(first);
    }

    private static void head(HttpServerExchange exchange, Transcript transcript, Format format) {
        if (!isKnown(exchange, transcript, format)) {
            setHeaders(exchange, transcript, format);
            if (exchange.isHttp11()) { // as in the answer to a GET, and rather than a length of 0
                exchange.getResponseHeaders().put(Headers.TRANSFER_ENCODING, Headers.CHUNKED.toString());
            } else if (!exchange.isHttp10()) {
                exchange.getResponseChannel(); // makes the head of HTTP/2, which needs neither
            }
            exchange.endExchange();
        }
    }

    private static boolean isKnown(HttpServerExchange exchange, Transcript transcript, Format format) {
        return Replies.notModified(
                exchange, transcript.version() + "-" + format.name().toLowerCase(Locale.ROOT));
    }

    private static void setHeaders(HttpServerExchange exchange, Transcript transcript, Format format) {
        HeaderMap headers = exchange.getResponseHeaders();
        headers.put(Headers.CONTENT_TYPE, format.contentType());
        headers.put(
                Headers.CONTENT_DISPOSITION,
                FileName.disposition(
                        transcript.id(),
                        transcript
                                .conversation()
                                .startedAt()
                                .atOffset(ZoneOffset.UTC)
                                .toLocalDate(),
                        format.extension()));
    }
}
