package dev.agentpipe.server.check;

import dev.agentpipe.server.check.Verdict.Status;
import java.net.URI;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What was found, for people and for programs. */
public record CheckReport(URI url, String version, Instant at, List<Finding> findings) {

    private static final int WIDTH = 100;
    private static final int INDENT = 35;
    private static final String RESET = "\u001b[0m";
    private static final Map<Status, String> COLORS = Map.of(
            Status.OK,
            "\u001b[32m",
            Status.WARNING,
            "\u001b[33m",
            Status.FAILED,
            "\u001b[31m",
            Status.SKIPPED,
            "\u001b[2m");

    public CheckReport {
        findings = List.copyOf(findings);
    }

    /** That of the worst item. */
    public Status status() {
        return findings.stream()
                .map(one -> one.verdict().status())
                .max(Status::compareTo)
                .filter(worst -> worst != Status.SKIPPED)
                .orElse(Status.OK);
    }

    private long count(Status status) {
        return findings.stream().filter(one -> one.verdict().status() == status).count();
    }

    /** @param onlyTrouble without what is well or was skipped */
    public String text(boolean colored, boolean onlyTrouble) {
        StringBuilder text = new StringBuilder();
        Map<String, List<Finding>> groups = new LinkedHashMap<>();
        for (Finding one : findings) {
            Status status = one.verdict().status();
            if (!onlyTrouble || status == Status.WARNING || status == Status.FAILED) {
                groups.computeIfAbsent(one.group(), name -> new ArrayList<>()).add(one);
            }
        }
        groups.forEach((name, ofGroup) -> {
            text.append(name).append('\n');
            Map<String, List<Finding>> skipped = new LinkedHashMap<>();
            for (Finding one : ofGroup) {
                Verdict verdict = one.verdict();
                if (verdict.status() == Status.SKIPPED) {
                    skipped.computeIfAbsent(verdict.detail(), why -> new ArrayList<>())
                            .add(one);
                } else {
                    text.append(line(one.id(), verdict, colored));
                }
            }
            skipped.forEach((why, some) -> text.append(line(
                    some.size() == 1 ? some.get(0).id() : some.size() + " items",
                    some.get(0).verdict(),
                    colored)));
            text.append('\n');
        });
        return text
                + "%s: %d ok, %s, %d failed, %d skipped%n"
                        .formatted(
                                url,
                                count(Status.OK),
                                count(Status.WARNING) == 1 ? "1 warning" : count(Status.WARNING) + " warnings",
                                count(Status.FAILED),
                                count(Status.SKIPPED));
    }

    private static String line(String id, Verdict verdict, boolean colored) {
        String label = "%-8s".formatted(verdict.status().label());
        String shown = colored ? COLORS.get(verdict.status()) + label + RESET : label;
        StringBuilder text = new StringBuilder("  %s %-23s ".formatted(shown, id));
        List<String> lines = wrapped(verdict.detail());
        if (!verdict.fix().isEmpty()) {
            // Not broken, so that it can be copied.
            lines.add("-> " + verdict.fix());
        }
        return text.append(String.join("\n" + " ".repeat(INDENT), lines))
                .append('\n')
                .toString();
    }

    private static List<String> wrapped(String detail) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : detail.split(" ")) {
            if (!line.isEmpty() && line.length() + 1 + word.length() > WIDTH - INDENT) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        lines.add(line.toString());
        return lines;
    }

    /** As docs/check.md describes it. */
    public String json() {
        ObjectNode json = JsonMapper.shared().createObjectNode();
        json.put("status", status().label())
                .put("url", url.toString())
                .put("version", version)
                .put("timestamp", at.truncatedTo(ChronoUnit.SECONDS).toString());
        ObjectNode counts = json.putObject("counts");
        for (Status status : Status.values()) {
            counts.put(status.label(), count(status));
        }
        var items = json.putArray("items");
        for (Finding one : findings) {
            ObjectNode item = items.addObject();
            item.put("id", one.id())
                    .put("group", one.group())
                    .put("title", one.title())
                    .put("status", one.verdict().status().label())
                    .put("detail", one.verdict().detail());
            if (!one.verdict().fix().isEmpty()) {
                item.put("fix", one.verdict().fix());
            }
        }
        return json.toPrettyString();
    }
}
