package dev.agentpipe.server.docs;

import java.io.File;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.stream.Stream;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** A Chromium without a window. */
public final class Browser implements AutoCloseable {

    private static final List<String> FOLDERS = List.of("/usr/bin", "/usr/local/bin", "/snap/bin");

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final ChromeDriver driver;

    /** Empty, and says why, where Chromium or its driver is missing; in CI both must be there. */
    public static Optional<Browser> open() {
        Optional<File> chromium = find("chromium", "google-chrome");
        Optional<File> driver = find("chromedriver", "chromium.chromedriver");
        if (chromium.isPresent() && driver.isPresent()) {
            return Optional.of(new Browser(chromium.get(), driver.get()));
        }
        if ("true".equals(System.getenv("CI"))) {
            throw new AssertionError("CI needs chromium and chromium-driver");
        }
        System.out.println("Skipped: tests in a browser need chromium and chromium-driver");
        return Optional.empty();
    }

    private static Optional<File> find(String... names) {
        return Stream.of(names)
                .flatMap(name -> FOLDERS.stream().map(folder -> new File(folder, name)))
                .filter(File::canExecute)
                .findFirst();
    }

    private Browser(File chromium, File driverFile) {
        ChromeOptions options = new ChromeOptions();
        options.setBinary(chromium);
        // No sandbox: tests may run as root, and only our own pages are opened.
        options.addArguments("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu");
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        options.setCapability("goog:loggingPrefs", logs);
        System.setProperty("webdriver.chrome.driver", driverFile.getPath());
        this.driver = new ChromeDriver(options);
    }

    public ChromeDriver driver() {
        return driver;
    }

    public void width(int pixels) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", pixels, "height", 800, "deviceScaleFactor", 1, "mobile", false));
    }

    public void colors(String scheme) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    }

    public Object script(String script) {
        return driver.executeScript(script);
    }

    /** Runs the body of an async function, and gives what it returns; what it throws is returned as text. */
    public Object await(String body) {
        driver.manage().timeouts().scriptTimeout(PATIENCE);
        return driver.executeAsyncScript("const done = arguments[arguments.length - 1];" + "(async () => {" + body
                + "})().then(done, error => done('' + error));");
    }

    /** What the console has said since the last look: errors, and what a policy has stopped. */
    public List<String> console() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .map(LogEntry::toString)
                .toList();
    }

    @Override
    public void close() {
        driver.quit();
    }
}
