package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.StartException;
import java.net.BindException;
import java.net.UnknownHostException;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StartFailureTest {

    @Test
    void line_portInUse_namesTheSetting() {
        String line = StartFailure.line(new RuntimeException(new BindException("Address already in use /0.0.0.0:80")));

        assertTrue(line.contains("/0.0.0.0:80") && line.contains("PORT"), line);
    }

    @ParameterizedTest
    @CsvSource({
        "08001, the database cannot be reached",
        "08006, the database cannot be reached",
        "28P01, the database refuses this user or password",
        "3D000, the database does not exist",
        "53300, the database has no connection left",
        "XX000, the database reports XX000",
    })
    void line_databaseFailure_saysWhichByItsState(String state, String expected) {
        SQLException cause = new SQLException("FATAL: the server's words\n  Detail: more", state);

        assertEquals(
                expected + " (see DATABASE_URL): FATAL: the server's words; Detail: more",
                StartFailure.line(new IllegalStateException("pool", new RuntimeException(cause))));
    }

    @Test
    void line_startException_speaksBeforeItsCause() {
        assertEquals(
                "the schema is newer",
                StartFailure.line(new RuntimeException(
                        "outer", new StartException("the schema is newer", new SQLException("x", "28P01")))));
    }

    @Test
    void line_unknownHost_isNamedThoughTheDriverDoesNot() {
        SQLException cause = new SQLException("The connection attempt failed.", "08001");
        cause.initCause(new UnknownHostException("db.invalid"));

        assertEquals(
                "cannot be reached: The connection attempt failed.; unknown host db.invalid",
                StartFailure.line(new StartException("cannot be reached: The connection attempt failed.", cause)));
    }

    @Test
    void line_anythingElse_isItsMessageOrItsType() {
        assertEquals("a; b", StartFailure.line(new IllegalStateException("a\r\n b")));
        assertEquals("NullPointerException", StartFailure.line(new NullPointerException()));
    }

    @Test
    void line_causesInACircle_ends() {
        Exception inner = new Exception("inner");
        Exception outer = new Exception("outer", inner);
        inner.initCause(outer);

        assertEquals("outer", StartFailure.line(outer));
    }
}
