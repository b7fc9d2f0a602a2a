package dev.agentpipe.server.transfer;

import dev.agentpipe.server.transfer.FileOutcome.Status;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * Sends files to the server, one after the other. A file goes in one request, which stores all of it or nothing, unless it is
 * larger than what a server takes in one. The server judges what is in it, so that a newer one takes what this program
 * does not know. One thread.
 */
public final class Upload {

    /** The server's limits; a little less of the bytes. */
    static final int PIECE_LINES_MAX = 10_000;

    static final long PIECE_BYTES_MAX = 60L << 20;

    /** Text is a fifth of its size when compressed. What hardly gets smaller goes in more pieces, so that memory is bounded. */
    private static final int PIECE_COMPRESSED_BYTES_MAX = 24 << 20;

    private static final int SHOWN_PROBLEMS_MAX = 100;

    private final Destination destination;
    private final DoneList done;
    private final UploadListener listener;

    private Upload(Destination destination, DoneList done, UploadListener listener) {
        this.destination = destination;
        this.done = done;
        this.listener = listener;
    }

    /** To a server, leaving out what it has acknowledged before. */
    public static Upload to(TransferClient client, DoneList done, UploadListener listener) {
        return new Upload(client, done, listener);
    }

    /** To nowhere: what is sent is only looked at, as a server of this version would. */
    public static Upload dryRun(UploadListener listener, Stop stop) {
        return new Upload(new LocalCheck(stop), DoneList.forgetful(), listener);
    }

    /** Returns when everything was tried, or when the person stopped it. */
    public void run(SourceFiles sources) throws GaveUpException, InterruptedException {
        sources.problems().forEach((file, problem) -> listener.done(FileOutcome.failed(file, problem)));
        int number = 0;
        for (SourceFile file : sources.files()) {
            listener.begin(++number, sources.files().size(), file.toString());
            try {
                listener.done(new OneFile(file).send());
            } catch (StoppedException stopped) {
                return;
            }
        }
    }

    /** A file under way, and what is known of it so far. */
    private final class OneFile {

        private final SourceFile file;
        private final List<String> problems = new ArrayList<>();
        private long problemsCount;
        private long lines;
        private long added;
        private long duplicates;
        private String note = "";

        OneFile(SourceFile file) {
            this.file = file;
        }

        FileOutcome send() throws GaveUpException, StoppedException, InterruptedException {
            try (InputStream in = file.open()) {
                return switch (FileShape.of(in)) {
                    case EMPTY -> outcome(Status.EMPTY);
                    case EVENTS -> sendLines(in);
                    case SESSION -> sendSession(in);
                    case OTHER -> sendOther(in);
                };
            } catch (IOException failed) {
                add("cannot be read: " + failed.getClass().getSimpleName() + " (" + failed.getMessage() + ")");
            } catch (UnusableFileException unusable) {
                add(unusable.getMessage());
            }
            return outcome(Status.FAILED);
        }

        /** What says by its name that it is of lines is sent as it is, so that the server tells what is wrong with it. */
        private FileOutcome sendOther(InputStream in)
                throws IOException, UnusableFileException, GaveUpException, StoppedException, InterruptedException {
            if (file.isOfLines()) {
                return sendLines(in);
            }
            if (file.isNamed()) {
                throw new UnusableFileException("neither events, one a line, nor a session");
            }
            return outcome(Status.SKIPPED);
        }

        private FileOutcome sendLines(InputStream in)
                throws IOException, UnusableFileException, GaveUpException, StoppedException, InterruptedException {
            if (!file.isStandardInput() && done.contains(digestOfLines())) {
                return outcome(Status.UNCHANGED);
            }
            MessageDigest digest = DoneList.newDigest();
            EventLines events = new EventLines(in);
            Piece.Builder piece = new Piece.Builder(true, 1);
            for (byte[] line = events.next(); line != null; line = events.next()) {
                if (isFull(piece, line.length)) {
                    send(piece.build());
                    piece = new Piece.Builder(true, events.number());
                }
                piece.add(line);
                digest.update(line);
            }
            if (events.leftOut() > 0) {
                note = "line " + events.leftOut() + " is incomplete and was left out: is the file still being written?";
            }
            if (piece.lines() == 0) {
                return outcome(Status.EMPTY);
            }
            send(piece.build());
            return sent(DoneList.text(digest));
        }

        private String digestOfLines() throws IOException, UnusableFileException {
            MessageDigest digest = DoneList.newDigest();
            try (InputStream in = file.open()) {
                EventLines events = new EventLines(in);
                for (byte[] line = events.next(); line != null; line = events.next()) {
                    digest.update(line);
                }
            }
            return DoneList.text(digest);
        }

        private FileOutcome sendSession(InputStream in)
                throws IOException, UnusableFileException, GaveUpException, StoppedException, InterruptedException {
            MessageDigest digest = DoneList.newDigest();
            Piece.Builder piece = new Piece.Builder(false, 1);
            byte[] buffer = new byte[1 << 16];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                if (piece.bytes() + read > PIECE_BYTES_MAX) {
                    throw new UnusableFileException("a session of more than " + (PIECE_BYTES_MAX >> 20)
                            + " MiB, which cannot be split: make it several, with the same conversation.id");
                }
                piece.add(buffer, read);
                digest.update(buffer, 0, read);
            }
            String text = DoneList.text(digest);
            if (done.contains(text)) {
                return outcome(Status.UNCHANGED);
            }
            send(piece.build());
            return sent(text);
        }

        private FileOutcome sent(String digest) throws IOException {
            if (problemsCount > 0) {
                return outcome(Status.FAILED);
            }
            done.add(digest);
            return outcome(Status.DONE);
        }

        private void send(Piece piece) throws GaveUpException, StoppedException, InterruptedException {
            listener.sending(piece.lineFrom(), piece.lines(), piece.gzip().length);
            Taken taken = destination.take(piece);
            if (taken.isStored()) {
                lines += piece.lines();
                added += taken.added();
                duplicates += taken.duplicates();
            } else if (taken.isTooLarge() && piece.lines() > 1) {
                for (Piece half : piece.halves()) {
                    send(half);
                }
            } else {
                for (Taken.Refusal refusal : taken.refusals()) {
                    String line = refusal.line() == 0 ? "" : "line " + (piece.lineFrom() + refusal.line() - 1);
                    String place = (line + " " + refusal.pointer()).strip();
                    add(place.isEmpty() ? refusal.detail() : place + ": " + refusal.detail());
                }
            }
        }

        private void add(String problem) {
            if (++problemsCount <= SHOWN_PROBLEMS_MAX) {
                problems.add(problem);
            }
        }

        private FileOutcome outcome(Status status) {
            if (problemsCount > SHOWN_PROBLEMS_MAX) {
                problems.add("and " + (problemsCount - SHOWN_PROBLEMS_MAX) + " more");
            }
            return new FileOutcome(file.toString(), status, lines, added, duplicates, problems, note);
        }
    }

    private static boolean isFull(Piece.Builder piece, int lineBytes) {
        return piece.lines() == PIECE_LINES_MAX
                || piece.lines() > 0 && piece.bytes() + lineBytes > PIECE_BYTES_MAX
                || piece.compressedBytes() > PIECE_COMPRESSED_BYTES_MAX;
    }
}
