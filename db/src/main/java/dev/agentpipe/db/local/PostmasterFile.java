package dev.agentpipe.db.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code postmaster.pid} of a cluster and the process that it names. A server that was killed leaves its PostgreSQL
 * running, and a PostgreSQL that was killed leaves this file.
 */
final class PostmasterFile {

    private static final Logger log = LoggerFactory.getLogger(PostmasterFile.class);

    private static final Duration EXIT_POLL_INTERVAL = Duration.ofMillis(20);

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

    /** On which it listens, if it runs and has got as far as saying so. The file's lines: PostgreSQL, miscadmin.h. */
    Optional<Integer> port() throws IOException {
        if (process().isEmpty()) {
            return Optional.empty();
        }
        List<String> lines = Files.readAllLines(file);
        boolean isReady = lines.size() > 7 && lines.get(7).strip().equals("ready");
        return isReady ? Optional.of(Integer.valueOf(lines.get(3).strip())) : Optional.empty();
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
     * Then removes a file that names a zombie or somebody else: PostgreSQL would refuse if any process of that number
     * lived, which after a restart of a container is likely.
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
        if (process().isEmpty() && named().filter(ProcessHandle::isAlive).isPresent()) {
            Files.deleteIfExists(file);
        }
    }

    /** All of PostgreSQL's processes work in the cluster's folder (and so may somebody's shell). None without /proc. */
    private List<ProcessHandle> helpers() {
        return ProcessHandle.allProcesses()
                .filter(process -> process.info()
                        .command()
                        .filter(program -> Path.of(program).endsWith("postgres"))
                        .isPresent())
                .filter(this::worksInCluster)
                .toList();
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

    /**
     * Not by {@link ProcessHandle#onExit()}: for a process that is not our child it looks only every 300 ms and then ever
     * more seldom, and it waits for zombies, too.
     */
    static boolean awaitExit(ProcessHandle process, Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        while (isRunning(process)) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            LockSupport.parkNanos(EXIT_POLL_INTERVAL.toNanos());
        }
        return true;
    }

    /** A zombie seems alive, but has no command line. */
    private static boolean isRunning(ProcessHandle process) {
        return process.isAlive() && process.info().commandLine().isPresent();
    }
}
