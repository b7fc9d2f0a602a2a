package dev.agentpipe.server.hardening;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Await;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Whoever needs docs/SECURITY.md has no time for statements that do not work, or for a class that was renamed. */
final class SecurityDocumentTest {

    private static final Path ROOT = Path.of("..");
    private static final Pattern SQL = Pattern.compile("```sql\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("`([A-Z][A-Za-z]+)(?:\\.[A-Za-z]+)?`");

    private static String document() throws IOException {
        return Files.readString(ROOT.resolve("docs/SECURITY.md"));
    }

    @Test
    void statements_work_andEndSessions() throws IOException {
        try (TestServer server = TestServer.start();
                Stored stored = new Stored(server)) {
            HttpRequest login = HttpRequest.newBuilder(server.uri("/api/session"))
                    .header("Authorization", "Bearer " + TestServer.KEY)
                    .POST(BodyPublishers.noBody())
                    .build();
            String cookie = server.send(login).header("Set-Cookie").split(";")[0];
            assertTrue(isLoggedIn(server, cookie));
            String epoch = stored.row("event_log", "true").get("epoch").stringValue();

            List<String> blocks = SQL.matcher(document())
                    .results()
                    .map(block -> block.group(1))
                    .toList();
            assertEquals(3, blocks.size());
            for (String block : blocks) {
                stored.execute(block);
            }

            assertEquals(0, stored.count("key_tokens", "true"));
            assertTrue(
                    !epoch.equals(stored.row("event_log", "true").get("epoch").stringValue()));
            Await.until("logged out", () -> !isLoggedIn(server, cookie));
        }
    }

    private static boolean isLoggedIn(TestServer server, String cookie) {
        return server.get("/api/session", "Cookie", cookie).json().get("key").isString();
    }

    /** In the table of what is defended where. */
    @Test
    void classes_exist() throws IOException {
        String table = document().lines().filter(line -> line.startsWith("| ")).reduce("", (a, b) -> a + b + "\n");
        List<String> names = CLASS.matcher(table)
                .results()
                .map(found -> found.group(1))
                .distinct()
                .toList();
        assertTrue(names.size() > 20, names::toString);
        for (String name : names) {
            if (name.equals("Server") || name.matches("[A-Z]+")) {
                continue; // a header, a setting
            }
            try (var files = Files.find(
                    ROOT,
                    15,
                    (path, is) ->
                            path.endsWith(name + ".java") && !path.toString().contains("/target/"))) {
                assertTrue(files.findAny().isPresent(), name);
            }
        }
    }
}
