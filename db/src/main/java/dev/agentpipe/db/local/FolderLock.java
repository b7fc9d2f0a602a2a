package dev.agentpipe.db.local;

import dev.agentpipe.db.postgres.DatabaseStartException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;

/**
 * Keeps a second server off a folder for as long as this process holds the lock; the operating system releases it when
 * the process ends, in whatever way.
 *
 * <p>The set guards against a second try in this very process: closing its channel would, on POSIX, release the first
 * one's lock.
 */
final class FolderLock implements AutoCloseable {

    private static final Set<Path> HELD_HERE = new HashSet<>(); // guarded by itself

    private final Path folder;
    private final FileChannel channel;

    private FolderLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /**
     * @param folder an existing one
     * @throws DatabaseStartException if somebody else has it
     */
    static FolderLock take(Path folder) throws IOException {
        Path real = folder.toRealPath();
        synchronized (HELD_HERE) {
            if (!HELD_HERE.add(real)) {
                throw inUse(real, "this one");
            }
        }
        try {
            return new FolderLock(real, lock(real));
        } catch (IOException | RuntimeException failed) {
            forget(real);
            throw failed;
        }
    }

    private static FileChannel lock(Path folder) throws IOException {
        Path file = folder.resolve("lock");
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock();
        if (lock == null) {
            channel.close();
            throw inUse(folder, Files.readString(file).strip());
        }
        channel.truncate(0);
        String process = Long.toString(ProcessHandle.current().pid());
        channel.write(ByteBuffer.wrap(process.getBytes(StandardCharsets.US_ASCII)), 0);
        return channel;
    }

    private static DatabaseStartException inUse(Path folder, String process) {
        return new DatabaseStartException("Another server (process " + process + ") uses the data folder " + folder
                + ": stop it, or set DATA_DIR to another folder");
    }

    @Override
    public void close() throws IOException {
        channel.close();
        forget(folder);
    }

    private static void forget(Path folder) {
        synchronized (HELD_HERE) {
            HELD_HERE.remove(folder);
        }
    }
}
