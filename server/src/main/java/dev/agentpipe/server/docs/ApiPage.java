package dev.agentpipe.server.docs;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import tools.jackson.databind.JsonNode;

/** The page for people, made from the document. It has no script, and nothing in it comes from another host. */
final class ApiPage {

    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>AgentPipe Streaming: API</title>
            <link rel="stylesheet" href="docs/style.css">
            <link rel="icon" href="docs/icon.svg" type="image/svg+xml">
            </head>
            """;

    private final JsonNode document;
    private final Html html = new Html();
    private final SchemaView schemas = new SchemaView(html);

    private ApiPage(JsonNode document) {
        this.document = document;
    }

    static String of(JsonNode document) {
        ApiPage page = new ApiPage(document);
        page.write();
        return page.html.toString();
    }

    private void write() {
        html.raw(HEAD).open("body").element("a", "To the content", "href", "#content", "class", "skip");
        html.open("header")
                .open("h1")
                .text(document.at("/info/title").stringValue())
                .text(" ");
        html.element("small", document.at("/info/version").stringValue()).close("h1");
        html.element("p", document.at("/info/summary").stringValue()).close("header");
        contents();
        html.open("main", "id", "content");
        introduction();
        for (JsonNode tag : document.get("tags")) {
            String name = tag.get("name").stringValue();
            html.open("section", "id", anchor(name), "aria-labelledby", anchor(name) + "-title");
            html.element("h2", name, "id", anchor(name) + "-title");
            html.markdown(tag.path("description").asString(""));
            operationsOf(name, this::operation);
            html.close("section");
        }
        problems();
        namedSchemas();
        html.close("main").close("body").close("html");
    }

    private static String anchor(String tag) {
        return "tag-" + tag.toLowerCase(Locale.ROOT);
    }

    /** @param each is given method and path */
    private void operationsOf(String tag, BiConsumer<String[], ApiOperation> each) {
        for (Map.Entry<String, JsonNode> path : document.get("paths").properties()) {
            for (Map.Entry<String, JsonNode> one : path.getValue().properties()) {
                if (one.getValue().at("/tags/0").asString("").equals(tag)) {
                    each.accept(new String[] {one.getKey(), path.getKey()}, new ApiOperation(document, one.getValue()));
                }
            }
        }
    }

    private void contents() {
        html.open("nav", "aria-label", "Contents").open("details", "open", "");
        html.element("summary", "Contents").open("ul");
        for (JsonNode tag : document.get("tags")) {
            String name = tag.get("name").stringValue();
            html.open("li").element("a", name, "href", "#" + anchor(name)).open("ul");
            operationsOf(name, (where, operation) -> {
                html.open("li").open("a", "href", "#" + operation.id());
                method(where[0]).text(" ").element("span", where[1].replace("/api/", ""), "class", "path");
                html.close("a").close("li");
            });
            html.close("ul").close("li");
        }
        html.open("li").element("a", "Errors", "href", "#errors").close("li");
        html.open("li").element("a", "Schemas", "href", "#schemas").close("li");
        html.close("ul").close("details").close("nav");
    }

    private Html method(String method) {
        return html.element("span", method.toUpperCase(Locale.ROOT), "class", "method " + method);
    }

    private void introduction() {
        html.open("section", "id", "introduction")
                .markdown(document.at("/info/description").stringValue());
        html.open("p").text("As a document for programs: ");
        html.element("a", "openapi.json", "href", "openapi.json")
                .text(" (OpenAPI 3.1).")
                .close("p");
        document.at("/components/securitySchemes")
                .forEach(scheme -> html.markdown(scheme.path("description").asString("")));
        html.element(
                "p",
                "The examples below run as they are once these are set; the first two are those that the AgentPipe CLI reads:");
        code("""
                export AGENTPIPE_STREAM_URL=http://127.0.0.1:3000
                export AGENTPIPE_STREAM_API_KEY="$(cat data/api-key)"
                export AGENTPIPE_ADMIN_API_KEY="$AGENTPIPE_STREAM_API_KEY"  # the generated key may delete, too""");
        html.close("section");
    }

    private void code(String text) {
        html.open("pre", "tabindex", "0").element("code", text).close("pre");
    }

    private void operation(String[] where, ApiOperation operation) {
        JsonNode node = operation.node();
        html.open("article", "id", operation.id(), "aria-labelledby", operation.id() + "-title");
        html.open("h3", "id", operation.id() + "-title");
        html.open("a", "href", "#" + operation.id())
                .text(node.get("summary").stringValue())
                .close("a")
                .close("h3");
        html.open("p", "class", "url");
        method(where[0]).text(" ").element("code", where[1]).close("p");
        html.markdown(node.path("description").asString(""));
        operation.scope().ifPresent(scope -> {
            html.open("p", "class", "scope").text("Needs a key with the scope ");
            html.element("code", scope).text(".").close("p");
        });
        parameters(operation);
        body(node.path("requestBody"));
        for (CurlExample example : CurlExample.of(where[1], where[0], operation)) {
            html.element("h4", example.title().isEmpty() ? "Example" : "Example: " + example.title());
            code(example.command());
        }
        responses(operation);
        html.close("article");
    }

    private void parameters(ApiOperation operation) {
        if (operation.parameters().isEmpty()) {
            return;
        }
        html.element("h4", "Parameters").open("ul", "class", "members");
        for (JsonNode parameter : operation.parameters()) {
            html.open("li");
            schemas.head(
                    parameter.get("name").stringValue(),
                    parameter.get("in").stringValue(),
                    parameter.path("required").asBoolean(false),
                    parameter.get("schema"));
            html.markdown(parameter.path("description").asString("")).close("li");
        }
        html.close("ul");
    }

    private void body(JsonNode body) {
        if (body.isMissingNode()) {
            return;
        }
        html.element("h4", "Body").open("ul", "class", "members");
        body.get("content").properties().forEach(content -> {
            html.open("li");
            schemas.head(content.getKey(), "", false, content.getValue().get("schema"));
            schemas.members(content.getValue().get("schema"));
            html.close("li");
        });
        html.close("ul");
    }

    private void responses(ApiOperation operation) {
        html.element("h4", "Answers").open("dl", "class", "answers");
        operation.node().get("responses").properties().forEach(response -> {
            html.open("dt")
                    .element(
                            "code",
                            response.getKey(),
                            "class",
                            "status s" + response.getKey().charAt(0));
            html.close("dt").open("dd");
            response(operation.resolve(response.getValue()));
            html.close("dd");
        });
        html.close("dl");
    }

    private void response(JsonNode response) {
        html.markdown(response.get("description").stringValue());
        List<String> headers = new ArrayList<>(response.path("headers").propertyNames());
        headers.remove("X-Request-Id");
        if (!headers.isEmpty()) {
            html.open("p").text("Headers: ");
            headers.forEach(name -> html.element("code", name).text(" "));
            html.close("p");
        }
        response.path("content").properties().forEach(content -> {
            boolean isProblem = content.getKey().equals("application/problem+json");
            if (isProblem) {
                html.open("p", "class", "codes").text("Codes: ");
                content.getValue()
                        .get("examples")
                        .propertyNames()
                        .forEach(code ->
                                html.element("a", code, "href", "#code-" + code).text(" "));
                html.close("p");
                return;
            }
            html.open("p").element("code", content.getKey()).text(" ");
            schemas.type(content.getValue().get("schema"));
            html.close("p");
            schemas.members(content.getValue().get("schema"));
            content.getValue().path("examples").forEach(this::example);
        });
    }

    private void example(JsonNode example) {
        JsonNode value = example.path("value");
        html.open("details").element("summary", example.path("summary").asString("Example"));
        code(value.isString() ? value.stringValue().strip() : ApiDocument.pretty(value));
        html.close("details");
    }

    private void problems() {
        html.open("section", "id", "errors", "aria-labelledby", "errors-title");
        html.element("h2", "Errors", "id", "errors-title");
        html.open("p").text("Their bodies are a ").element("a", "Problem", "href", "#schema-Problem");
        html.text(". What a program switches on is ")
                .element("code", "code")
                .text(".")
                .close("p");
        html.open("dl", "class", "answers");
        document.at("/components/examples").properties().forEach(problem -> {
            JsonNode value = problem.getValue().get("value");
            html.open("dt", "id", "code-" + problem.getKey())
                    .element("code", problem.getKey())
                    .close("dt");
            html.open("dd").open("p").element("code", value.get("status").asString(), "class", "status");
            html.text(" " + value.get("title").stringValue()).close("p");
            example(problem.getValue());
            html.close("dd");
        });
        html.close("dl").close("section");
    }

    private void namedSchemas() {
        html.open("section", "id", "schemas", "aria-labelledby", "schemas-title");
        html.element("h2", "Schemas", "id", "schemas-title");
        document.at("/components/schemas").properties().forEach(schema -> {
            String anchor = SchemaView.anchor(schema.getKey());
            html.open("article", "id", anchor, "aria-labelledby", anchor + "-title");
            html.element("h3", schema.getKey(), "id", anchor + "-title").open("p");
            schemas.type(schema.getValue());
            html.close("p").markdown(schema.getValue().path("description").asString(""));
            schemas.members(schema.getValue());
            html.close("article");
        });
        html.close("section");
    }
}
