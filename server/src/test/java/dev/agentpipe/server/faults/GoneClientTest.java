package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that do not wait for their answer: a CLI that exits. */
final class GoneClientTest {

    private static final int CLIENTS = 200;

    @TempDir
    private Path dataDir;

    @Test
    void clientGoneAfterItsRequest_theEventIsStoredAndNothingIsLoggedAsADefect() throws Exception {
        String url = TestPostgres.newDatabase();
        Map<String, String> environment =
                Map.of("DATABASE_URL", url, "AGENTPIPE_BRIDGE_API_KEY", TestServer.KEY, "LOG_LEVEL", "info");
        try (ServerProcess server = new ServerProcess(dataDir, environment)) {
            URI uri = server.awaitReady();
            for (int i = 0; i < CLIENTS; i++) {
                sendAndLeave(uri, TestServer.messageBody("c", "m" + i, "x"), i % 2 == 0);
            }

            Await.until("all are stored", ServerProcess.PATIENCE, () -> stored(url) == CLIENTS);

            server.terminate();
            assertEquals(0, server.awaitExit(ServerProcess.PATIENCE), server::output);
            assertEquals(List.of(), server.complaints());
        }
    }

    /** @param half says first that nothing more will come, as some clients do */
    private static void sendAndLeave(URI uri, String body, boolean half) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(uri.getHost(), uri.getPort()), 5_000);
            String head = "POST /api/ingest HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + TestServer.KEY
                    + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n";
            socket.getOutputStream().write((head + body).getBytes(StandardCharsets.US_ASCII));
            if (half) {
                socket.shutdownOutput();
            }
        }
    }

    private static long stored(String url) {
        try (Connection connection = TestPostgres.connect(url);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select count(*) from messages")) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
