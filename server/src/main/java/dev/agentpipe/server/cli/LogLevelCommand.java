package dev.agentpipe.server.cli;

import dev.agentpipe.server.logs.LogLevels;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Changes what a running server logs, for a time. */
@Command(
        name = "log-level",
        description = "Have a running server log more, or less, for a time; without LEVEL: say what it logs.",
        footer = {
            "",
            "It takes a key with the scope admin: that of --key-file, else AGENTPIPE_ADMIN_API_KEY (its first), else",
            "for a server on this machine DATA_DIR/api-key."
        })
final class LogLevelCommand implements Callable<Integer> {

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Pattern TIME = Pattern.compile("(\\d{1,6})([smh]?)");
    private static final Map<String, Integer> SECONDS = Map.of("", 1, "s", 1, "m", 60, "h", 3_600);
    private static final String RESET = "reset";

    @Spec
    private CommandSpec spec;

    @Mixin
    private final RemoteServer.Named server;

    @Parameters(
            paramLabel = "LEVEL",
            arity = "0..1",
            description = "trace, debug, info, warn or error; reset: as it was before.")
    private String level;

    @Option(
            names = "--logger",
            paramLabel = "NAME",
            defaultValue = LogLevels.ALL,
            description = "As a log line names it (default: ${DEFAULT-VALUE}, which is everything).")
    private String logger;

    @Option(
            names = "--for",
            paramLabel = "TIME",
            defaultValue = "15m",
            description = "Afterwards it is as before: seconds, or a number with s, m or h, up to 12h (default:"
                    + " ${DEFAULT-VALUE}).")
    private String time;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    LogLevelCommand(Map<String, String> environment) {
        server = new RemoteServer.Named(environment);
    }

    @Override
    public Integer call() throws InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.base() + "/api/admin/log-level"))
                .timeout(PATIENCE);
        if (level == null) {
            request.GET();
        } else if (level.equalsIgnoreCase(RESET)) {
            request.DELETE();
        } else {
            request.PUT(BodyPublishers.ofString(change())).setHeader("Content-Type", "application/json");
        }
        request.setHeader("Authorization", "Bearer " + server.adminKey());
        HttpResponse<String> response;
        try {
            response = HttpClient.newBuilder()
                    .connectTimeout(PATIENCE)
                    .build()
                    .send(request.build(), BodyHandlers.ofString());
        } catch (IOException e) {
            return failed(server.base() + " cannot be reached: " + e);
        }
        return tell(response.statusCode(), response.body());
    }

    private String change() {
        String name = level.toLowerCase(Locale.ROOT);
        if (!LogLevels.LEVELS.contains(name)) {
            throw new ParameterException(
                    spec.commandLine(), "a level is one of " + String.join(", ", LogLevels.LEVELS) + ", or reset");
        }
        Matcher given = TIME.matcher(time);
        if (!given.matches()) {
            throw new ParameterException(spec.commandLine(), "--for is such as 90s, 15m or 2h");
        }
        Map<String, Object> change = new LinkedHashMap<>();
        change.put("level", name);
        change.put("logger", logger);
        change.put("seconds", Long.parseLong(given.group(1)) * SECONDS.get(given.group(2)));
        return JsonMapper.shared().writeValueAsString(change);
    }

    private int tell(int status, String body) {
        PrintWriter out = spec.commandLine().getOut();
        if (status == 204) {
            out.println("Everything is logged as before.");
            return Commands.OK;
        }
        JsonNode json;
        try {
            json = JsonMapper.shared().readTree(body);
        } catch (JacksonException e) {
            return failed("this is no AgentPipe Streaming server of this version: it answers " + status);
        }
        if (status != 200) {
            StringBuilder why = new StringBuilder(json.path("title").asString("it answers " + status));
            for (JsonNode more : json.path("errors")) {
                why.append("; ")
                        .append(more.path("pointer").asString().replaceFirst("^/", ""))
                        .append(": ")
                        .append(more.path("detail").asString());
            }
            return failed(json.has("detail") ? why + ": " + json.get("detail").asString() : why.toString());
        }
        out.println(LogLevels.ALL + ": " + json.path("level").asString());
        for (JsonNode change : json.path("changes")) {
            out.println(change.path("logger").asString() + ": "
                    + change.path("level").asString() + " until "
                    + change.path("until").asString());
        }
        return Commands.OK;
    }

    private int failed(String why) {
        spec.commandLine().getErr().println("agentpipe-server: " + why);
        return Commands.FAILED;
    }
}
