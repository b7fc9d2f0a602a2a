package dev.agentpipe.server.transfer;

import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.ReadResult.Item.Rejected;
import dev.agentpipe.core.event.Violation;
import dev.agentpipe.server.transfer.Taken.Refusal;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Looks at pieces as a server of this version would, and stores nothing. */
final class LocalCheck implements Destination {

    private final EventReader reader = new EventReader(EventLimits.DEFAULT, Clock.systemUTC());
    private final Stop stop;

    LocalCheck(Stop stop) {
        this.stop = stop;
    }

    @Override
    public Taken take(Piece piece) throws StoppedException {
        if (stop.isRequested()) {
            throw new StoppedException();
        }
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(piece.gzip()))) {
            List<Refusal> refusals = piece.isLines() ? lines(new LineReader(in)) : session(in.readAllBytes());
            return refusals.isEmpty() ? Taken.stored(0, 0) : Taken.refused(false, refusals);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (UnusableFileException e) {
            throw new IllegalStateException("lines that were read once cannot be too long", e);
        }
    }

    private List<Refusal> lines(LineReader lines) throws IOException, UnusableFileException {
        List<Refusal> refusals = new ArrayList<>();
        for (byte[] line = lines.next(); line != null; line = lines.next()) {
            boolean isBlank = new String(line, java.nio.charset.StandardCharsets.ISO_8859_1).isBlank();
            if (!isBlank && reader.readLine(0, line, 0, line.length) instanceof Rejected rejected) {
                for (Violation violation : rejected.violations()) {
                    refusals.add(new Refusal(lines.number(), violation.pointer(), violation.detail()));
                }
            }
        }
        return refusals;
    }

    private static List<Refusal> session(byte[] body) {
        return List.of();
    }
}
