package dev.agentpipe.server.transfer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What one log has acknowledged, by digests of the content, in a file of a line each, so that the next run need not send it
 * again. It belongs to the log's epoch: another database, or one restored from a backup, has another, and gets everything.
 * Losing the file costs time only, since the server knows what it has. One thread at a time.
 */
public final class DoneList implements AutoCloseable {

    private static final int DIGEST_BYTES = 16;
    private static final String LINE = "[0-9a-f]{" + 2 * DIGEST_BYTES + "}";

    private final Set<String> done = new HashSet<>();
    private Writer file;

    private DoneList() {}

    /** One that knows nothing, and forgets everything at its end. */
    public static DoneList forgetful() {
        return new DoneList();
    }

    /**
     * That of the server's log. If the server does not tell its log's epoch, or the file cannot be used, it is a forgetful
     * one: then everything is sent, which is slower and right.
     *
     * @param onTrouble is told why
     */
    public static DoneList of(TransferClient client, Path folder, Consumer<String> onTrouble)
            throws GaveUpException, InterruptedException, StoppedException {
        Optional<String> epoch = client.epoch();
        try {
            return epoch.isPresent() ? open(folder, epoch.get()) : forgetful();
        } catch (IOException e) {
            onTrouble.accept("What was sent cannot be remembered in " + folder + ": " + e);
            return forgetful();
        }
    }

    static DoneList open(Path folder, String epoch) throws IOException {
        DoneList list = new DoneList();
        Files.createDirectories(folder);
        Path path = folder.resolve(
                "done-" + digest(epoch.getBytes(StandardCharsets.UTF_8)).substring(0, 16) + ".txt");
        boolean endsTorn = false;
        if (Files.exists(path)) {
            try (BufferedReader reader = Files.newBufferedReader(path)) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    endsTorn = !line.matches(LINE);
                    if (!endsTorn) {
                        list.done.add(line);
                    }
                }
            }
        }
        list.file = Files.newBufferedWriter(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        if (endsTorn) {
            list.file.write("\n");
        }
        return list;
    }

    boolean contains(String digest) {
        return done.contains(digest);
    }

    void add(String digest) throws IOException {
        if (done.add(digest) && file != null) {
            file.write(digest + "\n");
            file.flush();
        }
    }

    /** 128 bits of SHA-256: nobody gains by two contents that look alike but whoever made both. */
    static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    static String text(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest(), 0, DIGEST_BYTES);
    }

    static String digest(byte[] bytes) {
        MessageDigest digest = newDigest();
        digest.update(bytes);
        return text(digest);
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
