package dev.agentpipe.server.bench;

import dev.agentpipe.server.bench.load.Messages;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Two load generators in C, {@code ingestload} and {@code ssefan}, if somebody has them: on few processors they leave more
 * of them to the server than a client in Java does. They are not part of this project; each prints one line of JSON.
 */
final class CTools {

    private final Path ingestload;
    private final Path ssefan;
    private final Path template;
    private final Consumer<Process> started;

    /** @param started is told each process, to end it if nobody else does */
    CTools(Path tools, Path folder, Consumer<Process> started) throws IOException {
        this.started = started;
        ingestload = program(tools, "ingestload");
        ssefan = program(tools, "ssefan");
        template = folder.resolve("message.json");
        String text = new Messages().text(0, 0, 0);
        text = text.replaceFirst("\"timestamp\":\"[^\"]+\"", "\"timestamp\":\"{{iso}}\"")
                .replaceFirst("\"conversation_id\":\"[^\"]+\"", "\"conversation_id\":\"{{conv}}\"")
                .replaceFirst("\"message_id\":\"[^\"]+\"", "\"message_id\":\"{{uuid}}\"")
                .replaceFirst("sent=0+", "ts_ns={{ts_ns}}");
        Files.writeString(template, text);
    }

    private static Path program(Path folder, String name) throws IOException {
        Path program = folder.resolve(name);
        if (!Files.isExecutable(program)) {
            throw new IOException("there is no program " + program);
        }
        return program;
    }

    /** Posts messages, each connection to a conversation of its own; {@code perSecond} 0 is a closed load. */
    JsonNode ingest(ServerProcess server, int connections, double perSecond, Duration duration)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                ingestload.toString(),
                "-p",
                Integer.toString(server.port()),
                "-u",
                "/api/ingest",
                "-H",
                "Authorization: Bearer " + server.key(),
                "-b",
                template.toString(),
                "-c",
                Integer.toString(connections),
                "-m",
                Integer.toString(connections),
                "-d",
                Long.toString(duration.toSeconds())));
        if (perSecond > 0) {
            command.addAll(List.of("-R", Double.toString(perSecond)));
        }
        Process process = new ProcessBuilder(command).start();
        started.accept(process);
        return result(process, duration.plusSeconds(60));
    }

    /** Opens streams, and reads them until nothing has come for two seconds. Returns when they are open. */
    Process streams(ServerProcess server, int count, Duration longest) throws IOException {
        Process process = new ProcessBuilder(
                        ssefan.toString(),
                        "-p",
                        Integer.toString(server.port()),
                        "-u",
                        "/api/realtime/stream",
                        "-n",
                        Integer.toString(count),
                        "-q",
                        "2",
                        "-d",
                        Long.toString(longest.toSeconds()))
                .redirectErrorStream(true)
                .start();
        started.accept(process);
        String ready = process.inputReader(StandardCharsets.UTF_8).readLine();
        if (ready == null || !ready.startsWith("READY n=" + count + " errors=0")) {
            process.destroyForcibly();
            throw new IOException("ssefan: " + ready);
        }
        return process;
    }

    static JsonNode result(Process process, Duration patience) throws IOException, InterruptedException {
        try {
            String last = process.inputReader(StandardCharsets.UTF_8)
                    .lines()
                    .reduce((one, next) -> next)
                    .orElse("");
            if (!process.waitFor(patience.toSeconds(), TimeUnit.SECONDS) || !last.startsWith("{")) {
                throw new IOException("a load generator failed: " + last);
            }
            return JsonMapper.builder().build().readTree(last);
        } finally {
            process.destroyForcibly();
        }
    }
}
