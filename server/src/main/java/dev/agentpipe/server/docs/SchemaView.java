package dev.agentpipe.server.docs;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/** Shows JSON Schemas: a line for the type, and a list of an object's members. References become links. */
final class SchemaView {

    private static final String SCHEMAS = "#/components/schemas/";

    /** What a bound is called; the value stands where the # is. */
    private static final Map<String, String> BOUNDS = new TreeMap<>(Map.of(
            "exclusiveMaximum", "below #",
            "minLength", "at least # characters",
            "maxLength", "at most # characters",
            "minItems", "at least # items",
            "maxItems", "at most # items",
            "pattern", "pattern #",
            "default", "default #"));

    private final Html html;

    SchemaView(Html html) {
        this.html = html;
    }

    /** A named schema's id on the page. */
    static String anchor(String name) {
        return "schema-" + name;
    }

    /** Type and bounds, in one line. */
    void type(JsonNode schema) {
        html.open("span", "class", "type");
        typeName(schema);
        html.close("span");
        List<String> bounds = bounds(schema);
        if (!bounds.isEmpty()) {
            html.element("span", String.join(", ", bounds), "class", "bounds");
        }
        JsonNode values = schema.path("type").stringValue("").equals("array") ? schema.path("items") : schema;
        if (values.has("enum")) {
            html.open("span", "class", "values");
            values.get("enum").forEach(value -> html.element("code", value.asString()));
            html.close("span");
        }
    }

    private void typeName(JsonNode schema) {
        if (schema.has("$ref")) {
            reference(schema.get("$ref").stringValue());
        } else if (schema.has("const")) {
            html.element("code", schema.get("const").asString());
        } else if (schema.has("oneOf") && !schema.has("properties")) {
            boolean first = true;
            for (JsonNode one : schema.get("oneOf")) {
                html.text(first ? "" : " or ");
                typeName(one);
                first = false;
            }
        } else if (schema.path("type").stringValue("").equals("array")) {
            html.text("array of ");
            typeName(schema.path("items"));
        } else {
            html.text(plainType(schema));
        }
    }

    private static String plainType(JsonNode schema) {
        JsonNode type = schema.path("type");
        String name = type.isArray()
                ? type.valueStream().map(JsonNode::stringValue).collect(Collectors.joining(" or "))
                : type.stringValue(schema.has("enum") ? "string" : "any");
        return schema.has("format") ? name + " (" + schema.get("format").stringValue() + ")" : name;
    }

    /** To a named schema, or to a part of one. */
    private void reference(String reference) {
        String name = reference.substring(SCHEMAS.length());
        String whole = name.split("/")[0];
        html.element("a", name.replace("/properties/", "."), "href", "#" + anchor(whole));
    }

    private static List<String> bounds(JsonNode schema) {
        List<String> bounds = new ArrayList<>();
        if (schema.has("minimum") || schema.has("maximum")) {
            String most = schema.path("maximum").asString("");
            bounds.add(schema.path("minimum").asString("") + (most.isEmpty() ? " or more" : " to " + most));
        }
        BOUNDS.forEach((keyword, words) -> {
            if (schema.has(keyword)) {
                bounds.add(words.replace("#", schema.get(keyword).asString()));
            }
        });
        return bounds;
    }

    /** The members of an object, or of an array's objects; of nested ones, too, unless they have a name. */
    void members(JsonNode schema) {
        JsonNode object = schema.path("type").stringValue("").equals("array") ? schema.path("items") : schema;
        if (!object.has("properties") || object.has("$ref")) {
            return;
        }
        List<String> required =
                object.path("required").valueStream().map(JsonNode::stringValue).toList();
        html.open("ul", "class", "members");
        object.get("properties").properties().forEach(member -> {
            html.open("li");
            head(member.getKey(), "", required.contains(member.getKey()), member.getValue());
            members(member.getValue());
            html.close("li");
        });
        html.close("ul");
    }

    /** @param place where it stands, of a parameter; else empty */
    void head(String name, String place, boolean isRequired, JsonNode schema) {
        html.open("p", "class", "member").element("code", name, "class", "name").text(" ");
        if (isRequired) {
            html.element("strong", "required", "class", "required").text(" ");
        }
        if (!place.isEmpty()) {
            html.element("span", place, "class", "place").text(" ");
        }
        type(schema);
        html.close("p").markdown(schema.path("description").asString(""));
    }
}
