package dev.agentpipe.server.faults;

import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A server with a PostgreSQL of its own that ends and is started again, on one port, and those who read from it. */
final class RestartedServer implements AutoCloseable {

    private final Path dataDir;
    private final Duration heartbeat;
    private final int port = ServerProcess.freePort();
    private final List<RecordingReader> readers = new ArrayList<>();
    private ServerProcess process;

    RestartedServer(Path dataDir, Duration heartbeat) {
        this.dataDir = dataDir;
        this.heartbeat = heartbeat;
    }

    /** Does not wait until it is ready. */
    ServerProcess start() throws IOException {
        process = new ServerProcess(
                dataDir,
                Map.of(
                        "PORT",
                        Integer.toString(port),
                        "AGENTPIPE_BRIDGE_API_KEY",
                        TestServer.KEY,
                        "SSE_HEARTBEAT_INTERVAL",
                        Long.toString(heartbeat.toMillis())));
        return process;
    }

    /** The one that was started last. */
    ServerProcess process() {
        return process;
    }

    int port() {
        return port;
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + port);
    }

    /** One that comes back whenever it is cut off. */
    RecordingReader reader(String name, String query) {
        RecordingReader reader = new RecordingReader(name, () -> port, query, null);
        readers.add(reader);
        return reader;
    }

    @Override
    public void close() {
        readers.forEach(RecordingReader::close);
        if (process != null) {
            process.close();
        }
    }
}
