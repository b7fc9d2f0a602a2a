package dev.agentpipe.server.usage;

import dev.agentpipe.db.usage.Usage;
import dev.agentpipe.db.usage.Usage.Interval;
import dev.agentpipe.db.usage.UsageRange;
import dev.agentpipe.db.usage.UsageSummary;
import dev.agentpipe.db.usage.UsageSummary.Bucket;
import dev.agentpipe.db.usage.UsageSummary.Part;
import dev.agentpipe.db.usage.UsageSummary.Sums;
import dev.agentpipe.server.http.Answer;
import dev.agentpipe.server.http.QueryParameters;
import dev.agentpipe.server.http.Read;
import dev.agentpipe.server.http.ReadRequest;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * {@code GET /api/metrics/summary}: agentpipe-web's totals, and what each agent and model has used, also over time. Messages
 * count by their time, conversations by that of their start. A message's cost is its agent's: agentpipe-web gives each
 * agent the cost of all conversations that it took part in.
 */
public final class MetricsSummary implements Read {

    /** Six weeks of hours, nearly three years of days. */
    static final int BUCKETS_MAX = 1_000;

    private static final Usage.PartLimits PARTS = new Usage.PartLimits(100, 10);
    private static final int TOP_AGENTS = 10;

    private static final Map<String, Interval> INTERVALS = intervals();

    private final Usage usage;
    private final Clock clock;

    public MetricsSummary(Usage usage, Clock clock) {
        this.usage = usage;
        this.clock = clock;
    }

    private static Map<String, Interval> intervals() {
        Map<String, Interval> intervals = new LinkedHashMap<>();
        intervals.put("hour", Interval.HOUR);
        intervals.put("day", Interval.DAY);
        return intervals;
    }

    @Override
    public Answer read(ReadRequest request) {
        QueryParameters parameters = request.parameters();
        Instant from = parameters.instant("startDate").orElse(null);
        Instant to = parameters.endInstant("endDate").orElse(null);
        Interval interval = parameters.choice("interval", INTERVALS, null);
        if (from != null && to != null && to.isBefore(from)) {
            parameters.violation("endDate", "a time that is not before startDate");
        }
        parameters.check();
        if (interval == null) {
            return answer(new UsageRange(from, to), null);
        }
        UsageRange range = series(from, to, interval);
        if (bucketStarts(range, interval).size() > BUCKETS_MAX) {
            parameters.violation("interval", "one of which no more than " + BUCKETS_MAX + " fit between the dates");
            parameters.check();
        }
        return answer(range, interval);
    }

    /** A series needs both of its ends: without them it is the last month of days, or day of hours, up to now. */
    private UsageRange series(Instant from, Instant to, Interval interval) {
        Instant now = clock.instant();
        Instant last = to != null ? to : from != null && from.isAfter(now) ? from : now;
        Duration usual = interval == Interval.DAY ? Duration.ofDays(30) : Duration.ofDays(1);
        return new UsageRange(from != null ? from : last.minus(usual), last);
    }

    private Answer answer(UsageRange range, Interval interval) {
        UsageSummary summary = usage.summary(range, interval, PARTS);
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("startDate", text(range.from()));
        body.put("endDate", text(range.to()));
        body.put("totalConversations", summary.conversations());
        body.put("activeConversations", summary.activeConversations());
        body.put("totalMessages", summary.total().messages());
        body.put("totalTokens", summary.total().totalTokens());
        body.put("totalCost", plain(summary.total().cost()));
        body.put("averageConversationDuration", average(summary.averageDurationMs()));
        body.put("topAgents", topAgents(summary.agents()));
        body.put("usage", sums(summary.total()));
        body.put("agents", parts("agentType", summary.agents()));
        body.put("models", parts("model", summary.models()));
        if (interval != null) {
            body.put("interval", interval.name().toLowerCase(java.util.Locale.ROOT));
            body.put("series", series(range, interval, summary.series()));
        }
        return Answer.json(body);
    }

    private static String text(Instant instant) {
        return instant == null ? null : instant.toString();
    }

    private static BigDecimal average(BigDecimal averageMs) {
        return averageMs == null ? BigDecimal.ZERO : averageMs.setScale(0, RoundingMode.HALF_UP);
    }

    /** Without the zeros that sums of differently long fractions end with. */
    private static BigDecimal plain(BigDecimal cost) {
        BigDecimal stripped = cost.stripTrailingZeros();
        return stripped.scale() < 0 ? stripped.setScale(0) : stripped;
    }

    private static List<Map<String, Object>> topAgents(List<Part> agents) {
        return agents.stream()
                .sorted(Comparator.comparingLong((Part agent) -> agent.sums().conversations())
                        .reversed())
                .limit(TOP_AGENTS)
                .map(agent -> {
                    Map<String, Object> top = new LinkedHashMap<>();
                    top.put("type", agent.name());
                    top.put("count", agent.sums().conversations());
                    top.put("totalCost", plain(agent.sums().cost()));
                    return top;
                })
                .toList();
    }

    private static Map<String, Object> sums(Sums sums) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("messages", sums.messages());
        members.put("inputTokens", sums.inputTokens());
        members.put("outputTokens", sums.outputTokens());
        members.put("totalTokens", sums.totalTokens());
        members.put("cost", plain(sums.cost()));
        members.put("duration", sums.durationMs());
        return members;
    }

    private static List<Map<String, Object>> parts(String named, List<Part> parts) {
        return parts.stream()
                .map(part -> {
                    Map<String, Object> members = new LinkedHashMap<>();
                    members.put(named, part.name());
                    members.putAll(sums(part.sums()));
                    return members;
                })
                .toList();
    }

    /** With a bucket for each stretch of time, also where nothing was used, so that a chart has no gaps. */
    private static List<Map<String, Object>> series(UsageRange range, Interval interval, List<Bucket> used) {
        Map<Instant, Bucket> byStart = used.stream().collect(Collectors.toMap(Bucket::start, Function.identity()));
        List<Map<String, Object>> series = new ArrayList<>();
        for (Instant start : bucketStarts(range, interval)) {
            Bucket bucket = byStart.getOrDefault(start, new Bucket(start, Sums.NONE, List.of(), List.of()));
            Map<String, Object> members = new LinkedHashMap<>();
            members.put("start", text(start));
            members.putAll(sums(bucket.total()));
            members.put("agents", parts("agentType", bucket.agents()));
            members.put("models", parts("model", bucket.models()));
            series.add(members);
        }
        return series;
    }

    /** One more than may be, at the most. */
    private static List<Instant> bucketStarts(UsageRange range, Interval interval) {
        boolean hours = interval == Interval.HOUR;
        Duration length = hours ? Duration.ofHours(1) : Duration.ofDays(1);
        List<Instant> starts = new ArrayList<>();
        Instant start = range.from().truncatedTo(hours ? ChronoUnit.HOURS : ChronoUnit.DAYS);
        while (start.isBefore(range.to()) && starts.size() <= BUCKETS_MAX) {
            starts.add(start);
            start = start.plus(length);
        }
        return starts;
    }
}
