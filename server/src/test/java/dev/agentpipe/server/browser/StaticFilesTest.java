package dev.agentpipe.server.browser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.RawHttp.Answer;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The files of pages are those that there are, by their names. */
final class StaticFilesTest {

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Answer get(String path) throws IOException {
        return RawHttp.ask(server.port(), RawHttp.head("GET " + path + " HTTP/1.1", 0));
    }

    @ParameterizedTest
    @CsvSource({"/api/docs/style.css,text/css; charset=utf-8", "/api/docs/icon.svg,image/svg+xml"})
    void file_isThere_withItsType(String path, String type) throws IOException {
        Answer answer = get(path);
        assertEquals(200, answer.status());
        assertEquals(type, answer.header("Content-Type"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/api/docs/../../../../etc/passwd",
                "/api/docs/..%2f..%2f..%2fetc%2fpasswd",
                "/api/docs/..%5c..%5cetc%5cpasswd",
                "/api/docs/%2e%2e/%2e%2e/etc/passwd",
                "/api/docs/%252e%252e%252fetc%252fpasswd",
                "/api/docs/....//....//etc/passwd",
                "/api/docs/..;/..;/etc/passwd",
                "/api/docs//etc/passwd",
                "/api/docs/%2fetc%2fpasswd",
                "/api/docs/file:%2f%2f%2fetc%2fpasswd",
                "/api/docs/style.css%00.html",
                "/api/docs/style.css%2f",
                "/api/docs/style.css/x",
                "/api/docs/STYLE.CSS",
                "/api/docs/style.css.",
                "/api/docs/style.css%20",
                "/api/docs/.%2fstyle.css",
                "/api/docs/x%2f..%2fstyle.css",
                "/api/docs/..%2fopenapi%2fopenapi.json",
                "/api/docs/..%2fDocs.class",
                "/api/docs/%c0%ae%c0%ae%c0%afetc%c0%afpasswd",
                "/api/docs/\uFF0E\uFF0E/etc/passwd",
                "/api/docs/",
                "/api/docs/.",
                "/api/docs/..",
                "/api/docs/con",
                "/..%2f..%2fetc%2fpasswd",
                "//etc/passwd"
            })
    void anythingElse_isNotThere(String path) throws IOException {
        Answer answer = get(path);
        assertTrue(answer.status() == 404 || answer.status() == 400, answer::toString);
        assertTrue(!answer.body().contains("root:")
                && !answer.body().contains("{--")
                && !answer.body().contains("/etc"));
    }
}
