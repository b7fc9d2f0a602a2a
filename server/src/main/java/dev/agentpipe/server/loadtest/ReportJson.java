package dev.agentpipe.server.loadtest;

import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A report for programs. Times are milliseconds, rates a second, shares of 1. */
final class ReportJson {

    private ReportJson() {}

    static ObjectNode of(Report report) {
        ObjectNode json = JsonMapper.shared().createObjectNode();
        json.put("url", report.base().toString())
                .put("scenario", report.plan().isRamp() ? "ramp" : "steady")
                .put("follow", name(report.plan().follow()))
                .put("end", name(report.end()))
                .put("met", report.isMet());
        report.greatestCarried().ifPresent(best -> step(json.putObject("carried"), best));
        var targets = json.putArray("targets");
        for (Verdict one : report.verdicts()) {
            targets.addObject()
                    .put("name", one.name())
                    .put("outcome", name(one.outcome()))
                    .put("measured", one.measured())
                    .put("target", one.target());
        }
        var steps = json.putArray("steps");
        report.results().forEach(result -> step(steps.addObject(), result));
        json.putObject("left")
                .put("firstConversation", report.left().firstConversation())
                .put("lastConversation", report.left().lastConversation())
                .put("conversations", report.left().conversations())
                .put("messages", report.left().messages());
        return json;
    }

    private static void step(ObjectNode json, Result result) {
        Measurement seen = result.seen();
        json.put("streams", seen.step().streams())
                .put("eventsPerSecond", seen.step().eventsPerSecond())
                .put("outcome", result.isCut() ? "cut" : result.isCarried() ? "carried" : "missed");
        var shortfalls = json.putArray("shortfalls");
        result.shortfalls().forEach(one -> shortfalls.add(one.text()));
        json.put("seconds", seen.seconds())
                .put("due", seen.due())
                .put("storedPerSecond", seen.answeredPerSecond())
                .put("errors", seen.errors())
                .put("errorRate", seen.errorShare());
        percentiles(json.putObject("ingestMillis"), seen.latency());
        counts(json.putObject("failures"), seen.failures());
        json.put("streamsOpened", seen.streams().opened())
                .put("streamsLost", seen.streams().lost())
                .put("deliveries", seen.streams().deliveries())
                .put("deliveriesMissing", seen.streams().missing())
                .put("deliveriesDisordered", seen.streams().disordered());
        percentiles(json.putObject("deliveryMillis"), seen.streams().delay());
        counts(json.putObject("streamFailures"), seen.streams().failures());
        json.putObject("client")
                .put("isLimit", seen.client().isLimit())
                .put("cpuShare", seen.client().cpuShare())
                .put("machineCpuShare", seen.client().machineShare())
                .put("busiestThreadShare", seen.client().threadShare())
                .put("lagMillis", seen.client().lagMillis());
    }

    private static void percentiles(ObjectNode json, Percentiles of) {
        json.put("count", of.count())
                .put("p50", of.p50())
                .put("p95", of.p95())
                .put("p99", of.p99())
                .put("max", of.max());
    }

    private static void counts(ObjectNode json, Map<String, Long> of) {
        of.forEach((name, count) -> json.put(name, count.longValue()));
    }

    private static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
