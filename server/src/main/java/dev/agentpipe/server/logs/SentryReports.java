package dev.agentpipe.server.logs;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import io.sentry.Hint;
import io.sentry.Sentry;
import io.sentry.SentryEvent;
import io.sentry.SentryLevel;
import io.sentry.SentryOptions;
import io.sentry.protocol.Message;
import io.sentry.protocol.SentryException;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Date;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Reports errors to Sentry. What leaves the house is chosen, not searched for secrets: the message as it stands in the
 * source, without what was put into it; types and stack traces of exceptions, without their text, which may quote what
 * somebody said, or a URL with its password; the id of the request, by which all the rest is found in the logs. No request, no
 * user, no address, no name of the machine.
 *
 * <p>Costs who logs a place in a short queue. Reports are made on the thread {@code sentry-reports}: a few at once, then one a
 * second; the others are only logged, and so are all of them while Sentry is away. Thread-safe.
 */
public final class SentryReports extends UnsynchronizedAppenderBase<ILoggingEvent> {

    private static final String OURS = "dev.agentpipe.";

    /** At once; then one in each interval. */
    static final int BURST = 10;

    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final int WAITING_MAX = 30;
    private static final Duration CONNECT_MAX = Duration.ofSeconds(2);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(5);
    private static final Duration FLUSH = Duration.ofSeconds(1);

    private final URI dsn;
    private final String environment;
    private final String version;
    private final ThreadPoolExecutor reporter = new ThreadPoolExecutor(
            1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING_MAX), SentryReports::thread);

    // Guarded by this.
    private int atOnce = BURST;
    private long sinceNanos = System.nanoTime();

    public SentryReports(URI dsn, String environment, String version) {
        this.dsn = dsn;
        this.environment = environment;
        this.version = version;
        reporter.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "sentry-reports");
        thread.setDaemon(true);
        return thread;
    }

    @Override
    public void start() {
        reporter.execute(() -> Sentry.init(this::configure, true)); // a start need not wait for it
        super.start();
    }

    private void configure(SentryOptions options) {
        options.setDsn(dsn.toString());
        options.setEnvironment(environment);
        options.setRelease("agentpipe-server@" + version);
        options.setBeforeSend(SentryReports::scrub);
        options.setConnectionTimeoutMillis(Math.toIntExact(CONNECT_MAX.toMillis()));
        options.setReadTimeoutMillis(Math.toIntExact(ANSWER_MAX.toMillis()));
        options.setMaxQueueSize(WAITING_MAX);
        options.setFlushTimeoutMillis(FLUSH.toMillis());
        options.setShutdownTimeoutMillis(FLUSH.toMillis());
        // Errors are all that is sent, and the process ends when it likes.
        options.setAttachServerName(false);
        options.setAttachThreads(false);
        options.setAttachStacktrace(false);
        options.setSendDefaultPii(false);
        options.setSendModules(false);
        options.setSendClientReports(false);
        options.setMaxBreadcrumbs(0);
        options.setEnableAutoSessionTracking(false);
        options.setEnableBackpressureHandling(false);
        options.setEnableUncaughtExceptionHandler(false);
        options.setEnableShutdownHook(false);
    }

    @Override
    protected void append(ILoggingEvent event) {
        if (event.getLevel().isGreaterOrEqual(Level.ERROR)
                && !event.getLoggerName().startsWith("io.sentry")
                && mayReport()) {
            event.prepareForDeferredProcessing();
            reporter.execute(() -> Sentry.captureEvent(report(event)));
        }
    }

    private synchronized boolean mayReport() {
        long intervals = (System.nanoTime() - sinceNanos) / INTERVAL.toNanos();
        if (intervals > 0) {
            atOnce = (int) Math.min(BURST, atOnce + intervals);
            sinceNanos += intervals * INTERVAL.toNanos();
        }
        if (atOnce == 0) {
            return false;
        }
        atOnce--;
        return true;
    }

    private static SentryEvent report(ILoggingEvent event) {
        SentryEvent report = new SentryEvent(new Date(event.getTimeStamp()));
        report.setLevel(SentryLevel.ERROR);
        report.setLogger(event.getLoggerName());
        Message message = new Message();
        // A library puts its values into the message before it logs.
        message.setMessage(event.getLoggerName().startsWith(OURS) ? event.getMessage() : "an error of a library");
        report.setMessage(message);
        report.setTag("thread", event.getThreadName());
        event.getMDCPropertyMap().forEach(report::setTag);
        if (event.getThrowableProxy() instanceof ThrowableProxy proxy) {
            report.setThrowable(proxy.getThrowable());
        }
        return report;
    }

    /** Last of all: what the library has added is seen here, too. */
    private static SentryEvent scrub(SentryEvent report, Hint hint) {
        if (report.getExceptions() != null) {
            Throwable at = report.getThrowable();
            for (int i = report.getExceptions().size() - 1; i >= 0; i--) { // the outermost comes last
                SentryException one = report.getExceptions().get(i);
                one.setValue(at instanceof SQLException sql ? "SQLSTATE " + sql.getSQLState() : null);
                at = at == null ? null : at.getCause();
            }
        }
        report.setRequest(null);
        report.setUser(null);
        report.setServerName(null);
        report.setBreadcrumbs(null);
        report.setExtras(null);
        return report;
    }

    /** Sends what there is, unless it takes too long; for the end of the process. */
    public void flush() {
        reporter.shutdown();
        try {
            if (reporter.awaitTermination(FLUSH.toMillis(), TimeUnit.MILLISECONDS)) {
                Sentry.flush(FLUSH.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
