package dev.agentpipe.server.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.check.Group.NotThereException;
import dev.agentpipe.server.check.Verdict.Status;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class ChecklistTest {

    private static final Duration SHORT = Duration.ofMillis(300);
    private static final Duration LONG = Duration.ofSeconds(60);

    private static Group<String> group(String name, Group.Opener<String> opener, Item<?>... items) {
        @SuppressWarnings("unchecked")
        List<Item<String>> typed = (List<Item<String>>) (List<?>) List.of(items);
        return new Group<>(name, opener, "start it", typed);
    }

    private static Item<String> item(String id, Item.Judge<String> judge) {
        return new Item<>(id, "title of " + id, judge);
    }

    private static Verdict hang() throws InterruptedException {
        new CountDownLatch(1).await(60, TimeUnit.SECONDS);
        return Verdict.ok("");
    }

    @Test
    void items_thatThrowOrHang_failAndTheOthersGoOn() throws Exception {
        List<Finding> found = new Checklist(
                        List.of(group(
                                "one",
                                () -> "seen",
                                item("first", Verdict::ok),
                                item("thrown", look -> {
                                    throw new IllegalStateException("line\n\tof trouble");
                                }),
                                item("silent", look -> {
                                    throw new IllegalStateException(new NullPointerException());
                                }),
                                item("hangs", look -> hang()),
                                item("none", look -> {
                                    throw new NotThereException("not here");
                                }),
                                item("last", Verdict::ok))),
                        SHORT,
                        LONG)
                .run();

        assertEquals(
                List.of(Status.OK, Status.FAILED, Status.FAILED, Status.FAILED, Status.SKIPPED, Status.OK),
                found.stream().map(one -> one.verdict().status()).toList());
        assertEquals("seen", found.get(0).verdict().detail());
        assertEquals(
                "could not be looked at: line; of trouble",
                found.get(1).verdict().detail());
        assertTrue(found.get(3).verdict().detail().contains("no answer within 300 ms"), found::toString);
        assertEquals("not here", found.get(4).verdict().detail());
    }

    @Test
    void group_whoseThingIsAway_failsOnce() throws Exception {
        List<Finding> found = new Checklist(
                        List.of(
                                group(
                                        "away",
                                        () -> {
                                            throw new IllegalStateException("refused");
                                        },
                                        item("thing", Verdict::ok),
                                        item("part", Verdict::ok)),
                                group(
                                        "not there",
                                        () -> {
                                            throw new NotThereException("not set");
                                        },
                                        item("other", Verdict::ok))),
                        SHORT,
                        LONG)
                .run();

        assertEquals(
                List.of("thing", "part", "other"),
                found.stream().map(Finding::id).toList());
        assertEquals(Verdict.failed("refused", "start it"), found.get(0).verdict());
        assertEquals(
                Verdict.skipped("it needs thing, which failed"), found.get(1).verdict());
        assertEquals(Verdict.skipped("not set"), found.get(2).verdict());
    }

    /** The group beside it hangs at each of its items; the run ends by its own deadline, not by those of all items. */
    @Test
    void run_endsInTime() throws Exception {
        Item<?>[] hanging = new Item<?>[500];
        for (int i = 0; i < hanging.length; i++) {
            hanging[i] = item("hangs_" + i, look -> hang());
        }
        List<Finding> found = new Checklist(
                        List.of(group("one", () -> "", hanging), group("two", () -> "", item("well", Verdict::ok))),
                        SHORT,
                        Duration.ofMillis(700))
                .run();

        assertEquals(501, found.size());
        assertTrue(found.get(499).verdict().detail().endsWith("no time was left"), found.get(499)::toString);
        assertEquals(Status.OK, found.get(500).verdict().status());
    }

    @Test
    void text_isAlignedAndShowsWhatToDo() {
        List<Finding> found = List.of(
                new Finding("good", "one", "t", Verdict.ok("as it should")),
                new Finding("bad", "one", "t", Verdict.failed("x".repeat(40) + " " + "y".repeat(40), "mend it")),
                new Finding("idle", "two", "t", Verdict.skipped("nothing there")),
                new Finding("idle_too", "two", "t", Verdict.skipped("nothing there")));
        CheckReport report = new CheckReport(URI.create("https://pipe.example"), "1.0", Instant.EPOCH, found);

        assertEquals(Status.FAILED, report.status());
        String text = report.text(false, false);
        assertTrue(text.lines().allMatch(line -> line.length() <= 100), text);
        assertTrue(text.contains("  ok       good                    as it should\n"), text);
        assertTrue(text.contains("\n" + " ".repeat(35) + "-> mend it\n"), text);
        assertTrue(text.contains("  skipped  2 items                 nothing there\n"), text);
        assertTrue(text.endsWith("https://pipe.example: 1 ok, 0 warnings, 1 failed, 2 skipped\n"), text);
        String quiet = report.text(false, true);
        assertFalse(quiet.contains("good") || quiet.contains("two"), quiet);
        assertTrue(report.text(true, false).contains("\u001b[31mfailed  \u001b[0m"), "colour on a terminal");
        assertFalse(text.contains("\u001b"), "and nowhere else");
    }
}
