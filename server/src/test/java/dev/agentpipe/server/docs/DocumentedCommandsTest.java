package dev.agentpipe.server.docs;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.agentpipe.server.TestServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** Whoever copies a command line with {@code curl} out of the documents gets what they promise. */
final class DocumentedCommandsTest {

    private static final Path ROOT = Path.of("..");
    private static final Pattern SHELL_BLOCK =
            Pattern.compile("^```sh\\n(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);
    /** To the end of its line that no quotes and no backslash continue; with a comment. */
    private static final Pattern COMMAND =
            Pattern.compile("^curl (?:'[^']*'|\"[^\"]*\"| #.*|\\\\\n|[^'\"\n])*+$", Pattern.MULTILINE);

    @TempDir
    private static Path folder;

    private static TestServer server;
    private static String eventId;

    @BeforeAll
    static void start() throws IOException {
        server = TestServer.start();
        eventId =
                server.ingest(TestServer.messageBody("c-1", "documented", "x")).header("Event-Id");
        Files.createDirectory(folder.resolve("data"));
        Files.writeString(folder.resolve("data/api-key"), TestServer.KEY + "\n");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void needCurl() {
        boolean there =
                Stream.of("/usr/bin/curl", "/usr/local/bin/curl").anyMatch(file -> Files.isExecutable(Path.of(file)));
        assertTrue(there || !"true".equals(System.getenv("CI")), "CI needs curl");
        assumeTrue(there, "there is no curl");
    }

    private static Stream<Arguments> inMarkdown() throws IOException {
        List<Arguments> commands = new ArrayList<>();
        List<Path> documents = new ArrayList<>(List.of(ROOT.resolve("README.md"), ROOT.resolve("UPGRADING.md")));
        try (Stream<Path> files = Files.list(ROOT.resolve("docs"))) {
            files.filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
        }
        for (Path document : documents) {
            SHELL_BLOCK
                    .matcher(Files.readString(document))
                    .results()
                    .forEach(block -> COMMAND.matcher(block.group(1))
                            .results()
                            .forEach(found -> commands.add(
                                    arguments(document.getFileName().toString(), found.group()))));
        }
        return commands.stream();
    }

    @ParameterizedTest
    @MethodSource("inMarkdown")
    void command_ofMarkdown_works(String document, String command) throws Exception {
        assertWorks(command);
    }

    @Test
    void commands_ofTheReadme_areFound() throws IOException {
        assertTrue(inMarkdown().count() >= 6);
    }

    /** In an order in which what is read was written before, and is deleted at the end. */
    private static Stream<CurlExample> onThePage() {
        JsonNode document = ApiDocument.of("test");
        List<CurlExample> others = new ArrayList<>();
        List<CurlExample> writes = new ArrayList<>();
        List<CurlExample> deletes = new ArrayList<>();
        document.get("paths")
                .properties()
                .forEach(path -> path.getValue().properties().forEach(one -> {
                    List<CurlExample> into = switch (one.getKey().toUpperCase(Locale.ROOT)) {
                        case "POST" -> writes;
                        case "DELETE" -> deletes;
                        default -> others;
                    };
                    into.addAll(
                            CurlExample.of(path.getKey(), one.getKey(), new ApiOperation(document, one.getValue())));
                }));
        return Stream.of(writes, others, deletes).flatMap(List::stream);
    }

    @ParameterizedTest
    @MethodSource("onThePage")
    void command_onThePage_works(CurlExample example) throws Exception {
        assertWorks(example.command());
    }

    private static void assertWorks(String command) throws Exception {
        String url = server.uri("/").toString().replaceFirst("/$", "");
        String line = command.replaceAll("(http://)?(127\\.0\\.0\\.1|localhost):3000", url)
                .replace("conversations/<id>", "conversations/c-1")
                .replace("<id>", eventId)
                .replaceFirst("^curl ", "curl -sS -D - ");
        ProcessBuilder builder = new ProcessBuilder("bash", "-c", line)
                .directory(folder.toFile())
                .redirectErrorStream(true);
        builder.environment().put("AGENTPIPE_STREAM_URL", url);
        builder.environment().put("AGENTPIPE_STREAM_API_KEY", TestServer.KEY);
        builder.environment().put("AGENTPIPE_ADMIN_API_KEY", TestServer.ADMIN_KEY);
        Process process = builder.start();
        // A stream has no end: the beginning is enough.
        try (BufferedReader out = process.inputReader()) {
            String first = String.valueOf(out.readLine());
            assertTrue(
                    first.matches("HTTP/1.1 20[014] .*"),
                    () -> line + "\n" + first + "\n" + out.lines().limit(20).toList());
        } finally {
            process.toHandle().destroy();
            process.waitFor();
        }
    }
}
