package dev.agentpipe.db;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code postmaster.pid} of a cluster and the process that it names. A server that was killed leaves its PostgreSQL
 * running, and a PostgreSQL that was killed leaves this file.
 */
final class PostmasterFile {

    private static final Logger log = LoggerFactory.getLogger(PostmasterFile.class);

    private final Path cluster;
    private final Path file;

    PostmasterFile(Path cluster) {
        this.cluster = cluster;
        this.file = cluster.resolve("postmaster.pid");
    }

    /**
     * The running PostgreSQL of this cluster. That its command line names the cluster tells it from a process that was
     * given the same number later, and from a zombie, which has none (in a container whose first process is the server,
     * nobody reaps it, and it would seem alive for ever).
     */
    Optional<ProcessHandle> process() throws IOException {
        return named().filter(process -> process.isAlive() && isOfCluster(process));
    }

    private Optional<ProcessHandle> named() throws IOException {
        try {
            String pid =
                    Files.readAllLines(file).stream().findFirst().orElse("").strip();
            return pid.matches("[0-9]{1,18}") ? ProcessHandle.of(Long.parseLong(pid)) : Optional.empty();
        } catch (NoSuchFileException notRunning) {
            return Optional.empty();
        }
    }

    private boolean isOfCluster(ProcessHandle process) {
        return process.info()
                .commandLine()
                .filter(line -> line.contains(cluster.toString()))
                .isPresent();
    }

    /**
     * Ends a PostgreSQL that was left over, with its helpers: while one of them runs, a new PostgreSQL refuses to start.
     * Then removes a file that names somebody else: PostgreSQL would refuse if any process of that number lived, which
     * after a restart of a container is likely.
     */
    void endLeftOver() throws IOException {
        Optional<ProcessHandle> running = process();
        if (running.isPresent()) {
            log.warn(
                    "Ending the PostgreSQL that an earlier server left running (process {})",
                    running.get().pid());
            end(running.get(), Duration.ofSeconds(5));
        }
        helpers().forEach(helper -> end(helper, Duration.ofSeconds(1)));
        if (running.isEmpty() && named().filter(ProcessHandle::isAlive).isPresent()) {
            Files.deleteIfExists(file);
        }
    }

    /** All of PostgreSQL's processes work in the cluster's folder, as may somebody's shell. Empty without a /proc. */
    private List<ProcessHandle> helpers() {
        return ProcessHandle.allProcesses()
                .filter(this::worksInCluster)
                .filter(PostmasterFile::isPostgres)
                .toList();
    }

    private static boolean isPostgres(ProcessHandle process) {
        return process.info()
                .command()
                .map(Path::of)
                .filter(program -> program.getFileName().toString().startsWith("postgres"))
                .isPresent();
    }

    private boolean worksInCluster(ProcessHandle process) {
        try {
            return Path.of("/proc", Long.toString(process.pid()), "cwd")
                    .toRealPath()
                    .equals(cluster);
        } catch (IOException goneOrNotOurs) {
            return false;
        }
    }

    /** Politely (which waits for its clients), then not: all that was committed is on disk. */
    static void end(ProcessHandle process, Duration patience) {
        process.destroy();
        if (!awaitExit(process, patience)) {
            process.destroyForcibly();
            awaitExit(process, Duration.ofSeconds(10));
        }
    }

    static boolean awaitExit(ProcessHandle process, Duration patience) {
        try {
            process.onExit().get(patience.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException stillThere) {
            return false;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
