package dev.agentpipe.server.metrics;

import com.sun.management.OperatingSystemMXBean;
import dev.agentpipe.server.redis.Redis;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Disk, memory and Redis, which may take their time to answer: looked at now and then, by one thread at a time, and told from
 * what was seen.
 */
final class Machine {

    private record Disk(long freeBytes, long sizeBytes) {}

    private record Memory(long availableBytes, long sizeBytes, OptionalLong residentBytes) {}

    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final Path STATUS = Path.of("/proc/self/status");

    private final Map<String, Path> folders;
    private final Optional<Redis> redis;
    private final Map<String, Disk> disks = new ConcurrentHashMap<>();
    private volatile Memory memory;
    private volatile Optional<Redis.Memory> redisMemory = Optional.empty();

    Machine(Meters meters, Path dataDir, Optional<Redis> redis) {
        this.folders = Map.of("data", dataDir, "temp", Path.of(System.getProperty("java.io.tmpdir")));
        this.redis = redis;
        for (String folder : List.of("data", "temp")) {
            meters.gauge(
                    "agentpipe.disk.free", "bytes", "What may still be written", () -> free(folder), "folder", folder);
            meters.gauge("agentpipe.disk.size", "bytes", "All of the disk", () -> size(folder), "folder", folder);
        }
        meters.gauge(
                "agentpipe.machine.processors",
                null,
                "Processors that this process may use",
                Runtime.getRuntime()::availableProcessors);
        meters.gauge(
                "agentpipe.machine.memory.available",
                "bytes",
                "What programs could get",
                () -> memory == null ? null : memory.availableBytes);
        meters.gauge(
                "agentpipe.machine.memory.size", "bytes", "All memory", () -> memory == null ? null : memory.sizeBytes);
        if (Files.isReadable(STATUS)) {
            meters.gauge(
                    "agentpipe.process.resident",
                    "bytes",
                    "Memory of this process",
                    () -> memory == null || memory.residentBytes.isEmpty() ? null : memory.residentBytes.getAsLong());
        }
        redis.ifPresent(one -> {
            meters.gauge("agentpipe.redis.up", null, "1: Redis answers", () -> one.isUp() ? 1 : 0);
            meters.gauge(
                    "agentpipe.redis.memory",
                    "bytes",
                    "Memory that Redis uses",
                    () -> redisMemory.map(Redis.Memory::usedBytes).orElse(null));
            meters.gauge(
                    "agentpipe.redis.memory.limit",
                    "bytes",
                    "Memory that Redis may use",
                    () -> redisMemory.map(Redis.Memory::limitBytes).orElse(null));
        });
    }

    private Long free(String folder) {
        Disk disk = disks.get(folder);
        return disk == null ? null : disk.freeBytes;
    }

    private Long size(String folder) {
        Disk disk = disks.get(folder);
        return disk == null ? null : disk.sizeBytes;
    }

    /** Blocks for a moment. */
    void look() {
        folders.forEach((name, folder) -> {
            File disk =
                    existing(folder).toFile(); // a FileStore fails where the mount point is not seen, as in a chroot
            if (disk.getTotalSpace() > 0) {
                disks.put(name, new Disk(disk.getUsableSpace(), disk.getTotalSpace()));
            } else {
                disks.remove(name);
            }
        });
        memory = memory();
        redisMemory = redis.flatMap(Redis::memory);
    }

    /** With an external database the data folder need not be there. */
    private static Path existing(Path folder) {
        Path one = folder.toAbsolutePath();
        while (!Files.exists(one) && one.getParent() != null) {
            one = one.getParent();
        }
        return one;
    }

    /**
     * A limit of the container, which Java knows, comes before the machine; of the machine, what is available is more than what
     * is free: the kernel gives up its caches.
     */
    private static Memory memory() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long size = system.getTotalMemorySize();
        OptionalLong machine = kibibytes(MEMINFO, "MemTotal:");
        OptionalLong available = kibibytes(MEMINFO, "MemAvailable:");
        boolean isWholeMachine = machine.isPresent() && available.isPresent() && size >= machine.getAsLong();
        return new Memory(
                isWholeMachine ? available.getAsLong() : system.getFreeMemorySize(), size, kibibytes(STATUS, "VmRSS:"));
    }

    /** A line such as {@code MemTotal:  16384 kB}, in bytes. */
    private static OptionalLong kibibytes(Path file, String name) {
        try {
            return Files.readAllLines(file).stream()
                    .filter(line -> line.startsWith(name))
                    .mapToLong(line -> 1_024 * Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst();
        } catch (IOException | NumberFormatException notLinux) {
            return OptionalLong.empty();
        }
    }
}
