package dev.agentpipe.server.browser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.Origin;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.docs.Browser;
import dev.agentpipe.server.keys.KeyMaker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.html.HtmlRenderer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.Cookie;

/** In a real browser: pages of two other origins, one that is allowed and one that is not; and answers that are opened as pages. Reading takes a key. */
final class PagesTest {

    private static final String CONVERSATION = "/api/conversations/c-1";

    private static Optional<Browser> found;
    private static HttpServer allowed;
    private static HttpServer other;
    private static TestServer server;
    private static ApiKey reader;
    private Browser browser;

    @BeforeAll
    static void start() throws IOException {
        found = Browser.open();
        if (found.isEmpty()) {
            return;
        }
        allowed = pages();
        other = pages();
        server = TestServer.start(settings -> settings.allowedOrigins(List.of(new Origin(origin(allowed)))));
        server.message("c-1", "m-1", "said");
        reader = new KeyMaker(server.databaseUrl()).make("read");
        Await.until("reading is closed", () -> server.get(CONVERSATION).status() == 401);
    }

    /** An empty page, of an origin of its own. */
    private static HttpServer pages() throws IOException {
        HttpServer pages = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        byte[] page = "<!DOCTYPE html><title>A page</title><link rel=icon href=data:,>".getBytes();
        pages.createContext("/", exchange -> {
            exchange.getResponseHeaders().add("Content-Type", "text/html");
            exchange.sendResponseHeaders(200, page.length);
            exchange.getResponseBody().write(page);
            exchange.close();
        });
        pages.start();
        return pages;
    }

    private static String origin(HttpServer pages) {
        return "http://127.0.0.1:" + pages.getAddress().getPort();
    }

    @AfterAll
    static void stop() {
        if (found.isPresent()) {
            found.get().close();
            server.close();
            allowed.stop(0);
            other.stop(0);
        }
    }

    @BeforeEach
    void open() {
        assumeTrue(found.isPresent(), "there is no browser");
        browser = found.get();
        goTo(allowed);
    }

    private void goTo(HttpServer pages) {
        browser.driver().get(origin(pages));
        browser.driver().manage().deleteAllCookies();
        browser.script(
                "window.server = '" + server.uri("/").resolve("").toString().replaceAll("/$", "") + "';"
                        + "window.key = {Authorization: 'Bearer " + reader.value() + "'};");
        browser.console();
    }

    @Test
    void page_thatIsAllowed_readsWithAKey() {
        Object read = browser.await("""
                const one = await fetch(server + '/api/conversations/c-1', {headers: {...key, 'X-Request-Id': 'mine'}});
                const tag = one.headers.get('ETag');
                const again = await fetch(server + '/api/conversations/c-1',
                    {headers: {...key, 'If-None-Match': tag}, cache: 'no-store'});
                return {status: one.status, id: (await one.json()).id, request: one.headers.get('X-Request-Id'),
                    tagged: !!tag, again: again.status};
                """);

        assertEquals(Map.of("status", 200L, "id", "c-1", "request", "mine", "tagged", true, "again", 304L), read);
        assertEquals(List.of(), browser.console());
    }

    @Test
    void page_thatIsAllowed_readsWhatWentWrong() {
        Object read = browser.await("""
                const codes = [];
                for (const [path, options] of [
                    ['/api/conversations/none', {headers: key}],
                    ['/api/conversations', {headers: {Authorization: 'Bearer wrong-wrong'}}],
                    ['/api/conversations?limit=x', {headers: key}],
                    ['/api/ingest', {method: 'POST', headers: {...key, 'Content-Type': 'application/json'}, body: '{}'}],
                    ['/api/stream', {}],
                    ['/nowhere', {}]]) {
                  codes.push((await (await fetch(server + path, options)).json()).code);
                }
                return codes;
                """);

        assertEquals(
                List.of("not_found", "unauthorized", "invalid_parameter", "forbidden", "unauthorized", "not_found"),
                read);
    }

    @Test
    void page_thatIsAllowed_watchesWithATicket() {
        Object opened = browser.await("""
                const answer = await fetch(server + '/api/realtime/ticket', {method: 'POST', headers: key});
                const {ticket} = await answer.json();
                const source = new EventSource(server + '/api/realtime/stream?replay=1&ticket=' + ticket);
                return new Promise(done => {
                  source.onmessage = message => {
                    const event = JSON.parse(message.data);
                    if (event.type === 'message.created') { source.close(); done(event.data.content); }
                  };
                  source.onerror = () => done('no stream');
                });
                """);

        assertEquals("said", opened);
        assertEquals(List.of(), browser.console());
    }

    /** As clients do that are no EventSource, to send a key. */
    @Test
    void page_thatIsAllowed_watchesByFetchWithAKey() {
        Object first = browser.await("""
                const answer = await fetch(server + '/api/realtime/stream', {headers: {...key, Accept: 'text/event-stream',
                    'Cache-Control': 'no-cache', 'Last-Event-ID': 'none'}});
                const reader = answer.body.getReader();
                const text = new TextDecoder().decode((await reader.read()).value);
                await reader.cancel();
                return text;
                """);

        assertTrue(first.toString().contains("event: reset"), first.toString());
    }

    @Test
    void page_thatIsNotAllowed_readsNothing() {
        goTo(other);
        Object tried = browser.await("""
                const tries = [];
                for (const options of [{headers: key}, {}, {mode: 'no-cors'}, {credentials: 'include'}]) {
                  tries.push(await fetch(server + '/api/conversations/c-1', options).then(() => 'read', error => error.name));
                }
                tries.push(await fetch(server + '/api/conversations/c-1', {method: 'DELETE', headers: key})
                    .then(() => 'deleted', error => error.name));
                tries.push(await new Promise(done => {
                  const source = new EventSource(server + '/api/realtime/stream');
                  source.onopen = () => done('opened');
                  source.onerror = () => done(source.readyState === EventSource.CLOSED ? 'closed' : 'tries on');
                }));
                return tries;
                """);

        assertEquals(List.of("TypeError", "TypeError", "TypeError", "TypeError", "TypeError", "closed"), tried);
        assertEquals(
                200,
                server.get(CONVERSATION, "Authorization", "Bearer " + reader.value())
                        .status());
    }

    /** Another port of this host is the same site, so the browser would send the cookie. */
    @Test
    void page_ofTheSameSite_doesNothingWithASession() {
        logIn();
        browser.driver().get(server.uri(CONVERSATION).toString());
        assertTrue(browser.driver().getPageSource().contains("said"), "the server's own pages read with it");

        browser.driver().get(origin(allowed));
        browser.script("window.server = '" + origin(server) + "'");
        Object tried = browser.await("""
                const tries = [];
                for (const options of [{credentials: 'include'}, {credentials: 'include', method: 'DELETE'},
                    {credentials: 'include', mode: 'no-cors'}]) {
                  tries.push(await fetch(server + '/api/conversations/c-1', options)
                      .then(answer => answer.status, error => error.name));
                }
                tries.push((await fetch(server + '/api/conversations/c-1')).status);
                for (const withCredentials of [true, false]) {
                  tries.push(await new Promise(done => {
                    const source = new EventSource(server + '/api/realtime/stream', {withCredentials});
                    source.onopen = () => done('opened');
                    source.onerror = () => done('refused');
                  }));
                }
                return tries;
                """);

        assertEquals(List.of("TypeError", "TypeError", "TypeError", 401L, "refused", "refused"), tried);
        assertEquals(
                200,
                server.get(CONVERSATION, "Authorization", "Bearer " + reader.value())
                        .status());
    }

    /** As the server's own page would, whose policy lets no test in. */
    private void logIn() {
        String session = server.send(HttpRequest.newBuilder(server.uri("/api/session"))
                        .header("Authorization", "Bearer " + TestServer.ADMIN_KEY)
                        .POST(BodyPublishers.noBody())
                        .build())
                .header("Set-Cookie")
                .split("[=;]")[1];
        browser.driver().get(server.uri("/api/docs").toString());
        browser.driver()
                .manage()
                .addCookie(new Cookie.Builder("agentpipe_session", session)
                        .path("/")
                        .isHttpOnly(true)
                        .sameSite("Strict")
                        .build());
    }

    /** Whoever follows a link to an answer sees its text. */
    @Test
    void answer_openedAsAPage_runsNothing() {
        List<String> paths =
                new ArrayList<>(List.of("/api/conversations?limit=100", "/api/messages/recent?status=ERROR"));
        for (String text : Hostile.TEXTS.subList(0, 7)) {
            Hostile.store(server, text);
            String encoded = Hostile.encoded(text);
            paths.add("/api/conversations/" + encoded);
            paths.add("/api/conversations/" + encoded + "/messages");
            paths.add("/api/conversations/none" + encoded);
            paths.add("/api/conversations?sort=" + encoded);
            paths.add("/" + encoded);
        }
        logIn();
        for (String path : paths) {
            browser.driver().get(server.uri(path).toString());
            assertEquals(
                    List.of(true, 0L, 0L),
                    browser.script(
                            "return [document.body.textContent.includes('{') && window.owned === undefined,"
                                    + " document.scripts.length, document.querySelectorAll('img, svg, iframe, a[href]').length]"),
                    path);
        }
    }

    /** Viewers of Markdown that pass HTML on are the worst there are. */
    @Test
    void markdown_renderedWithoutAnyCare_runsNothing() {
        for (String text : Hostile.TEXTS) {
            Hostile.upload(server, text);
            String markdown = server.get(
                            "/api/conversations/s" + Hostile.encoded(text) + "/export?format=markdown",
                            "Authorization",
                            "Bearer " + reader.value())
                    .response()
                    .body();
            String html = HtmlRenderer.builder()
                    .build()
                    .render(Parser.builder().build().parse(markdown));
            Object found = browser.driver()
                    .executeScript(
                            "document.body.innerHTML = arguments[0];"
                                    + "return [document.body.textContent.length > 0, window.owned === undefined,"
                                    + " document.querySelectorAll('script, img, svg, iframe, a, style, [onmouseover]').length]",
                            html);
            assertEquals(List.of(true, true, 0L), found, text);
        }
    }

    private static String origin(TestServer of) {
        return "http://127.0.0.1:" + of.port();
    }

    @Test
    void frame_ofAnotherPage_showsNothing() {
        for (String path : List.of("/api/docs", "/api/health")) {
            browser.await("""
                    const frame = document.createElement('iframe');
                    const loaded = new Promise(done => frame.onload = done);
                    frame.src = server + '%s';
                    document.body.append(frame);
                    await loaded;
                    """.formatted(path));
            assertTrue(browser.console().toString().contains("frame-ancestors 'none'"), path);
        }
    }
}
