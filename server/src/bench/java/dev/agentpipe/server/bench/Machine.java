package dev.agentpipe.server.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** What the machine is and does, apart from us: a figure is worth what is known of that. */
final class Machine {

    private static final int WRITE_BYTES = 8 << 10;
    private static final int WRITES = 200;

    private Machine() {}

    /** Median of how long a synced write of 8 kB takes in a folder: a durable event cannot be faster. */
    static double syncedWriteMillis(Path folder) throws IOException {
        Path file = Files.createTempFile(folder, "synced", ".bin");
        long[] nanos = new long[WRITES];
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.DSYNC)) {
            ByteBuffer bytes = ByteBuffer.allocateDirect(WRITE_BYTES);
            for (int i = 0; i < WRITES; i++) {
                bytes.clear();
                long start = System.nanoTime();
                channel.write(bytes);
                nanos[i] = System.nanoTime() - start;
            }
        } finally {
            Files.delete(file);
        }
        Arrays.sort(nanos);
        return nanos[WRITES / 2] / 1e6;
    }

    /** Processor, memory, system and disk, as a sentence. */
    static String describe(Path folder) throws IOException {
        long memoryKilobytes = field(Path.of("/proc/meminfo"), "MemTotal:");
        return String.format(
                Locale.ROOT,
                "%d processors, %.0f GB of memory, %s %s (%s), data on %s",
                Runtime.getRuntime().availableProcessors(),
                memoryKilobytes / 1048576.0,
                System.getProperty("os.name"),
                System.getProperty("os.version"),
                System.getProperty("os.arch"),
                Files.getFileStore(folder));
    }

    /** Memory of a process that is really there, in kB; 0 if it has ended. */
    static long residentKilobytes(long pid) throws IOException {
        return field(Path.of("/proc", Long.toString(pid), "status"), "VmRSS:");
    }

    /** How many files and sockets this process may have; so may what it starts. */
    static long openFilesMax() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/limits"))) {
            return lines.filter(line -> line.startsWith("Max open files"))
                    .map(line ->
                            line.substring("Max open files".length()).strip().split(" +")[0])
                    .map(text -> text.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(text))
                    .findFirst()
                    .orElse(Long.MAX_VALUE);
        }
    }

    private static long field(Path file, String name) throws IOException {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(name))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                    .findFirst()
                    .orElse(0);
        }
    }

    /**
     * Clock ticks of all processors up to a moment, by who has used them. Of processes that have ended, those count whose
     * parent has taken note of them.
     *
     * @param all idle ones, too
     * @param busy not idle, not waiting for a disk; those that a host has taken away count as busy
     * @param ours used by this process, by PostgreSQL and by all their descendants
     */
    record Ticks(long all, long busy, long ours) {

        static Ticks now(List<Long> roots) throws IOException {
            long[] cpu;
            try (Stream<String> lines = Files.lines(Path.of("/proc/stat"))) {
                cpu = Arrays.stream(lines.findFirst()
                                .orElseThrow()
                                .replaceFirst("cpu +", "")
                                .split(" "))
                        .mapToLong(Long::parseLong)
                        .limit(8) // the last two are part of the first two
                        .toArray();
            }
            long all = Arrays.stream(cpu).sum();
            long ours = 0;
            for (long root : roots) {
                ours += ofProcess(root);
                for (ProcessHandle one : ProcessHandle.of(root).stream()
                        .flatMap(ProcessHandle::descendants)
                        .filter(one -> !roots.contains(one.pid()))
                        .toList()) {
                    ours += ofProcess(one.pid());
                }
            }
            return new Ticks(all, all - cpu[3] - cpu[4], ours);
        }

        /** User and system time of a process and of its children that have ended. */
        private static long ofProcess(long pid) {
            try {
                String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
                String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
                return Arrays.stream(fields, 11, 15).mapToLong(Long::parseLong).sum();
            } catch (IOException ended) {
                return 0;
            }
        }

        /** Share of all processors that others have used since then, in percent. */
        double foreignPercentSince(Ticks before) {
            long foreign = (busy - before.busy) - (ours - before.ours);
            return all == before.all ? 0 : Math.max(0, 100.0 * foreign / (all - before.all));
        }
    }
}
