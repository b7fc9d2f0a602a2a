package dev.agentpipe.server.cli;

import dev.agentpipe.core.redact.Redactor;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows what REDACT=on would leave of a file. */
@Command(
        name = "redact",
        description = "Print files as REDACT=on would have them stored, and how much that takes out.",
        footer = {
            "",
            "Event files, sessions, any other JSON, or text. What it prints can be compared with the file by diff."
        })
final class RedactCommand implements Callable<Integer> {

    /** Four times the largest upload. */
    private static final int BYTES_MAX = 256 << 20;

    private final InputStream in;
    private final OutputStream out;
    private final Redactor redactor = Redactor.on();

    @Spec
    private CommandSpec spec;

    @Parameters(arity = "0..*", paramLabel = "FILE", description = "What to read; without any: standard input.")
    private List<Path> files;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    RedactCommand(InputStream in, OutputStream out) {
        this.in = in;
        this.out = out;
    }

    @Override
    public Integer call() throws IOException {
        if (files == null) {
            redact(in);
        } else {
            for (Path file : files) {
                try (InputStream opened = Files.newInputStream(file)) {
                    redact(opened);
                }
            }
        }
        out.flush();
        tell(spec.commandLine().getErr());
        return Commands.OK;
    }

    private void redact(InputStream source) throws IOException {
        byte[] bytes = source.readNBytes(BYTES_MAX + 1);
        if (bytes.length > BYTES_MAX) {
            throw new IOException("a file may have " + (BYTES_MAX >> 20) + " MiB");
        }
        if (isJson(bytes)) {
            byte[] redacted = redactor.json(bytes, 0, bytes.length);
            out.write(redacted == null ? bytes : redacted);
        } else {
            String text = new String(bytes, StandardCharsets.UTF_8);
            String redacted = redactor.text(null, text);
            out.write(redacted.equals(text) ? bytes : redacted.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** By its first character, as far as it has to be known: strings are found alike in what is only almost JSON. */
    private static boolean isJson(byte[] bytes) {
        String start = new String(bytes, 0, Math.min(bytes.length, 1_000), StandardCharsets.UTF_8).strip();
        return start.startsWith("{") || start.startsWith("[") || start.startsWith("\uFEFF{");
    }

    private void tell(PrintWriter err) {
        if (redactor.counts().isEmpty()) {
            err.println("nothing to redact");
        }
        redactor.counts().forEach((kind, count) -> err.println(count + " x " + kind.label()));
    }
}
