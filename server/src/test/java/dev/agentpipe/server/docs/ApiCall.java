package dev.agentpipe.server.docs;

import dev.agentpipe.server.SecretsSearch;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One request, and the status that it gets.
 *
 * @param operation method and path as in the document
 * @param code of the problem; null for none
 * @param path as it is sent, with its query
 * @param headers names and values, in turns
 * @param body null for none
 */
record ApiCall(String operation, int status, String code, String path, List<String> headers, String body) {

    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** @param body of a stream: its first block */
    record Answer(HttpResponse<?> response, String body) {}

    /** A GET of a path without parameters. */
    static ApiCall get(String path, int status) {
        return new ApiCall("GET " + path, status, null, path, List.of(), null);
    }

    static ApiCall of(String operation, int status) {
        return new ApiCall(operation, status, null, operation.substring(operation.indexOf(' ') + 1), List.of(), null);
    }

    ApiCall at(String newPath) {
        return new ApiCall(operation, status, code, newPath, headers, body);
    }

    ApiCall status(int newStatus) {
        return new ApiCall(operation, newStatus, code, path, headers, body);
    }

    ApiCall problem(String newCode) {
        return new ApiCall(operation, status, newCode, path, headers, body);
    }

    ApiCall with(String name, String value) {
        List<String> more = new ArrayList<>(headers);
        more.addAll(List.of(name, value));
        return new ApiCall(operation, status, code, path, more, body);
    }

    ApiCall key(String key) {
        return with("Authorization", "Bearer " + key);
    }

    ApiCall json(String json) {
        return new ApiCall(operation, status, code, path, headers, json).with("Content-Type", "application/json");
    }

    ApiCall lines(String lines) {
        return new ApiCall(operation, status, code, path, headers, lines).with("Content-Type", "application/x-ndjson");
    }

    String contentType() {
        int at = headers.indexOf("Content-Type");
        return at < 0 ? null : headers.get(at + 1);
    }

    Answer send(TestServer server) {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.uri(path))
                .timeout(PATIENCE)
                .method(
                        operation.substring(0, operation.indexOf(' ')),
                        body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        for (int i = 0; i < headers.size(); i += 2) {
            request.header(headers.get(i), headers.get(i + 1));
        }
        try {
            HttpResponse<InputStream> response = CLIENT.send(request.build(), BodyHandlers.ofInputStream());
            try (InputStream in = response.body()) {
                boolean endless =
                        response.headers().firstValue("Content-Type").orElse("").startsWith("text/event-stream");
                String text = endless ? firstBlock(in) : text(in.readAllBytes());
                SecretsSearch.answered(response.headers().map() + text);
                return new Answer(response, text);
            }
        } catch (IOException e) {
            throw new AssertionError(this + " failed", e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static String firstBlock(InputStream in) throws IOException {
        StringBuilder block = new StringBuilder();
        while (block.indexOf("\n\n") < 0) { // and no byte more, which might never come
            int next = in.read();
            if (next < 0) {
                break;
            }
            block.append((char) next);
        }
        return block.toString();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        String sent = body == null ? "" : " " + body.substring(0, Math.min(60, body.length()));
        return operation + " -> " + status + (code == null ? "" : " " + code) + ": "
                + path.substring(0, Math.min(120, path.length())) + sent;
    }
}
