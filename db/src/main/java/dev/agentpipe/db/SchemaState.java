package dev.agentpipe.db;

import dev.agentpipe.db.Migrations.Applied;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What was done to a database's schema, held against the migrations that this program knows. Looking changes nothing.
 *
 * @param version of the last migration that was applied; empty if none was
 * @param pending what a start, or {@link Database#migrate}, would apply, in its order
 * @param newer versions that this program does not know: a newer one was here
 * @param problems what keeps this program from starting, a sentence each
 */
public record SchemaState(
        Optional<String> version, List<Migration> pending, List<String> newer, List<String> problems) {

    /** @param sql all of it, a transaction */
    public record Migration(String version, String description, String sql) {}

    public SchemaState {
        pending = List.copyOf(pending);
        newer = List.copyOf(newer);
        problems = List.copyOf(problems);
    }

    /** The version that this program brings a schema to. */
    public static String newest() {
        return Migrations.version(Migrations.NAMES.get(Migrations.NAMES.size() - 1));
    }

    static SchemaState in(Statement statement) throws SQLException {
        return of(Migrations.history(statement));
    }

    static SchemaState of(List<Applied> history) {
        Map<String, String> known =
                Migrations.NAMES.stream().collect(Collectors.toMap(Migrations::version, Function.identity()));
        Set<String> done = new HashSet<>();
        List<String> newer = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        String version = null;
        for (Applied one : history) {
            if (one.version() == null) {
                continue; // Flyway's note of a schema that it has made
            }
            version = one.version();
            done.add(version);
            if (!known.containsKey(version)) {
                newer.add(version);
            } else if (!one.isDone()) {
                problems.add("migration " + version + " has failed half-way");
            } else if (one.checksum() != Migrations.checksum(known.get(version))) {
                problems.add("migration " + version + " was another one when it was applied");
            }
        }
        List<Migration> pending = Migrations.NAMES.stream()
                .filter(name -> !done.contains(Migrations.version(name)))
                .map(name ->
                        new Migration(Migrations.version(name), Migrations.description(name), Migrations.sql(name)))
                .toList();
        return new SchemaState(Optional.ofNullable(version), pending, newer, problems);
    }
}
