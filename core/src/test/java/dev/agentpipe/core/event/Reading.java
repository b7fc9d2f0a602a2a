package dev.agentpipe.core.event;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.agentpipe.core.event.ReadResult.Events;
import dev.agentpipe.core.event.ReadResult.Item;
import dev.agentpipe.core.event.ReadResult.Item.Accepted;
import dev.agentpipe.core.event.ReadResult.Item.Rejected;
import dev.agentpipe.core.event.ReadResult.Malformed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the tests of the reader share. */
final class Reading {

    static final Instant NOW = Instant.parse("2026-11-22T10:00:00.123456789Z");
    static final long NOW_MICROS = NOW.getEpochSecond() * 1_000_000 + 123_456;
    static final String NOW_TEXT = "2026-11-22T10:00:00.123456Z";

    /** The independent witness: a tree, made by another road than the reader's. */
    static final JsonMapper TREE = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private static final EventReader READER = reader(EventLimits.DEFAULT);

    private Reading() {}

    static EventReader reader(EventLimits limits) {
        return new EventReader(limits, Clock.fixed(NOW, ZoneOffset.UTC));
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static ReadResult json(String body) {
        return READER.readJson(utf8(body));
    }

    static ReadResult lines(String body) {
        return READER.readLines(utf8(body));
    }

    static List<Item> items(ReadResult result) {
        return assertInstanceOf(Events.class, result).items();
    }

    static Event accepted(String body) {
        return accepted(json(body));
    }

    static Event accepted(ReadResult result) {
        Item item = items(result).get(0);
        return assertInstanceOf(Accepted.class, item, item::toString).event();
    }

    static Rejected rejected(String body) {
        return assertInstanceOf(Rejected.class, items(json(body)).get(0));
    }

    static Malformed malformed(String body) {
        return malformed(utf8(body));
    }

    static Malformed malformed(byte[] body) {
        return assertInstanceOf(Malformed.class, READER.readJson(body));
    }

    static String payload(Event event) {
        return new String(event.envelope().payload(), StandardCharsets.UTF_8);
    }

    /** Asserts that the body has exactly these violations; each is {@code pointer: detail}. */
    static void assertViolations(String body, String... expected) {
        Rejected rejected = rejected(body);
        assertEquals(
                List.of(expected),
                rejected.violations().stream()
                        .map(violation -> violation.pointer() + ": " + violation.detail())
                        .toList());
        assertEquals("invalid_event", rejected.code());
    }

    /** An event with valid data of its type, and these members at the end of data, each with a comma before it. */
    static String event(String type, String members) {
        String data = switch (type) {
            case "conversation.started" -> "\"conversation_id\":\"c\",\"mode\":\"m\",\"initial_prompt\":\"p\"";
            case "message.created" -> "\"conversation_id\":\"c\",\"agent_type\":\"claude\",\"content\":\"hi\"";
            case "conversation.completed" -> "\"conversation_id\":\"c\",\"status\":\"completed\"";
            default -> "\"conversation_id\":\"c\"";
        };
        return "{\"type\":\"" + type + "\",\"timestamp\":\"2026-11-22T10:00:00Z\",\"data\":{" + data + members + "}}";
    }

    /** All bodies that the real client sent, those of capture files too. */
    static List<String> fixtures() {
        try (Stream<Path> files =
                Files.list(Path.of(Reading.class.getResource("/fixtures").toURI()))) {
            return files.filter(file -> file.toString().endsWith(".jsonl"))
                    .sorted()
                    .flatMap(Reading::bodies)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Stream<String> bodies(Path file) {
        try {
            List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
            boolean capture = file.getFileName().toString().startsWith("capture.");
            return lines.stream().map(line -> capture ? field(line, "body") : line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String field(String line, String name) {
        JsonNode record = TREE.readTree(line);
        return record.get(name).stringValue();
    }
}
