package dev.agentpipe.server.http;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.encoder.Encoder;
import dev.agentpipe.server.logs.JsonLines;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import net.logstash.logback.argument.StructuredArguments;
import net.logstash.logback.encoder.LogstashEncoder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the line of a request costs: to make its event, and to encode it. The same members as arguments of the library, or as
 * what a thread is about (MDC), are there to compare.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class RequestLineBenchmark {

    private final LoggerContext context = new LoggerContext();
    private final Logger logger = context.getLogger(RequestLog.LOGGER);
    private final Encoder<ILoggingEvent> ours;
    private final LogstashEncoder library = new LogstashEncoder();
    private long number;

    public RequestLineBenchmark() {
        context.setMDCAdapter(new LogbackMDCAdapter());
        ours = JsonLines.encoder(context);
        library.setContext(context);
        library.setTimeZone("UTC");
        library.start();
    }

    private RequestLine line() {
        number++;
        return new RequestLine(
                "1y2p0ij32e8e7" + number % 10,
                "POST",
                "/api/ingest",
                201,
                1_000 + number % 5_000,
                700,
                0,
                null,
                "ap_live_…1f3a9c02",
                "c-7f3a2b90-" + number % 100,
                "127.0.0.1",
                null);
    }

    private LoggingEvent event(Object... arguments) {
        LoggingEvent event = new LoggingEvent(RequestLog.LOGGER, logger, Level.INFO, "{}", null, arguments);
        event.setThreadName("http I/O-1");
        return event;
    }

    @Benchmark
    public Object make() {
        return event(line());
    }

    @Benchmark
    public Object makeAndEncode() {
        return ours.encode(event(line()));
    }

    @Benchmark
    public Object makeAndEncode_structuredArguments() {
        RequestLine line = line();
        return library.encode(event(
                StructuredArguments.kv("requestId", line.requestId()),
                StructuredArguments.kv("method", line.method()),
                StructuredArguments.kv("route", line.route()),
                StructuredArguments.kv("status", line.status()),
                StructuredArguments.kv("durationMs", line.micros() / 1_000.0),
                StructuredArguments.kv("bytesIn", line.bytesIn()),
                StructuredArguments.kv("bytesOut", line.bytesOut()),
                StructuredArguments.kv("keyId", line.keyId()),
                StructuredArguments.kv("conversationId", line.conversationId()),
                StructuredArguments.kv("address", line.address())));
    }

    @Benchmark
    public Object makeAndEncode_mdc() {
        RequestLine line = line();
        LoggingEvent event = event("request");
        event.setMDCPropertyMap(Map.of(
                "requestId", line.requestId(),
                "method", line.method(),
                "route", line.route(),
                "status", Integer.toString(line.status()),
                "durationMs", Double.toString(line.micros() / 1_000.0),
                "bytesIn", Long.toString(line.bytesIn()),
                "bytesOut", Long.toString(line.bytesOut()),
                "keyId", line.keyId(),
                "conversationId", line.conversationId(),
                "address", line.address()));
        return library.encode(event);
    }
}
