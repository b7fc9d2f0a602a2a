package dev.agentpipe.server.deploy;

import dev.agentpipe.server.Await;
import dev.agentpipe.server.Programs;
import dev.agentpipe.server.tls.TestTls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** A real nginx with {@code conf/nginx/agentpipe-server.conf}, but for its ports, addresses, files and name. */
final class Nginx implements AutoCloseable {

    private static final Path CONF = Path.of("..", "conf", "nginx", "agentpipe-server.conf");

    private final Path folder;
    private final Path log;
    private final Process process;
    private final int plainPort = freePort();
    private final int tlsPort = freePort();

    /**
     * @param folder its own
     * @param serverPort where agentpipe-server listens
     */
    Nginx(Path folder, int serverPort) throws IOException {
        Path program = Programs.need("nginx");
        this.folder = folder.toAbsolutePath();
        this.log = this.folder.resolve("log");
        Files.writeString(this.folder.resolve("server.conf"), adapted(serverPort));
        Files.writeString(this.folder.resolve("nginx.conf"), surroundings());
        List<String> command = List.of(program.toString(), "-p", this.folder.toString(), "-c", "nginx.conf");
        this.process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        Await.until(() -> "nginx listens: " + log(), () -> listens() || !process.isAlive());
        if (!process.isAlive()) {
            throw new AssertionError(log());
        }
    }

    private String adapted(int serverPort) throws IOException {
        String conf = Files.readString(CONF);
        for (String[] one : new String[][] {
            {"listen 443", "listen 127.0.0.1:" + tlsPort},
            {"listen 80;", "listen 127.0.0.1:" + plainPort + ";"},
            {"server 127.0.0.1:3000;", "server 127.0.0.1:" + serverPort + ";"},
            {
                "/etc/letsencrypt/live/agentpipe.example/fullchain.pem",
                TestTls.file("first.crt").toAbsolutePath().toString()
            },
            {
                "/etc/letsencrypt/live/agentpipe.example/privkey.pem",
                TestTls.file("first.key").toAbsolutePath().toString()
            },
            {"/var/log/nginx/agentpipe-server.log", folder.resolve("access.log").toString()},
            {"agentpipe.example", "localhost"},
        }) {
            if (!conf.contains(one[0])) {
                throw new AssertionError("no \"" + one[0] + "\" in " + CONF);
            }
            conf = conf.replace(one[0], one[1]);
        }
        return conf.replaceAll("(?m)^.*listen \\[::].*\n", "");
    }

    /** As Debian's nginx.conf has them, as far as they matter. */
    private String surroundings() {
        boolean root = System.getProperty("user.name").equals("root");
        return (root ? "user root;\n" : "") + """
                daemon off;
                pid pid;
                worker_processes 1;
                error_log stderr warn;
                events { worker_connections 256; }
                http {
                    client_body_temp_path body;
                    proxy_temp_path proxy;
                    fastcgi_temp_path fastcgi;
                    uwsgi_temp_path uwsgi;
                    scgi_temp_path scgi;
                    gzip on;
                    gzip_types text/event-stream application/json;
                    gzip_proxied any;
                    include server.conf;
                }
                """;
    }

    private boolean listens() {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), tlsPort)) {
            return socket.isConnected();
        } catch (IOException notYet) {
            return false;
        }
    }

    private static int freePort() {
        for (int tries = 0; tries < 100; tries++) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 25_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                continue;
            }
        }
        throw new AssertionError("no free port");
    }

    int plainPort() {
        return plainPort;
    }

    int tlsPort() {
        return tlsPort;
    }

    URI uri(String path) {
        return URI.create("https://localhost:" + tlsPort + path);
    }

    /** Its warnings and errors. */
    String log() {
        return read(log);
    }

    /** Who asked for what. */
    String accessLog() {
        return read(folder.resolve("access.log"));
    }

    private static String read(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
