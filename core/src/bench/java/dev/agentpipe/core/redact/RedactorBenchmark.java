package dev.agentpipe.core.redact;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What redaction adds to an event in which there is nothing to redact. An operation is one event. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class RedactorBenchmark {

    private static final int LARGE_CHARS = 1_000_000;

    /** Bodies of the real CLI, and contents of 1 MB: prose, prose with a line break in each line, one hostile pattern. */
    @Param({
        "message.created.full",
        "message.created.90KiB-content",
        "prose",
        "lines",
        "token=",
        "eyJ-",
        "://a:",
        "sk-a1"
    })
    public String event;

    private final Redactor redactor = Redactor.on();
    private byte[] json;

    @Setup
    public void load() {
        String fixture = "/fixtures/" + event + ".jsonl";
        try (var in = RedactorBenchmark.class.getResourceAsStream(fixture)) {
            String text = in == null ? large() : new String(in.readAllBytes(), StandardCharsets.UTF_8);
            json = text.lines().findFirst().orElseThrow().getBytes(StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String large() {
        String sentence =
                "A small job queue: tasks wait in a table, workers lease them, and what fails is tried again. ";
        String piece = event.equals("prose") ? sentence : event.equals("lines") ? sentence + "\\n" : event;
        return "{\"content\":\"" + piece.repeat(LARGE_CHARS / piece.length()) + "\"}";
    }

    @Benchmark
    public byte[] redact() {
        return redactor.json(json, 0, json.length);
    }
}
