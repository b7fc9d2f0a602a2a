package dev.agentpipe.server.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.docs.Api.Operation;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** The page in a real browser. */
final class ApiPageTest {

    private static TestServer server;
    private static Optional<Browser> found;
    private Browser browser;

    @BeforeAll
    static void start() {
        found = Browser.open();
        server = found.isPresent() ? TestServer.start() : null;
    }

    @AfterAll
    static void stop() {
        found.ifPresent(Browser::close);
        if (server != null) {
            server.close();
        }
    }

    @BeforeEach
    void open() {
        assumeTrue(found.isPresent(), "there is no browser");
        browser = found.get();
        browser.width(1_280);
        browser.colors("light");
        browser.driver().get(server.uri("/api/docs").toString());
    }

    @Test
    void page_isShownWithoutAnyError() {
        assertEquals(List.of(), browser.console());
        assertEquals("complete", browser.script("return document.readyState"));
        assertEquals(
                1L, browser.script("return document.styleSheets.length"), "nothing of it was stopped by the policy");
        assertEquals(0L, browser.script("return document.scripts.length"));
        browser.script(
                "const s = document.createElement('script'); s.textContent = 'window.x = 1'; document.body.append(s)");
        assertEquals(null, browser.script("return window.x"), "the policy holds");
        assertTrue(browser.console().toString().contains("Content Security Policy"));
    }

    @Test
    void operations_areAllThere() {
        Api api = new Api(server.get("/api/openapi.json").response().body());
        for (Operation operation : api.operations()) {
            String id = operation.node().get("operationId").stringValue();
            String text = browser.driver().findElement(By.id(id)).getText();
            assertTrue(text.contains(operation.method() + " " + operation.path()), text);
            assertTrue(text.contains("curl "), text);
            operation
                    .node()
                    .get("responses")
                    .propertyNames()
                    .forEach(status -> assertTrue(text.contains(status), text));
        }
    }

    @Test
    void links_leadSomewhereOnThePage() {
        Object lost = browser.script("return [...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash.slice(1))"
                + ".filter(id => !document.getElementById(id))");
        assertEquals(List.of(), lost);
        Object repeated = browser.script("const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
                + "return ids.filter((id, i) => ids.indexOf(id) !== i)");
        assertEquals(List.of(), repeated);

        browser.driver()
                .findElement(By.cssSelector("nav a[href='#getReadiness']"))
                .sendKeys(Keys.ENTER);
        assertEquals("#getReadiness", browser.script("return location.hash"));
        Object top = browser.script("document.documentElement.style.scrollBehavior = 'auto';"
                + "location.hash = ''; location.hash = 'getReadiness';"
                + "return Math.round(document.getElementById('getReadiness').getBoundingClientRect().top)");
        assertTrue((long) top >= 0 && (long) top < 400, "at " + top);
    }

    @ParameterizedTest
    @ValueSource(ints = {360, 768, 1_280, 1_920})
    void page_isNeverWiderThanTheScreen(int width) {
        browser.width(width);

        assertEquals((long) width, browser.script("return window.innerWidth"));
        assertEquals(
                List.of(),
                browser.script("return document.documentElement.scrollWidth <= window.innerWidth ? [] :"
                        + "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right >"
                        + " window.innerWidth).map(e => e.outerHTML.slice(0, 200))"));
    }

    @Test
    void keyboard_skipsToTheContent_andShowsWhereItIs() {
        WebElement body = browser.driver().findElement(By.tagName("body"));
        body.sendKeys(Keys.TAB);
        WebElement first = browser.driver().switchTo().activeElement();

        assertEquals("To the content", first.getText());
        assertNotEquals("none", first.getCssValue("outline-style"));
        first.sendKeys(Keys.ENTER);
        assertEquals("#content", browser.script("return location.hash"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"light", "dark"})
    void text_isReadable(String scheme) {
        browser.colors(scheme);
        // WCAG 2.2, 1.4.3: 4.5 to 1, of everything that has text of its own.
        Object unreadable = browser.script("""
                const rgb = text => text.match(/[0-9.]+/g).map(Number);
                const linear = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
                const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
                const background = e => {
                  for (; e; e = e.parentElement) {
                    const color = rgb(getComputedStyle(e).backgroundColor);
                    if (color.length < 4 || color[3] > 0) return color;
                  }
                };
                return [...document.querySelectorAll('body, body *')]
                    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
                    .filter(e => {
                      const a = light(rgb(getComputedStyle(e).color)), b = light(background(e));
                      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
                    })
                    .map(e => e.outerHTML.slice(0, 100));
                """);
        assertEquals(List.of(), unreadable);
        Object page = browser.script("return getComputedStyle(document.body).backgroundColor");
        assertEquals(scheme.equals("light") ? "rgb(253, 253, 252)" : "rgb(20, 25, 26)", page);
    }
}
