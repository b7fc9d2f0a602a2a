package dev.agentpipe.server.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.log.TestEvents;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Reads;
import dev.agentpipe.server.http.RequestId;
import io.undertow.Undertow;
import io.undertow.server.handlers.PathTemplateHandler;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.xnio.Options;

final class StallTest {

    @Test
    void clientThatTakesNothing_isCutOff() throws Exception {
        DatabaseSettings settings = DatabaseSettings.of(TestPostgres.newDatabase(), null, 1, 4, Duration.ofSeconds(30));
        try (Database database = Database.open(settings);
                Reads reads = new Reads(2)) {
            database.eventLog()
                    .append(List.copyOf(IntStream.range(0, 40)
                            .mapToObj(i -> TestEvents.message("c", "m" + i, "x".repeat(500_000)))
                            .toList()));
            ExportHandler handler = new ExportHandler(
                    database.transcripts(), reads, new Access(List.of(), List.of()), Duration.ofMillis(300));
            Undertow undertow = Undertow.builder()
                    .addHttpListener(0, "127.0.0.1")
                    .setSocketOption(Options.SEND_BUFFER, 128 << 10)
                    .setHandler(new RequestId(new PathTemplateHandler().add("/{id}", handler)))
                    .build();
            undertow.start();
            int port = ((InetSocketAddress) undertow.getListenerInfo().get(0).getAddress()).getPort();
            try (Socket client = new Socket()) {
                client.setReceiveBufferSize(16 << 10);
                client.connect(new InetSocketAddress("127.0.0.1", port));
                client.getOutputStream()
                        .write(RawHttp.head("GET /c HTTP/1.1", 0).getBytes(StandardCharsets.US_ASCII));
                InputStream in = client.getInputStream();
                assertEquals('H', in.read());
                assertEquals(1, handler.underWay());

                long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
                while (handler.underWay() > 0) {
                    assertTrue(System.nanoTime() < deadline, "it still waits");
                    Thread.onSpinWait();
                }
                long got = 1 + in.transferTo(java.io.OutputStream.nullOutputStream());
                assertTrue(got < 10_000_000, "it got " + got + " of 20,000,000 bytes");
            } catch (java.net.SocketException reset) {
                // The same: cut off.
            } finally {
                undertow.stop();
            }
        }
    }
}
