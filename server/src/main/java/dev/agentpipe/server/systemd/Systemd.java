package dev.agentpipe.server.systemd;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The service manager that has started this process, if one has (sd_notify(3), {@code Type=notify}).
 *
 * <p>After {@link #ready} the watchdog is fed as long as the process really works: what is asked of the server before each
 * meal is whether the threads that nothing may block still take tasks. It is not whether PostgreSQL does: a restart brings no
 * database back, and cuts the streams.
 *
 * <p>Thread-safe.
 */
public final class Systemd {

    private static final Logger log = LoggerFactory.getLogger(Systemd.class);

    /** The server's threads that must always run. */
    public interface Pulse {
        /** Names those that take no task within this time. */
        List<String> silent(Duration patience) throws InterruptedException;
    }

    private final Notifier notifier;
    private final Duration watchdog;
    private volatile boolean stopping;

    private Systemd(Notifier notifier, Duration watchdog) {
        this.notifier = notifier;
        this.watchdog = watchdog;
    }

    /** @param environment of the process; what another process was meant to get is left alone */
    public static Systemd of(Map<String, String> environment) {
        return new Systemd(
                Notifier.to(environment.getOrDefault("NOTIFY_SOCKET", "")),
                watchdog(environment, ProcessHandle.current().pid()));
    }

    /** Zero: none. As sd_watchdog_enabled(3) has it. */
    static Duration watchdog(Map<String, String> environment, long pid) {
        String micros = environment.getOrDefault("WATCHDOG_USEC", "");
        String forPid = environment.getOrDefault("WATCHDOG_PID", Long.toString(pid));
        boolean isMeant = micros.matches("[1-9][0-9]{0,14}") && forPid.equals(Long.toString(pid));
        return isMeant ? Duration.ofNanos(Long.parseLong(micros) * 1_000) : Duration.ZERO;
    }

    /**
     * The server takes requests.
     *
     * @param status a line for people
     */
    public void ready(Pulse pulse, Supplier<String> status) {
        notifier.tell("READY=1", "STATUS=" + status.get());
        if (notifier.isThere() && !watchdog.isZero()) {
            Thread thread = new Thread(() -> feed(pulse, status), "watchdog");
            thread.setDaemon(true);
            thread.start();
        }
    }

    /** Each half of its time, with a quarter for the answers. Who did not answer is asked again at once. */
    private void feed(Pulse pulse, Supplier<String> status) {
        try {
            while (!stopping) {
                List<String> missing = pulse.silent(watchdog.dividedBy(4));
                if (missing.isEmpty()) {
                    notifier.tell("WATCHDOG=1", "STATUS=" + status.get());
                    Thread.sleep(watchdog.dividedBy(2).toMillis());
                } else if (!stopping) {
                    log.error(
                            "{} did not answer within {} ms; if that goes on, systemd ends this process and starts another",
                            String.join(", ", missing),
                            watchdog.dividedBy(4).toMillis());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The process was told to end, and does so in order. */
    public void stopping() {
        stopping = true;
        notifier.tellWithoutWaiting("STOPPING=1", "STATUS=Finishing requests and ending streams");
    }
}
