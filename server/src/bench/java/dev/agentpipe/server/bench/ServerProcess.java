package dev.agentpipe.server.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A server as a process of its own, with a key that only we know; its lines go to a file. */
final class ServerProcess implements AutoCloseable {

    private static final Duration START_MAX = Duration.ofSeconds(60);
    private static final Duration STOP_MAX = Duration.ofSeconds(20);
    private static final Pattern HEAP_USED = Pattern.compile("used (\\d+)K");

    private final String key;
    private final int port;
    private final Path log;
    private final Path javaHome;
    private final Process process;
    private final long startNanos;

    /**
     * Begins to start a server.
     *
     * @param command all that stands before {@code serve}
     * @param folder where its log goes, and its data if it wants to keep any
     * @param started is told the process, to end it if nobody else does
     */
    ServerProcess(
            List<String> command,
            Path javaHome,
            String databaseUrl,
            Map<String, String> environment,
            Path folder,
            Consumer<Process> started)
            throws IOException {
        this.javaHome = javaHome;
        this.key = "ap_test_" + Long.toHexString(ThreadLocalRandom.current().nextLong()) + "-bench";
        this.port = freePort();
        this.log = Files.createTempFile(folder, "server", ".log");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.command().add("serve");
        Map<String, String> all = builder.environment();
        all.putIfAbsent("LOG_FORMAT", "json"); // as in production
        all.put("HOST", "127.0.0.1");
        all.put("PORT", Integer.toString(port));
        all.put("METRICS_PORT", "0");
        all.put("DATABASE_URL", databaseUrl);
        all.put("AGENTPIPE_BRIDGE_API_KEY", key);
        all.put("SSE_MAX_CONNECTIONS", "20000");
        for (String limit : List.of("MAX_REQUESTS", "UPLOADS", "READS", "STREAMS")) {
            all.put("RATE_LIMIT_" + limit, "0");
        }
        all.put("DATA_DIR", folder.resolve("data").toString());
        all.putAll(environment);
        this.startNanos = System.nanoTime();
        this.process = builder.start();
        started.accept(process);
    }

    /** Below 32768, from where on the system gives ports to connections. */
    private static int freePort() throws IOException {
        for (int tries = 0; tries < 100; tries++) {
            int port = ThreadLocalRandom.current().nextInt(15_000, 30_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                continue;
            }
        }
        throw new IOException("there is no free port");
    }

    /**
     * Returns once {@code /api/health} answers 200.
     *
     * @return the seconds from its exec until then
     */
    double awaitHealthy() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + START_MAX.toNanos();
        while (!isHealthy()) {
            if (!process.isAlive() || System.nanoTime() - deadline > 0) {
                throw new IOException("the server does not start:\n" + Files.readString(log));
            }
            Thread.sleep(2);
        }
        return (System.nanoTime() - startNanos) / 1e9;
    }

    /** Over a plain socket: an HTTP client's own beginnings would be measured with the first start. */
    private boolean isHealthy() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("127.0.0.1", port), 1_000);
            socket.setSoTimeout(5_000);
            socket.getOutputStream()
                    .write("GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            byte[] start = socket.getInputStream().readNBytes("HTTP/1.1 200".length());
            return new String(start, StandardCharsets.US_ASCII).equals("HTTP/1.1 200");
        } catch (IOException notYet) {
            return false;
        }
    }

    int port() {
        return port;
    }

    String key() {
        return key;
    }

    long pid() {
        return process.pid();
    }

    long residentKilobytes() throws IOException {
        return Machine.residentKilobytes(pid());
    }

    /** What of the heap is in use, in kB, after a full collection. */
    long liveHeapKilobytes() throws IOException, InterruptedException {
        jcmd("GC.run");
        jcmd("GC.run"); // buffers that only a cleaner frees are gone after the second
        Matcher used = HEAP_USED.matcher(jcmd("GC.heap_info"));
        if (!used.find()) {
            throw new IOException("jcmd does not tell the heap's size");
        }
        return Long.parseLong(used.group(1));
    }

    private String jcmd(String question) throws IOException, InterruptedException {
        Path tool = javaHome.resolve("bin/jcmd");
        if (!Files.isExecutable(tool)) {
            throw new IOException("memory is measured with jcmd, and there is none in " + javaHome + ": use a JDK");
        }
        Process asked = new ProcessBuilder(tool.toString(), Long.toString(pid()), question)
                .redirectErrorStream(true)
                .start();
        String answer = new String(asked.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        asked.waitFor();
        return answer;
    }

    @Override
    public void close() {
        process.toHandle().destroy();
        try {
            if (!process.waitFor(STOP_MAX.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
