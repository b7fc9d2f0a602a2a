package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class RedactCommandTest {

    private static final String TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

    @TempDir
    private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final StringWriter err = new StringWriter();

    @Test
    void eventFile_isPrintedWithoutItsSecrets() throws Exception {
        String file = """
                {"type":"log.entry","data":{"content":"\\u0067%s \\n"}}
                {"type":"log.entry","data":{"content":"x://u:hunter2@h","password":"swordfish"}}
                """.formatted(TOKEN.substring(1));

        assertEquals(
                0, run("", Files.writeString(folder.resolve("events"), file).toString()));
        assertEquals("""
                {"type":"log.entry","data":{"content":"[redacted: github token] \\n"}}
                {"type":"log.entry","data":{"content":"x://u:[redacted: password]@h","password":"[redacted: secret]"}}
                """, out.toString(StandardCharsets.UTF_8));
        assertEquals("1 x github token\n1 x password\n1 x secret\n", err.toString());
    }

    @Test
    void standardInput_text_isRedactedToo() {
        assertEquals(0, run("é\n" + TOKEN + "\n"));
        assertEquals("é\n[redacted: github token]\n", out.toString(StandardCharsets.UTF_8));
    }

    @Test
    void nothingFound_isSaidSo() {
        assertEquals(0, run("[1, \"a\"]"));
        assertEquals("[1, \"a\"]", out.toString(StandardCharsets.UTF_8));
        assertEquals("nothing to redact\n", err.toString());
    }

    private int run(String in, String... arguments) {
        RedactCommand command = new RedactCommand(new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)), out);
        return new CommandLine(command).setErr(new PrintWriter(err, true)).execute(arguments);
    }
}
