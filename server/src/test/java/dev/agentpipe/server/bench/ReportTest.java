package dev.agentpipe.server.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.bench.Measurement.ServerOptions;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class ReportTest {

    private final Measurement measurement = new Measurement(
            "ingest",
            List.of(
                    Goal.atLeast("perSecond", "durable ingest", "events/s", 0, 12_000),
                    Goal.atMost("p50", "its p50", "ms", 2, 0.8),
                    Goal.none("p99", "its p99", "ms", 1)),
            ServerOptions.WARM,
            (session, run) -> {});

    private static Run run(double perSecond, double p50, double syncedWrite, double foreign) {
        Run run = new Run();
        run.put("perSecond", perSecond);
        run.put("p50", p50);
        run.put("p99", 3 * p50);
        run.put("syncedWriteMillis", syncedWrite);
        run.put("foreignCpuPercent", foreign);
        return run;
    }

    private static Report report(Measurement measurement, Run... runs) {
        Report report = new Report("Measured now.");
        report.add(new Report.Entry(measurement, "Java", List.of(runs)));
        return report;
    }

    @Test
    void table_hasMediansAllRunsAndWhatTheMachineDid() {
        Report report =
                report(measurement, run(12_500, 0.9, 0.2, 1), run(14_955.4, 0.7, 0.18, 12), run(11_000, 1.234, 0.2, 3));

        assertEquals("""
                Measured now.

                | what | goal | median | all runs | load | synced write | foreign CPU |
                |---|---|---|---|---|---|---|
                | durable ingest | ≥ 12,000 events/s | **12,500 events/s** | 12,500, 14,955, 11,000 | Java | 0.18–0.20 ms | 1–12 % |
                | … its p50 | ≤ 0.80 ms | **0.90 ms** (missed) | 0.90, 0.70, 1.23 |  |  |  |
                | … its p99 |  | 2.7 ms | 2.7, 2.1, 3.7 |  |  |  |

                All requests were answered as stored; each stream had each of its events once, in order.
                """, report.markdown());
        assertFalse(report.hasProblems());
    }

    @Test
    void problems_standUnderTheTable() {
        Run bad = run(12_500, 0.7, 0.2, 1);
        bad.problem("2 of 30 events did not reach all their streams");
        Run failed = new Run();
        failed.problem("failed: no server");
        Report report = report(measurement, bad, failed);

        String markdown = report.markdown();

        assertTrue(report.hasProblems());
        assertTrue(markdown.contains("- `ingest`: 2 of 30 events did not reach all their streams\n"), markdown);
        assertTrue(markdown.contains("- `ingest`: failed: no server\n"), markdown);
        assertTrue(markdown.contains("**12,500 events/s** | 12,500, none |"), markdown);
        assertFalse(markdown.contains("All requests"), markdown);
    }

    @Test
    void median_ofAnEvenNumberIsTheMeanOfTheMiddle_andOfNothingNone() {
        assertEquals(2.5, Report.median(List.of(4.0, 1.0, 3.0, 2.0)));
        assertTrue(Double.isNaN(Report.median(List.of(Double.NaN))));
    }

    @Test
    void json_hasEveryValue() {
        JsonNode json = JsonMapper.builder()
                .build()
                .readTree(report(measurement, run(1, 2, 3, 4), run(5, 6, 7, 8)).json());

        JsonNode one = json.get("measurements").get(0);
        assertEquals("ingest", one.get("name").asString());
        assertEquals(12_000, one.at("/goals/perSecond/least").asDouble());
        assertEquals(6, one.at("/runs/1/p50").asDouble());
        assertEquals(4, one.at("/runs/0/foreignCpuPercent").asDouble());
    }

    @Test
    void markedPart_isReplacedAndNothingElse() {
        String document = "# A\n\n<!-- bench:begin -->\nold\n\n<!-- bench:end -->\nafter\n";

        assertEquals(
                "# A\n\n<!-- bench:begin -->\nnew\nlines\n<!-- bench:end -->\nafter\n",
                MarkedPart.replace(document, "new\nlines\n\n"));
        assertEquals(
                document,
                MarkedPart.replace(MarkedPart.replace(document, "x"), "old\n").replace("old\n", "old\n\n"));
    }

    @Test
    void markers_missingTwiceOrTurnedAround_areRefused() {
        String begin = MarkedPart.BEGIN + "\n";
        String end = MarkedPart.END + "\n";
        for (String wrong :
                List.of("", begin, end, end + begin, begin + begin + end, begin + end + end, "a " + begin + end)) {
            assertThrows(IllegalArgumentException.class, () -> MarkedPart.replace(wrong, "new"), wrong);
        }
    }
}
