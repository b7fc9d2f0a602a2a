package dev.agentpipe.server.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.networknt.schema.Error;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.server.Version;
import dev.agentpipe.server.docs.Api.Operation;
import dev.agentpipe.server.http.Problem;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The document by itself: it is OpenAPI 3.1, it is whole, and its examples are of what it describes. */
final class ApiDocumentTest {

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Path ROOT = Path.of("..");

    private final JsonNode document = ApiDocument.of(Version.current());
    private final Api api = new Api(document.toString());

    @Test
    void document_isOpenApi31() throws Exception {
        JsonNode schema;
        try (InputStream in = ApiDocumentTest.class.getResourceAsStream("/openapi/oas-3.1-2022-10-07.json")) {
            schema = JSON.readTree(in);
        }
        SchemaRegistry registry = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
        assertEquals(List.of(), errors(registry.getSchema(schema).validate(document)));

        JsonNode broken = document.deepCopy();
        ((ObjectNode) broken.get("info")).remove("title");
        assertEquals(1, registry.getSchema(schema).validate(broken).size(), "the schema finds what is wrong");
    }

    @Test
    void schemas_areJsonSchema() {
        SchemaRegistry registry = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
        var metaSchema = registry.getSchema(SchemaLocation.of("https://json-schema.org/draft/2020-12/schema"));
        document.findValues("schema").forEach(schema -> assertEquals(List.of(), errors(metaSchema.validate(schema))));
        document.at("/components/schemas")
                .forEach(schema -> assertEquals(List.of(), errors(metaSchema.validate(schema))));
        assertTrue(!metaSchema.validate(JSON.readTree("{\"type\":\"text\"}")).isEmpty());
    }

    private static List<String> errors(List<Error> errors) {
        return errors.stream().map(Error::toString).toList();
    }

    @Test
    void references_leadSomewhere_andNothingIsNeverReferredTo() {
        Set<String> referred = new HashSet<>();
        document.findValuesAsString("$ref").forEach(reference -> {
            assertTrue(!document.at(reference.substring(1)).isMissingNode(), reference);
            referred.add(reference);
        });
        for (String kind : List.of("schemas", "parameters", "responses", "headers", "examples")) {
            document.at("/components/" + kind).propertyNames().forEach(name -> {
                String reference = "#/components/" + kind + "/" + name;
                boolean isGeneral = generalCodes().contains(name);
                assertTrue(referred.contains(reference) || isGeneral, "nothing refers to " + reference);
            });
        }
    }

    /** What any request can be answered with, and so what the introduction tells of instead of each operation. */
    private static List<String> generalCodes() {
        return List.of(
                "invalid_request",
                "key_in_url",
                "https_required",
                "not_found",
                "method_not_allowed",
                "internal_error",
                "shutting_down");
    }

    @Test
    void operations_haveAnIdATagASummaryAndAnswers() {
        Set<String> ids = new HashSet<>();
        Set<String> tags = new HashSet<>(document.get("tags").findValuesAsString("name"));
        assertEquals(document.get("tags").size(), tags.size());
        for (Operation operation : api.operations()) {
            assertTrue(ids.add(operation.node().get("operationId").stringValue()), operation::toString);
            assertTrue(tags.contains(operation.node().at("/tags/0").stringValue()), operation::toString);
            assertTrue(!operation.node().get("summary").stringValue().isEmpty(), operation::toString);
            assertTrue(!operation.node().get("responses").isEmpty(), operation::toString);
            boolean hasKey = operation.node().has("security");
            assertEquals(hasKey, operation.node().get("responses").has("401"), operation + ": a key, and 401");
        }
    }

    @Test
    void problems_areThoseOfTheServer() {
        List<String> codes = Arrays.stream(Problem.values())
                .map(problem -> problem.name().toLowerCase(Locale.ROOT))
                .toList();

        assertEquals(new TreeSet<>(codes), new TreeSet<>(strings(document.at("/components/schemas/ProblemCode/enum"))));
        assertEquals(
                new TreeSet<>(codes),
                new TreeSet<>(document.at("/components/examples").propertyNames()));
        Set<String> told = new HashSet<>();
        api.operations()
                .forEach(operation -> operation
                        .node()
                        .get("responses")
                        .forEach(response -> told.addAll(api.resolve(response)
                                .at("/content/application~1problem+json/examples")
                                .propertyNames())));
        String introduction = document.at("/info/description").stringValue();
        for (String code : codes) {
            boolean inIntroduction = generalCodes().contains(code) && introduction.contains("`" + code + "`");
            assertTrue(told.contains(code) || inIntroduction, "told of nowhere: " + code);
        }
    }

    @Test
    void types_ofEvents_areThoseOfTheServer() {
        List<String> accepted = EventType.names().stream()
                .filter(name -> !EventType.of(name).isServersOwn())
                .toList();

        assertEquals(
                accepted,
                strings(document.at("/components/schemas/Event/properties/type/enum")).stream()
                        .sorted()
                        .toList());
        assertEquals(
                accepted,
                document.at("/components/schemas/Event/discriminator/mapping").propertyNames().stream()
                        .sorted()
                        .toList());
        assertEquals(
                EventType.names(),
                strings(document.at("/components/parameters/types/schema/items/enum")).stream()
                        .sorted()
                        .toList());
    }

    @Test
    void examples_fitTheirSchemas() {
        List<String> tried = new ArrayList<>();
        for (Operation operation : api.operations()) {
            examples(operation.at() + "/requestBody", tried, false);
            operation
                    .node()
                    .get("responses")
                    .propertyNames()
                    .forEach(status -> examples(api.resolve(operation.at() + "/responses/" + status), tried, true));
        }
        assertTrue(tried.size() > 20, tried::toString);
        assertTrue(
                tried.stream().anyMatch(one -> one.contains("requestBody") && one.contains("several")),
                tried::toString);
    }

    private void examples(String where, List<String> tried, boolean isAnswer) {
        document.at(where + "/content").properties().forEach(content -> {
            String at = where + "/content/" + content.getKey().replace("/", "~1");
            content.getValue().path("examples").properties().forEach(example -> {
                JsonNode value = api.resolve(example.getValue()).get("value");
                List<String> misfits =
                        isAnswer ? api.misfitsOfAnswer(at + "/schema", value) : api.misfits(at + "/schema", value);
                assertEquals(List.of(), misfits, at + " " + example.getKey());
                tried.add(at + " " + example.getKey());
            });
        });
    }

    /** What the CLI sends, and what the document says that it may send. */
    @Test
    void fixtures_fitTheSchemaOfEvents() throws Exception {
        int events = 0;
        try (var files = Files.list(ROOT.resolve("core/src/test/resources/fixtures"))) {
            for (Path file :
                    files.filter(name -> name.toString().endsWith(".jsonl")).toList()) {
                for (String line : Files.readAllLines(file)) {
                    if (line.startsWith("{")) {
                        events++;
                        JsonNode event = JSON.readTree(line);
                        event = event.has("body")
                                ? JSON.readTree(event.get("body").stringValue())
                                : event;
                        assertEquals(List.of(), api.misfits("/components/schemas/Event", event), file + ": " + line);
                    }
                }
            }
        }
        assertTrue(events > 50, events + " events");
    }

    @Test
    void routes_andDocument_haveTheSameUrls() throws Exception {
        String source = Files.readString(Path.of("src/main/java/dev/agentpipe/server/http/Routes.java"));
        Set<String> routes = new TreeSet<>();
        Pattern.compile("\"(/[^\"]*)\"").matcher(source).results().forEach(found -> routes.add(found.group(1)));

        assertTrue(routes.contains("/api/ingest"), routes::toString);
        assertEquals(routes, new TreeSet<>(document.get("paths").propertyNames()));
    }

    @Test
    void pieces_withTheSameMember_areRefused() {
        var one = (ObjectNode) JSON.readTree("{\"a\":{\"b\":1,\"c\":[1]}}");
        ApiDocument.merge(one, JSON.readTree("{\"a\":{\"c\":[2],\"d\":3}}").asObject(), "");
        assertEquals("{\"a\":{\"b\":1,\"c\":[1,2],\"d\":3}}", one.toString());
        assertThrows(
                IllegalStateException.class,
                () -> ApiDocument.merge(one, JSON.readTree("{\"a\":{\"b\":1}}").asObject(), ""));
    }

    private static List<String> strings(JsonNode array) {
        return array.valueStream().map(JsonNode::stringValue).toList();
    }
}
