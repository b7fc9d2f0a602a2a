package dev.agentpipe.db.backup;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a backup holds, as its own snapshot of the database saw it: a restore is compared with this before it takes effect.
 *
 * @param program version of the program that wrote it
 * @param toolVersion major version of {@code pg_dump}; 0 for {@link BackupForm#COPY}
 * @param postgres the server's version
 * @param schemaVersion of the last migration
 * @param schemaWriter the program that applied it, as it noted itself
 * @param head the last position in the log
 */
public record BackupManifest(
        BackupForm form,
        int toolVersion,
        Instant createdAt,
        String program,
        String postgres,
        String schemaVersion,
        String schemaWriter,
        String epoch,
        long head,
        List<Table> tables) {

    /** Of the manifest's own shape: a later one is refused. */
    private static final int VERSION = 1;

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /**
     * @param columns without generated ones
     * @param digest of all rows, whatever their order
     */
    public record Table(String name, List<String> columns, long rows, String digest) {
        public Table {
            columns = List.copyOf(columns);
        }
    }

    public BackupManifest {
        tables = List.copyOf(tables);
    }

    /** Of the table; 0 if there is none. */
    public long rows(String table) {
        return tables.stream()
                .filter(one -> one.name().equals(table))
                .mapToLong(Table::rows)
                .sum();
    }

    public String toJson() {
        ObjectNode json = JSON.createObjectNode();
        json.put("manifest", VERSION);
        json.put("form", form.label());
        json.put("toolVersion", toolVersion);
        json.put("createdAt", createdAt.toString());
        json.put("program", program);
        json.put("postgres", postgres);
        json.put("schemaVersion", schemaVersion);
        json.put("schemaWriter", schemaWriter);
        json.put("epoch", epoch);
        json.put("head", head);
        ArrayNode all = json.putArray("tables");
        for (Table table : tables) {
            ObjectNode one = all.addObject();
            one.put("name", table.name());
            table.columns().forEach(one.putArray("columns")::add);
            one.put("rows", table.rows());
            one.put("digest", table.digest());
        }
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    }

    /** @throws BackupException if it is none that this version can read */
    public static BackupManifest parse(byte[] bytes) {
        try {
            JsonNode json = JSON.readTree(bytes);
            int version = json.required("manifest").asInt();
            if (version > VERSION) {
                throw new BackupException("The backup was made by a newer version of this program ("
                        + json.required("program").asString() + "): restore it with that one");
            }
            List<Table> tables = new ArrayList<>();
            for (JsonNode one : json.required("tables")) {
                List<String> columns = new ArrayList<>();
                one.required("columns").forEach(column -> columns.add(column.asString()));
                tables.add(new Table(
                        one.required("name").asString(),
                        columns,
                        one.required("rows").asLong(),
                        one.required("digest").asString()));
            }
            return new BackupManifest(
                    BackupForm.of(json.required("form").asString()),
                    json.required("toolVersion").asInt(),
                    Instant.parse(json.required("createdAt").asString()),
                    json.required("program").asString(),
                    json.required("postgres").asString(),
                    json.required("schemaVersion").asString(),
                    json.required("schemaWriter").asString(),
                    json.required("epoch").asString(),
                    json.required("head").asLong(),
                    tables);
        } catch (JacksonException | IllegalArgumentException | DateTimeParseException broken) {
            throw new BackupException("The backup's manifest cannot be read", broken);
        }
    }
}
