package dev.agentpipe.server.docs;

import static dev.agentpipe.server.TestServer.ADMIN_KEY;
import static dev.agentpipe.server.TestServer.KEY;

import dev.agentpipe.server.TestServer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Calls that together get every answer that the document has; see {@link ApiCallsTest}. */
final class ApiCalls {

    static final String NOBODYS_KEY = "ap_test_nobody-has-this-key";

    private static final String INGEST = "POST /api/ingest";
    private static final String UPLOAD = "POST /api/sessions/upload";
    private static final List<String> MADE_FROM_KEYS = List.of("POST /api/session", "POST /api/realtime/ticket");
    private static final List<String> STREAMS = List.of("GET /api/realtime/stream", "GET /api/stream");
    private static final String EVENT = "{\"type\":\"bridge.test\",\"data\":{}}";

    private ApiCalls() {}

    /** What a server answers that is well. */
    static List<ApiCall> healthy() {
        List<ApiCall> calls = new ArrayList<>();
        ingest(calls);
        for (String stream : STREAMS) {
            calls.add(ApiCall.of(stream, 200));
            calls.add(ApiCall.of(stream, 200).with("Last-Event-ID", "nonsense"));
            calls.add(ApiCall.of(stream, 400).problem("invalid_parameter").at("/api/stream?replay=x&types=y&named=z"));
        }
        calls.add(ApiCall.get("/api/health", 200));
        calls.add(ApiCall.get("/api/health/live", 200));
        calls.add(ApiCall.get("/api/health/ready", 200));
        uploads(calls);
        reads(calls);
        searches(calls);
        deletes(calls);
        sessions(calls);
        administration(calls);
        documents(calls);
        return calls;
    }

    private static void ingest(List<ApiCall> calls) {
        ApiCall event = ApiCall.of(INGEST, 201).key(KEY);
        String message = TestServer.messageBody("calls", "calls-1", "x");
        calls.add(event.json(message));
        calls.add(ingest(200).json(message));
        calls.add(event.json(TestServer.messageBody("calls", "calls-2", "x")).with("Prefer", "return=minimal"));
        calls.add(ingest(200).json("[" + EVENT + "," + TestServer.messageBody("calls", "calls-3", "x") + "]"));
        calls.add(ingest(200).lines(EVENT + "\n" + message + "\n"));
        calls.add(ingest(400).problem("invalid_event").json("{\"type\":\"message.created\",\"data\":{}}"));
        calls.add(ingest(400).problem("unknown_event_type").json("{\"type\":\"x\",\"data\":{}}"));
        calls.add(ingest(400).problem("invalid_json").json("{\"type\":"));
        calls.add(ingest(400).problem("duplicate_key").json("{\"type\":\"bridge.test\",\"type\":\"x\"}"));
        calls.add(ingest(400).problem("too_deep").json("{\"a\":" + "[".repeat(64) + "]".repeat(64) + "}"));
        calls.add(ApiCall.of(INGEST, 401).problem("unauthorized").json(EVENT));
        calls.add(
                ApiCall.of(INGEST, 401).problem("unauthorized").key(NOBODYS_KEY).json(EVENT));
        calls.add(ingest(409).problem("message_id_conflict").json(TestServer.messageBody("calls", "calls-1", "other")));
        String large = "x".repeat(1 << 20);
        calls.add(ingest(413).problem("event_too_large").json(TestServer.messageBody("calls", "calls-4", large)));
        calls.add(ingest(413).problem("batch_too_large").json("[" + (EVENT + ",").repeat(1_000) + EVENT + "]"));
        calls.add(ingest(413).problem("request_too_large").lines((large + "\n").repeat(8) + "\n"));
        calls.add(ingest(415).problem("unsupported_media_type").json(EVENT).with("Content-Encoding", "gzip"));
    }

    private static ApiCall ingest(int status) {
        return ApiCall.of(INGEST, status).key(KEY);
    }

    private static void uploads(List<ApiCall> calls) {
        String session =
                "{\"conversation\":{\"name\":\"n\",\"mode\":\"m\",\"initial_prompt\":\"\",\"status\":\"COMPLETED\","
                        + "\"started_at\":\"2026-11-22T14:34:21Z\"},\"agents\":[],\"messages\":[]}";
        String message = TestServer.messageBody("calls", "upload-1", "x");
        calls.add(upload(201).json(session));
        calls.add(upload(200).json(session));
        calls.add(upload(201).lines(message + "\n" + TestServer.messageBody("calls-other", "upload-2", "x")));
        calls.add(upload(201).lines(EVENT + "\n"));
        calls.add(upload(400).problem("invalid_upload").json("{}"));
        calls.add(upload(400).problem("invalid_event").lines("{\"type\":\"message.created\",\"data\":{}}"));
        calls.add(upload(400).problem("unknown_event_type").lines("{\"type\":\"x\",\"data\":{}}"));
        calls.add(upload(400).problem("invalid_json").lines("{\"type\":"));
        calls.add(upload(400).problem("duplicate_key").lines("{\"type\":\"bridge.test\",\"type\":\"x\"}"));
        calls.add(upload(400).problem("too_deep").lines("{\"a\":" + "[".repeat(64) + "]".repeat(64) + "}"));
        calls.add(ApiCall.of(UPLOAD, 401).problem("unauthorized").json(session));
        calls.add(
                upload(409).problem("message_id_conflict").lines(TestServer.messageBody("calls", "upload-1", "other")));
        calls.add(upload(413)
                .problem("event_too_large")
                .lines(TestServer.messageBody("calls", "upload-3", "x".repeat(1 << 20))));
        calls.add(upload(413).problem("upload_too_large").lines((EVENT + "\n").repeat(50_001)));
        calls.add(upload(415).problem("unsupported_media_type").json(session).with("Content-Encoding", "br"));
    }

    private static ApiCall upload(int status) {
        return ApiCall.of(UPLOAD, status).key(KEY);
    }

    /**
     * A GET of what is stored.
     *
     * @param query that it has
     * @param refused one that it cannot have
     */
    private record Read(String path, String query, String refused) {

        ApiCall call(int status) {
            return ApiCall.of("GET " + path, status).at(path.replace("{id}", "c-1") + query);
        }
    }

    private static final List<Read> READS = List.of(
            new Read("/api/conversations", "", "?page=0&limit=1000000000&cursor=x"),
            new Read("/api/conversations", "?status=ACTIVE,ERROR&model=claude&sort=totalCost&limit=1", "?sort=name"),
            new Read("/api/conversations/{id}", "", "?includeMessages=x"),
            new Read("/api/conversations/{id}", "?includeMessages=false", "?includeMessages=0"),
            new Read("/api/conversations/{id}/messages", "?limit=1", "?page=x&cursor=y"),
            new Read("/api/messages/recent", "?status=COMPLETED", "?status=x"),
            new Read("/api/conversations/{id}/export", "", "?format=x"),
            new Read("/api/conversations/{id}/export", "?format=jsonl", "?format=JSON"),
            new Read("/api/conversations/{id}/export", "?format=csv", "?format=pdf"),
            new Read("/api/conversations/{id}/export", "?format=markdown", "?format=md"),
            new Read("/api/search", "?type=agents", ""),
            new Read("/api/search", "?type=models", "?type=x"),
            new Read("/api/metrics/summary", "", "?startDate=x&endDate=2026-02-30&interval=week"),
            new Read(
                    "/api/metrics/summary",
                    "?startDate=2026-11-20&endDate=2026-11-24&interval=day",
                    "?startDate=2000-01-01&interval=hour"));

    private static void reads(List<ApiCall> calls) {
        for (Read read : READS) {
            ApiCall ok = read.call(200);
            String path = read.path().replace("{id}", "c-1");
            calls.add(ok);
            calls.add(ok.key(ADMIN_KEY));
            calls.add(ok.status(304).with("If-None-Match", "*"));
            calls.add(ok.status(400).problem("invalid_parameter").at(path + read.refused()));
            if (read.path().contains("{id}")) {
                calls.add(ok.status(404).problem("not_found").at(path.replace("c-1", "nobody")));
                calls.add(ok.status(400).problem("invalid_parameter").at(path.replace("c-1", "x".repeat(256))));
            }
        }
        calls.add(ApiCall.get("/api/realtime/stats", 200));
        calls.add(ApiCall.get("/api/realtime/stats", 304).with("If-None-Match", "*"));
    }

    private static void searches(List<ApiCall> calls) {
        ApiCall search = ApiCall.of("POST /api/search", 200);
        calls.add(search.json("{}"));
        calls.add(search.json("{\"query\":\"lease\"}"));
        calls.add(search.json("{\"query\":\"\\\"small job\\\"\",\"filters\":{\"status\":[\"ACTIVE\",\"COMPLETED\"],"
                + "\"agentTypes\":[\"claude\"],\"models\":[\"claude\"],\"startDate\":\"2026-01-01\","
                + "\"endDate\":\"2027-01-01T00:00:00Z\",\"minCost\":0,\"maxCost\":9.5,\"minTokens\":0,"
                + "\"maxTokens\":100000},\"sort\":\"totalCost\",\"order\":\"asc\",\"page\":1,\"limit\":5}"));
        calls.add(search.status(400)
                .problem("invalid_parameter")
                .json("{\"query\":7,\"page\":0,\"filters\":{\"status\":[\"x\"],\"startDate\":\"x\"}}"));
        calls.add(search.status(400).problem("invalid_json").json("{"));
        calls.add(search.status(413).problem("request_too_large").json("{\"query\":\"" + "x".repeat(64 << 10) + "\"}"));
        calls.add(search.status(415).problem("unsupported_media_type").lines("{}"));
    }

    private static void deletes(List<ApiCall> calls) {
        ApiCall delete = ApiCall.of("DELETE /api/conversations/{id}", 204).key(ADMIN_KEY);
        calls.add(delete.at("/api/conversations/calls"));
        calls.add(delete.status(404).problem("not_found").at("/api/conversations/calls"));
        calls.add(delete.status(400).problem("invalid_parameter").at("/api/conversations/" + "x".repeat(256)));
        ApiCall unauthorized = ApiCall.of(delete.operation(), 401).at("/api/conversations/calls");
        calls.add(unauthorized.problem("unauthorized"));
        calls.add(unauthorized.status(403).key(KEY).problem("forbidden"));
    }

    private static void sessions(List<ApiCall> calls) {
        calls.add(ApiCall.get("/api/session", 200));
        calls.add(ApiCall.get("/api/session", 200).key(KEY));
        calls.add(ApiCall.of("DELETE /api/session", 204));
        for (String made : MADE_FROM_KEYS) {
            calls.add(ApiCall.of(made, 201).key(KEY));
            calls.add(ApiCall.of(made, 401).problem("unauthorized"));
        }
    }

    private static void administration(List<ApiCall> calls) {
        ApiCall put = ApiCall.of("PUT /api/admin/log-level", 200).key(ADMIN_KEY);
        calls.add(put.json("{\"level\":\"error\",\"logger\":\"dev.agentpipe.requests\",\"seconds\":43200}"));
        calls.add(put.json("{\"level\":\"warn\"}"));
        calls.add(put.status(400).problem("invalid_parameter").json("{\"level\":\"off\",\"logger\":7,\"seconds\":0}"));
        calls.add(put.status(400)
                .problem("invalid_parameter")
                .json("{\"level\":\"debug\",\"logger\":\"io.undertow\",\"seconds\":43201}"));
        calls.add(put.status(400).problem("invalid_json").json("{"));
        calls.add(put.status(413).problem("request_too_large").json("{\"level\":\"" + "x".repeat(1_024) + "\"}"));
        ApiCall get = ApiCall.of("GET /api/admin/log-level", 200);
        calls.add(get.key(ADMIN_KEY));
        ApiCall delete = ApiCall.of("DELETE /api/admin/log-level", 204);
        calls.add(delete.key(ADMIN_KEY));
        for (ApiCall one : List.of(get, ApiCall.of(put.operation(), 0).json("{\"level\":\"info\"}"), delete)) {
            calls.add(one.status(401).problem("unauthorized"));
            calls.add(one.status(403).problem("forbidden").key(KEY));
        }
    }

    private static void documents(List<ApiCall> calls) {
        for (String path : List.of("/api/openapi.json", "/api/docs")) {
            calls.add(ApiCall.get(path, 200));
            calls.add(ApiCall.get(path, 304).with("If-None-Match", "*"));
        }
        ApiCall file = ApiCall.of("GET /api/docs/{file}", 200);
        calls.add(file.at("/api/docs/style.css"));
        calls.add(file.at("/api/docs/icon.svg"));
        calls.add(ApiCall.of(file.operation(), 304).at("/api/docs/style.css").with("If-None-Match", "*"));
        calls.add(ApiCall.of(file.operation(), 404).problem("not_found").at("/api/docs/package.json"));
    }

    /** What one answers whose database refuses it. */
    static List<ApiCall> withoutDatabase() {
        List<ApiCall> calls = new ArrayList<>();
        calls.add(ingest(503).problem("database_unavailable").json(EVENT));
        MADE_FROM_KEYS.forEach(made ->
                calls.add(ApiCall.of(made, 503).problem("database_unavailable").key(KEY)));
        calls.add(upload(503).problem("database_unavailable").lines(EVENT));
        Set<String> paths = new HashSet<>();
        READS.stream()
                .filter(read -> paths.add(read.path()))
                .forEach(read -> calls.add(read.call(503).problem("database_unavailable")));
        calls.add(ApiCall.of("POST /api/search", 503)
                .problem("database_unavailable")
                .json("{}"));
        calls.add(ApiCall.get("/api/realtime/stats", 200));
        calls.add(ApiCall.of("DELETE /api/conversations/{id}", 503)
                .problem("database_unavailable")
                .at("/api/conversations/c-1")
                .key(ADMIN_KEY));
        for (String stream : STREAMS) {
            calls.add(ApiCall.of(stream, 503).problem("database_unavailable").at("/api/stream?replay=1"));
        }
        return calls;
    }

    /** What one answers that has as many streams as it may. */
    static List<ApiCall> full() {
        return STREAMS.stream()
                .map(stream -> ApiCall.of(stream, 503).problem("too_many_streams"))
                .toList();
    }

    /** What takes all of what a server lets one caller do that lets each do one thing. */
    static List<ApiCall> first() {
        return List.of(
                ApiCall.of(INGEST, 201).key(KEY).json(EVENT),
                upload(201).lines(EVENT),
                ApiCall.get("/api/realtime/stats", 200));
    }

    /** What it answers then, while a stream is open. */
    static List<ApiCall> limited() {
        List<ApiCall> calls = new ArrayList<>();
        calls.add(ingest(429).json(EVENT));
        calls.add(upload(429).lines(EVENT));
        Set<String> paths = new HashSet<>();
        READS.stream().filter(read -> paths.add(read.path())).forEach(read -> calls.add(read.call(429)));
        calls.add(ApiCall.of("POST /api/search", 429).json("{}"));
        calls.add(ApiCall.get("/api/realtime/stats", 429));
        STREAMS.forEach(stream -> calls.add(ApiCall.of(stream, 429)));
        return calls.stream().map(call -> call.problem("rate_limited")).toList();
    }
}
