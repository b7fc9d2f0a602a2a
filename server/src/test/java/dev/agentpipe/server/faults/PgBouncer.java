package dev.agentpipe.server.faults;

import dev.agentpipe.db.postgres.PostgresUrl;
import dev.agentpipe.server.Programs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real PgBouncer with {@code conf/pgbouncer/pgbouncer.ini}, but for its ports and names; it can be restarted. */
final class PgBouncer implements AutoCloseable {

    private static final Path CONF = Path.of("..", "conf", "pgbouncer", "pgbouncer.ini");

    private final Path folder;
    private final Path program = Programs.need("pgbouncer");
    private final int port = ServerProcess.freePort();
    private final URI database;
    private Process process;

    /**
     * @param folder its own
     * @param databaseUrl where it leads to
     */
    PgBouncer(Path folder, String databaseUrl) throws IOException {
        this.folder = folder.toAbsolutePath();
        this.database = URI.create(databaseUrl);
        PostgresUrl login = PostgresUrl.parse(databaseUrl);
        Path users = this.folder.resolve("userlist.txt");
        Files.writeString(users, "\"" + login.user() + "\" \"" + login.password() + "\"\n");
        String conf = Files.readString(CONF);
        for (String[] one : new String[][] {
            {"listen_port = 6432", "listen_port = " + port},
            {
                "agentpipe = host=db.example port=5432 dbname=agentpipe",
                "* = host=" + database.getHost() + " port=" + database.getPort()
            },
            {"/etc/pgbouncer/userlist.txt", users.toString()},
        }) {
            if (!conf.contains(one[0])) {
                throw new AssertionError("no \"" + one[0] + "\" in " + CONF);
            }
            conf = conf.replace(one[0], one[1]);
        }
        Files.writeString(this.folder.resolve("pgbouncer.ini"), conf);
        // As root it becomes somebody else, and reads them again.
        Files.setPosixFilePermissions(this.folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        start();
    }

    void start() throws IOException {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(List.of("-u", "nobody"));
        }
        command.add(folder.resolve("pgbouncer.ini").toString());
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
                .start();
        Await.until(this::log, Duration.ofSeconds(10), () -> listens() || !process.isAlive());
        if (!process.isAlive()) {
            throw new AssertionError(log());
        }
    }

    private boolean listens() {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException notYet) {
            return false;
        }
    }

    /** What goes through it. */
    String url() {
        return "postgresql://" + database.getRawUserInfo() + "@127.0.0.1:" + port + database.getRawPath();
    }

    String log() {
        try {
            return Files.readString(folder.resolve("log"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** At once, with all connections through it. */
    void kill() {
        process.destroyForcibly();
        await();
    }

    private void await() {
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                throw new AssertionError("pgbouncer does not end");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        kill();
    }
}
