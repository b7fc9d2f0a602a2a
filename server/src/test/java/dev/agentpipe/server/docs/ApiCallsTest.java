package dev.agentpipe.server.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.agentpipe.server.AddressRanges;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.Settings.RateLimits;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.docs.Api.Operation;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The document and a server that is running say the same: every answer that is documented is got once, held against the
 * document, and nothing is documented that was never got.
 */
final class ApiCallsTest {

    /** Answers that only a server gets into that is pressed or stopped by all means; and where they are tested. */
    private static final Set<String> NOT_MADE_HERE = Set.of(
            "queue_full", // BackpressureTest
            "too_many_reads", // ReadHandlersTest
            "too_many_tokens", // ApiKeysTest
            "too_many_uploads", // UploadLimitsTest
            "log_levels_fixed", // LogLevelCommandTest
            "too_many_exports", // DownloadTest
            "shutting_down"); // StopTest, BackpressureTest

    private static final ApiCall UNHEALTHY = ApiCall.get("/api/health", 503);

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static TestServer server;
    private static Api api;
    private static AnswerCheck check;

    @BeforeAll
    static void start() {
        // So many that nothing is refused, but told of.
        server = TestServer.start(settings -> settings.rateLimits(limits(1_000_000)));
        api = new Api(server.get("/api/openapi.json").response().body());
        check = new AnswerCheck(api);
        storeExamples();
    }

    /** So that what the document has as an example is there to be read. */
    private static void storeExamples() {
        JsonNode bodies = api.document().at("/paths/~1api~1ingest/post/requestBody/content/application~1json/examples");
        bodies.forEach(example -> ApiCall.of("POST /api/ingest", 0)
                .key(TestServer.KEY)
                .json(example.get("value").toString())
                .send(server));
    }

    private static RateLimits limits(int each) {
        return new RateLimits(Duration.ofSeconds(60), each, each, each, each, AddressRanges.NONE);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Stream<ApiCall> healthy() {
        return ApiCalls.healthy().stream();
    }

    @ParameterizedTest
    @MethodSource("healthy")
    void answer_isTheDocumented(ApiCall call) {
        check.check(call, call.send(server));
    }

    @Test
    void answer_withoutDatabase_isTheDocumented() throws Exception {
        List<ApiCall> calls = ApiCalls.withoutDatabase();
        ExecutorService callers = Executors.newFixedThreadPool(calls.size());
        // As many threads read, and all at once, since each waits for a connection for a second.
        try (TestServer away = TestServer.start(settings -> settings.databasePoolMax(2 * calls.size()))) {
            disconnect(away);
            List<Future<ApiCall.Answer>> answers = new ArrayList<>();
            calls.forEach(call -> answers.add(callers.submit(() -> call.send(away))));
            for (int i = 0; i < calls.size(); i++) {
                check.check(calls.get(i), answers.get(i).get(30, TimeUnit.SECONDS));
            }
            check.check(UNHEALTHY, UNHEALTHY.send(away)); // by now it has seen that events are refused
        } finally {
            callers.shutdownNow();
        }
    }

    private static void disconnect(TestServer away) throws SQLException {
        String name;
        try (Connection connection = away.connect()) {
            name = connection.getCatalog();
        }
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("alter database \"" + name + "\" with allow_connections false");
            statement.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + name + "'");
        }
    }

    @Test
    void answer_ofAFullServer_isTheDocumented() throws IOException {
        try (TestServer full = TestServer.start(settings -> settings.streamConnectionsMax(1));
                RawStream stream = full.stream("/api/stream")) {
            stream.block();
            ApiCalls.full().forEach(call -> check.check(call, call.send(full)));
        }
    }

    @Test
    void answer_ofALimitedServer_isTheDocumented() throws IOException {
        try (TestServer limited = TestServer.start(settings -> settings.rateLimits(limits(1)));
                RawStream stream = limited.stream("/api/stream")) {
            stream.block();
            ApiCalls.first().forEach(call -> check.check(call, call.send(limited)));
            ApiCalls.limited().forEach(call -> check.check(call, call.send(limited)));
        }
    }

    @Test
    void documentedAnswers_areAllMade() {
        Set<String> documented = new TreeSet<>();
        for (Operation operation : api.operations()) {
            operation.node().get("responses").properties().forEach(response -> {
                JsonNode codes = api.resolve(response.getValue()).at("/content/application~1problem+json/examples");
                String answer = operation + " " + response.getKey();
                if (codes.isMissingNode()
                        || api.resolve(response.getValue()).get("content").size() > 1) {
                    documented.add(answer);
                }
                codes.propertyNames().stream()
                        .filter(code -> !NOT_MADE_HERE.contains(code))
                        .forEach(code -> documented.add(answer + " " + code));
            });
        }
        Set<String> made = new TreeSet<>();
        Stream.of(
                        ApiCalls.healthy(),
                        ApiCalls.withoutDatabase(),
                        ApiCalls.full(),
                        ApiCalls.limited(),
                        List.of(UNHEALTHY))
                .flatMap(List::stream)
                .forEach(call -> made.add(
                        call.operation() + " " + call.status() + (call.code() == null ? "" : " " + call.code())));

        Set<String> neverMade = new TreeSet<>(documented);
        neverMade.removeAll(made);
        made.removeAll(documented);
        assertEquals(Set.of(), neverMade, "documented, and never made");
        assertEquals(Set.of(), made, "made, and not documented");
    }

    @Test
    void methods_ofEveryUrl_areTheDocumented() {
        Pattern template = Pattern.compile("\\{[^}]*}");
        for (String path : api.document().get("paths").propertyNames()) {
            Set<String> documented = new TreeSet<>(Set.of("OPTIONS"));
            api.document().get("paths").get(path).properties().forEach(one -> {
                documented.add(one.getKey().toUpperCase(Locale.ROOT));
                JsonNode content = one.getValue().at("/responses/200/content");
                if (one.getKey().equals("get") && !content.has("text/event-stream")) {
                    documented.add("HEAD");
                }
            });
            HttpRequest options = HttpRequest.newBuilder(
                            server.uri(template.matcher(path).replaceAll("x")))
                    .method("OPTIONS", BodyPublishers.noBody())
                    .build();
            TestServer.Answer answer = server.send(options);
            assertEquals(204, answer.status(), path);
            assertEquals(
                    documented, new TreeSet<>(List.of(answer.header("Allow").split(", "))), path);
        }
    }

    private static Stream<Probe> probes() {
        Api expected = new Api(ApiDocument.of("test").toString());
        return expected.operations().stream().flatMap(operation -> Probe.of(expected, operation).stream());
    }

    /** The bounds of parameters are those of the document, from both sides. */
    @ParameterizedTest
    @MethodSource("probes")
    void parameter_isTakenAsDocumented(Probe probe) {
        ApiCall call = ApiCall.of(probe.operation().toString(), 0).at(probe.path());
        ApiCall.Answer answer = call.send(server);
        int status = answer.response().statusCode();

        assertEquals(probe.isAllowed(), status != 400, () -> probe + ": " + answer.body());
        assertTrue(status <= 404, answer::body);
        if (status == 400) {
            JsonNode problem = JSON.readTree(answer.body());
            assertEquals("invalid_parameter", problem.get("code").stringValue());
            assertEquals(probe.parameter(), problem.at("/errors/0/pointer").stringValue());
        }
    }

    private static Stream<Arguments> defaults() {
        Api expected = new Api(ApiDocument.of("test").toString());
        return expected.operations().stream()
                .flatMap(operation -> expected.parameters(operation, "query").stream()
                        .filter(parameter -> parameter.at("/schema/default").isValueNode())
                        .filter(parameter ->
                                operation.node().at("/responses/200/headers").has("ETag"))
                        .map(parameter -> arguments(operation, parameter)));
    }

    /** A default is what counts where nothing is given. */
    @ParameterizedTest
    @MethodSource("defaults")
    void parameter_atItsDefault_changesNothing(Operation operation, JsonNode parameter) {
        String path = Probe.path(api, operation);
        String name = parameter.get("name").stringValue();
        ApiCall call = ApiCall.of(operation.toString(), 200);
        String explicit =
                Probe.query(path, name, parameter.at("/schema/default").asString());

        String otherwise = name.equals("page") ? path + "?limit=1" : path;
        assertEquals(tag(call.at(otherwise)), tag(call.at(explicit)), explicit);
    }

    private static String tag(ApiCall call) {
        return call.send(server).response().headers().firstValue("ETag").orElseThrow();
    }
}
