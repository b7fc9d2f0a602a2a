package dev.agentpipe.server.http;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The bodies of the real client, as requests. */
final class Fixtures {

    /** A body, and the request that brings it: with the headers of the real client where they were recorded. */
    record Request(String file, String body, String text) {
        static Request of(String body) {
            return new Request("own", body, RawHttp.post(body));
        }
    }

    private Fixtures() {}

    static List<Request> all() {
        try {
            URI folder = Fixtures.class.getResource("/fixtures").toURI();
            if (folder.getScheme().equals("jar")) {
                try (FileSystem jar = FileSystems.newFileSystem(folder, Map.of())) {
                    return read(jar.getPath("/fixtures"));
                }
            }
            return read(Path.of(folder));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Request> read(Path folder) throws IOException {
        List<Request> requests = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".jsonl")) {
                    for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                        requests.add(
                                name.startsWith("capture.")
                                        ? recorded(name, line)
                                        : new Request(name, line, RawHttp.post(line)));
                    }
                }
            }
        }
        return requests;
    }

    private static Request recorded(String file, String line) {
        JsonNode record = JsonMapper.shared().readTree(line);
        StringBuilder head = new StringBuilder("%s %s HTTP/%s\r\n"
                .formatted(
                        record.get("method").stringValue(),
                        record.get("path").stringValue(),
                        record.get("http").stringValue()));
        for (JsonNode header : record.get("headers")) {
            String value = header.get(1).stringValue().replace("<API_KEY>", TestServer.KEY);
            head.append(header.get(0).stringValue()).append(": ").append(value).append("\r\n");
        }
        String body = record.get("body").stringValue();
        return new Request(file, body, head.append("\r\n").append(body).toString());
    }
}
