package dev.agentpipe.server.check;

import dev.agentpipe.server.check.Group.NotThereException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * All items, in the order in which they are shown. Groups run beside each other, items of a group one after the other. What
 * takes longer than its deadline is left behind on its thread, a daemon, and told as failed.
 */
public final class Checklist {

    private static final Duration ITEM_MAX = Duration.ofSeconds(8);

    /** The first login to a database takes its time in a JVM that has just started. */
    private static final Duration OPEN_MAX = Duration.ofSeconds(12);

    private static final Duration ALL_MAX = Duration.ofSeconds(25);

    private final List<Group<?>> groups;
    private final long deadlineNanos;
    private final Duration itemMax;

    public Checklist(Subject subject) {
        this(groups(subject), ITEM_MAX, ALL_MAX);
    }

    Checklist(List<Group<?>> groups, Duration itemMax, Duration allMax) {
        this.groups = List.copyOf(groups);
        this.itemMax = itemMax;
        this.deadlineNanos = System.nanoTime() + allMax.toNanos();
    }

    static List<Group<?>> groups(Subject subject) {
        return List.of(
                ConfigurationItems.group(subject),
                DatabaseItems.group(subject),
                RedisItems.group(subject),
                DeploymentItems.group(subject),
                MachineItems.group(subject));
    }

    /** Returns in time, whatever hangs. */
    public List<Finding> run() throws InterruptedException {
        List<CompletableFuture<List<Finding>>> running = new ArrayList<>();
        for (Group<?> group : groups) {
            CompletableFuture<List<Finding>> done = new CompletableFuture<>();
            running.add(done);
            start("check " + group.name(), () -> done.complete(run(group)));
        }
        List<Finding> all = new ArrayList<>();
        for (CompletableFuture<List<Finding>> one : running) {
            try {
                all.addAll(one.get());
            } catch (ExecutionException broken) {
                throw new IllegalStateException(broken.getCause());
            }
        }
        return all;
    }

    private <L> List<Finding> run(Group<L> group) {
        List<Finding> findings = new ArrayList<>();
        L look = null;
        try {
            look = inTime(group.name(), OPEN_MAX, group.opener()::open);
            for (Item<L> item : group.items()) {
                findings.add(group.finding(item, verdict(group, item, look)));
            }
        } catch (NotThereException notThere) {
            group.items().forEach(item -> findings.add(group.finding(item, Verdict.skipped(notThere.getMessage()))));
        } catch (Exception failed) {
            Item<L> first = group.items().get(0);
            findings.add(group.finding(first, Verdict.failed(reason(failed), group.fix())));
            group.items().stream()
                    .skip(1)
                    .forEach(item -> findings.add(
                            group.finding(item, Verdict.skipped("it needs " + first.id() + ", which failed"))));
        } finally {
            close(look);
        }
        return findings;
    }

    private <L> Verdict verdict(Group<L> group, Item<L> item, L look) {
        try {
            return inTime(group.name(), itemMax, () -> item.judge().of(look));
        } catch (NotThereException notThere) {
            return Verdict.skipped(notThere.getMessage());
        } catch (Exception failed) {
            return Verdict.failed("could not be looked at: " + reason(failed), "docs/check.md tells what it asks");
        }
    }

    private <T> T inTime(String name, Duration max, Callable<T> work) throws Exception {
        long left = Math.min(max.toNanos(), deadlineNanos - System.nanoTime());
        if (left <= 0) {
            throw new TimeoutException("no time was left");
        }
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = start("check " + name + " item", task);
        try {
            return task.get(left, TimeUnit.NANOSECONDS);
        } catch (TimeoutException late) {
            thread.interrupt();
            throw new TimeoutException("no answer within " + TimeUnit.NANOSECONDS.toMillis(left) + " ms");
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw failed;
        }
    }

    private static Thread start(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** In the background: what does not answer does not say goodbye, either. */
    private static void close(Object look) {
        if (look instanceof AutoCloseable open) {
            start("check close", () -> {
                try {
                    open.close();
                } catch (Exception gone) {
                    // Nothing was changed, so there is nothing to be lost.
                }
            });
        }
    }

    /** One line. */
    private static String reason(Throwable failure) {
        Throwable at = failure;
        while (at.getMessage() == null && at.getCause() != null) {
            at = at.getCause();
        }
        String message = at.getMessage() == null || at.getMessage().isBlank()
                ? at.getClass().getSimpleName()
                : at.getMessage();
        return message.strip()
                .replaceAll("^[\\w.$]+(Exception|Error): ", "")
                .replaceAll("\\s*\\R\\s*", "; ")
                .replaceAll("\\p{Cntrl}", "?");
    }
}
