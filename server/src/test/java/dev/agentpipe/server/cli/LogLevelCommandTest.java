package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.admin.LogLevelHandlers;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.RequestId;
import dev.agentpipe.server.logs.LogLevels;
import io.undertow.Undertow;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.NOPLoggerFactory;

/** From the command line to the logger, and back by itself. */
final class LogLevelCommandTest {

    private static final String NAME = "dev.agentpipe.server.http";
    private static final Logger REQUESTS = LoggerFactory.getLogger(NAME);

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private record Run(int status, String out, String err) {}

    private static Run run(String key, String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all =
                new ArrayList<>(List.of("log-level", "--url", server.uri("/").toString()));
        all.addAll(List.of(arguments));
        int status = Commands.of(Map.of("AGENTPIPE_ADMIN_API_KEY", key, "AGENTPIPE_BRIDGE_API_KEY", TestServer.KEY))
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(all.toArray(String[]::new));
        return new Run(status, out.toString(), err.toString());
    }

    private static Run asAdmin(String... arguments) {
        return run(TestServer.ADMIN_KEY, arguments);
    }

    @Test
    void level_isChangedForATime_andAudited() {
        assertFalse(REQUESTS.isDebugEnabled());
        try (CapturedLog audit = new CapturedLog(Audit.LOGGER)) {
            Run changed = asAdmin("DEBUG", "--logger", NAME, "--for", "2s");
            assertEquals(0, changed.status(), changed.err());
            assertTrue(changed.out().contains(NAME + ": debug until 20"), changed.out());
            assertTrue(REQUESTS.isDebugEnabled());
            assertFalse(LoggerFactory.getLogger("dev.agentpipe.server.Other").isDebugEnabled());

            Await.until("as before", () -> !REQUESTS.isDebugEnabled());
            assertEquals("dev.agentpipe: warn\n", asAdmin().out());
            String line = audit.events().get(0).getFormattedMessage();
            assertTrue(
                    line.contains("\"audit\":\"log_level.changed\",\"who\":\"" + new ApiKey(TestServer.ADMIN_KEY)
                            + "\",\"changedLogger\":\"" + NAME + "\",\"changedLevel\":\"debug\",\"until\":\"20"),
                    line);
        }
    }

    @Test
    void reset_endsAllChanges_alsoThoseThatReplacedAnother() {
        asAdmin("debug", "--logger", NAME);
        asAdmin("trace", "--logger", NAME, "--for", "12h");
        assertTrue(REQUESTS.isTraceEnabled());

        Run reset = asAdmin("reset");

        assertEquals("Everything is logged as before.\n", reset.out());
        assertFalse(REQUESTS.isInfoEnabled());
        assertEquals("dev.agentpipe: warn\n", asAdmin().out());
    }

    @Test
    void whatCannotBe_isSaid() {
        LoggerFactory.getLogger("io.undertow.Some");
        for (String logger : List.of("io.undertow.Some", "dev.agentpipe.Nowhere", "dev.agentpipe.x y", "ROOT")) {
            Run run = asAdmin("debug", "--logger", logger);
            assertEquals(1, run.status());
            assertTrue(run.err().startsWith("agentpipe-server: A parameter is not valid; logger: "), run.err());
        }
        assertTrue(asAdmin("debug", "--for", "13h").err().contains("seconds: a whole number from 1 to 43200"));
        assertEquals(2, asAdmin("debug", "--for", "soon").status());
        assertEquals(2, asAdmin("loud").status());
        Run forbidden = run(TestServer.KEY, "debug");
        assertEquals(1, forbidden.status());
        assertTrue(forbidden.err().contains("It takes a key with the scope \"admin\"."), forbidden.err());
    }

    @Test
    void embeddedInAProgramWithoutLogback_isSaid() throws Exception {
        LogLevels levels = new LogLevels(Clock.systemUTC(), new NOPLoggerFactory());
        Access access = new Access(List.of(), List.of(new ApiKey(TestServer.ADMIN_KEY)));
        LogLevelHandlers handlers = new LogLevelHandlers(access, new Audit(Clock.systemUTC()), levels);
        Undertow undertow = Undertow.builder()
                .addHttpListener(0, "127.0.0.1")
                .setHandler(new RequestId(handlers.table().tell()))
                .build();
        undertow.start();
        try {
            int port = ((InetSocketAddress) undertow.getListenerInfo().get(0).getAddress()).getPort();
            RawHttp.Answer answer = RawHttp.ask(
                    port, "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + TestServer.ADMIN_KEY + "\r\n\r\n");
            assertEquals(501, answer.status());
            assertEquals("log_levels_fixed", answer.json().get("code").asString());
        } finally {
            undertow.stop();
        }
        levels.expire();
        levels.reset();
    }
}
