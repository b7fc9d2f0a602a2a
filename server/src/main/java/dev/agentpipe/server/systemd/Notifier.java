package dev.agentpipe.server.systemd;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends notifications by {@code systemd-notify}, which is wherever systemd is: Java has no datagrams over Unix sockets, and a
 * library that has them brings native code for each platform. It waits until systemd has read the message, else systemd could
 * not tell any more whose it was. The unit needs {@code NotifyAccess=all}: the message comes from another process.
 *
 * <p>What cannot be told is logged once, and harms nothing here. Thread-safe.
 */
final class Notifier {

    /** It has a deadline of 5 s of its own. */
    private static final int PATIENCE_SECONDS = 10;

    private static final int SAID_BYTES_MAX = 400;
    private static final Logger log = LoggerFactory.getLogger(Notifier.class);

    private final String socket;
    private final AtomicBoolean isToldOfFailure = new AtomicBoolean();

    private Notifier(String socket) {
        this.socket = socket;
    }

    /** @param socket as in {@code NOTIFY_SOCKET}; empty: tells nobody */
    static Notifier to(String socket) {
        return new Notifier(socket);
    }

    boolean isThere() {
        return !socket.isEmpty();
    }

    /** Returns when systemd has it. */
    void tell(String... assignments) {
        if (!isThere()) {
            return;
        }
        try {
            await(start(assignments));
        } catch (IOException e) {
            failed(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    void tellWithoutWaiting(String... assignments) {
        if (!isThere()) {
            return;
        }
        try {
            start(assignments);
        } catch (IOException e) {
            failed(e.getMessage());
        }
    }

    private Process start(String... assignments) throws IOException {
        List<String> command = new ArrayList<>(List.of("systemd-notify"));
        for (String assignment : assignments) {
            command.add(assignment.replaceAll("\\R", " ")); // a line each
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("NOTIFY_SOCKET", socket);
        Process process = builder.start();
        process.getOutputStream().close();
        return process;
    }

    private void await(Process process) throws IOException, InterruptedException {
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                failed("systemd-notify does not end");
            } else if (process.exitValue() != 0) {
                byte[] said = process.getInputStream().readNBytes(SAID_BYTES_MAX);
                failed(new String(said, StandardCharsets.UTF_8).strip());
            }
        } finally {
            process.destroyForcibly();
        }
    }

    private void failed(String why) {
        if (isToldOfFailure.compareAndSet(false, true)) {
            log.warn("systemd cannot be told of the service's state: {}", why);
        }
    }
}
