package dev.agentpipe.server.transfer;

import dev.agentpipe.core.event.EventFileReader;
import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.SessionReader;
import dev.agentpipe.core.event.UploadCheck;
import dev.agentpipe.core.event.UploadLimits;
import dev.agentpipe.core.redact.Redactor;
import dev.agentpipe.server.transfer.Taken.Refusal;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/** Looks at pieces as a server of this version does, and stores nothing. What is stored elsewhere, it does not know. */
final class LocalCheck implements Destination {

    private final EventFileReader events = new EventFileReader(
            EventReader.ofFiles(EventLimits.DEFAULT, Clock.systemUTC(), Redactor.OFF),
            EventLimits.DEFAULT,
            UploadLimits.DEFAULT);
    private final SessionReader sessions = new SessionReader(EventLimits.DEFAULT, UploadLimits.DEFAULT, Redactor.OFF);
    private final Stop stop;

    LocalCheck(Stop stop) {
        this.stop = stop;
    }

    @Override
    public Taken take(Piece piece) throws StoppedException {
        if (stop.isRequested()) {
            throw new StoppedException();
        }
        UploadCheck check;
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(piece.gzip()))) {
            check = piece.isLines() ? events.check(in) : sessions.check(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (check instanceof UploadCheck.Invalid invalid) {
            return Taken.refused(false, refusals(invalid));
        }
        if (check instanceof UploadCheck.TooLarge tooLarge) {
            return Taken.refused(true, List.of(new Refusal(0, "", tooLarge.detail())));
        }
        return Taken.stored(0, 0);
    }

    private static List<Refusal> refusals(UploadCheck.Invalid invalid) {
        Stream<Refusal> listed = invalid.violations().stream()
                .map(one -> new Refusal(one.line() == null ? 0 : one.line(), one.pointer(), one.detail()));
        Stream<Refusal> more =
                invalid.more() == 0 ? Stream.empty() : Stream.of(new Refusal(0, "", "and " + invalid.more() + " more"));
        return Stream.concat(listed, more).toList();
    }
}
