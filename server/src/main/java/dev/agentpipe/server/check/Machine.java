package dev.agentpipe.server.check;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The machine that this runs on, which is the server's if the server runs on it.
 *
 * @param server its process, if there is exactly one to be seen
 * @param filesMax that it may have open; of this process if there is no other
 * @param memoryAvailable without swapping
 */
record Machine(
        int javaVersion,
        long heapMax,
        Optional<Running> server,
        long filesMax,
        long memory,
        long memoryAvailable,
        Disk data,
        Disk temporary) {

    /** @param user empty if it cannot be seen */
    record Running(long pid, String user) {}

    record Disk(Path path, long bytes, long usable, boolean isWritable) {
        int usedPercent() {
            return Amounts.percent(bytes - usable, bytes);
        }
    }

    private static final Pattern FILES = Pattern.compile("Max open files\\s+(\\d+)");
    private static final Pattern AVAILABLE = Pattern.compile("MemAvailable:\\s+(\\d+) kB");

    static Machine look(Subject subject) {
        Optional<ProcessHandle> server = serverProcess();
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long own = system instanceof UnixOperatingSystemMXBean unix ? unix.getMaxFileDescriptorCount() : Long.MAX_VALUE;
        return new Machine(
                Runtime.version().feature(),
                Runtime.getRuntime().maxMemory(),
                server.map(process ->
                        new Running(process.pid(), process.info().user().orElse(""))),
                server.flatMap(process -> number(Path.of("/proc/" + process.pid() + "/limits"), FILES))
                        .orElse(own),
                system.getTotalMemorySize(),
                number(Path.of("/proc/meminfo"), AVAILABLE)
                        .map(kib -> Math.min(kib << 10, system.getTotalMemorySize()))
                        .orElse(system.getFreeMemorySize()),
                disk(subject.settings().dataDir()),
                disk(Path.of(System.getProperty("java.io.tmpdir"))));
    }

    /** The newest in this folder that bin/backup has made. */
    static Optional<Path> newestBackup(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().matches("agentpipe-\\d{8}T\\d{6}Z\\.dump"))
                    .max(Comparator.comparing(file -> file.getFileName().toString()));
        }
    }

    private static Optional<ProcessHandle> serverProcess() {
        List<ProcessHandle> found =
                ProcessHandle.allProcesses().filter(Machine::isServer).toList();
        return found.size() == 1 ? Optional.of(found.get(0)) : Optional.empty();
    }

    private static boolean isServer(ProcessHandle process) {
        List<String> arguments = Arrays.asList(process.info().arguments().orElse(new String[0]));
        return arguments.contains("serve")
                && arguments.stream()
                        .anyMatch(argument ->
                                argument.matches(".*agentpipe-server[^/]*\\.jar|dev\\.agentpipe\\.server\\.Main"));
    }

    private static Optional<Long> number(Path file, Pattern pattern) {
        try {
            Matcher matcher = pattern.matcher(Files.readString(file));
            return matcher.find() ? Optional.of(Long.parseLong(matcher.group(1))) : Optional.empty();
        } catch (IOException notHere) {
            return Optional.empty();
        }
    }

    /** Of the nearest folder that exists: nothing is made for the look. */
    private static Disk disk(Path path) {
        Path there = path.toAbsolutePath();
        while (!Files.exists(there)) {
            there = there.getParent();
        }
        File disk = there.toFile(); // a FileStore fails where the mount point is not seen, as in a chroot
        return new Disk(path, disk.getTotalSpace(), disk.getUsableSpace(), Files.isWritable(there));
    }
}
