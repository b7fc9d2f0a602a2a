package dev.agentpipe.server.smoke;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.smoke.FaultyServer.Fault;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SmokeTest {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(1_500);

    private final StringWriter out = new StringWriter();

    @Test
    void run_serverInOrder_passesEveryCheck() throws Exception {
        try (FaultyServer server = new FaultyServer(Fault.NONE)) {
            assertTrue(run(server.uri(), LONG), out::toString);
        }

        List<String> lines = out.toString().lines().toList();
        assertTrue(lines.get(0).matches("Trying http://127.0.0.1:\\d+ with the conversation smoke-[0-9a-f-]{36}"));
        assertEquals(9, lines.stream().filter(line -> line.startsWith("ok ")).count(), out::toString);
        assertTrue(lines.get(lines.size() - 1).startsWith("9 passed, 0 failed, 0 skipped, in "), out::toString);
        assertFalse(out.toString().contains(FaultyServer.KEY), "the key is not shown");
    }

    @ParameterizedTest
    @CsvSource({
        "UNHEALTHY, health, unhealthy",
        "NEVER_ANSWERS, health, none within",
        "REDIRECTS, health, 301",
        "ANSWERS_WITHOUT_ID, bridge.test is accepted, 201 {}",
        "ACCEPTS_ANY_KEY, a wrong key is refused, 201",
        "ACCEPTS_MALFORMED, a malformed event is refused, 201",
        "POINTS_ELSEWHERE, a malformed event is refused, 400",
        "STORES_A_REPEAT, a repeated event is known, 201",
        "STREAM_IS_NO_STREAM, a stream opens, 200 application/json",
        "STREAM_STAYS_SILENT, a stream opens, nothing within",
        "STREAM_ENDS, the stream has what was sent, the end of the stream",
        "STREAM_LOSES_ONE, the stream has what was sent, the id t-6",
        "STREAM_REPEATS_ONE, the stream has what was sent, the id t-5",
        "STREAM_CHANGES_ONE, the stream has what was sent, 151",
        "STREAM_TELLS_THE_COMMAND, the stream has what was sent, full_command",
        "RESUME_BEGINS_ANEW, a cut stream resumes, the id t-2",
        "RESUME_SKIPS_TO_LIVE, a cut stream resumes, nothing within",
        "RESUME_RESETS, a cut stream resumes, the event reset",
    })
    void run_oneThingWrong_saysWhich(Fault fault, String check, String seen) throws Exception {
        try (FaultyServer server = new FaultyServer(fault)) {
            assertFalse(run(server.uri(), seen.endsWith("within") ? SHORT : LONG), out::toString);
        }

        List<String> lines = out.toString().lines().toList();
        int at = lines.indexOf("FAILED   " + check);
        assertTrue(at > 0, out::toString);
        assertTrue(lines.get(at + 1).startsWith("           expected: "), out::toString);
        assertTrue(lines.get(at + 2).startsWith("           seen:     "), out::toString);
        assertTrue(lines.get(at + 2).contains(seen), out::toString);
    }

    @Test
    void run_nobodyThere_failsAtOnceAndSkipsTheRest() throws Exception {
        URI gone;
        try (FaultyServer server = new FaultyServer(Fault.NONE)) {
            gone = server.uri();
        }

        assertFalse(run(gone, LONG));

        assertTrue(out.toString().contains("ConnectException"), out::toString);
        assertTrue(out.toString().contains("0 passed, 1 failed, 8 skipped"), out::toString);
    }

    private boolean run(URI uri, Duration mostEach) throws InterruptedException {
        return new Smoke(uri, FaultyServer.KEY, mostEach, LONG, new PrintWriter(out)).run();
    }
}
