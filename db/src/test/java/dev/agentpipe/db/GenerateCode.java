package dev.agentpipe.db;

import dev.agentpipe.db.postgres.PostgresUrl;
import java.nio.file.Path;
import org.jooq.codegen.GenerationTool;
import org.jooq.meta.jaxb.Configuration;
import org.jooq.meta.jaxb.Database;
import org.jooq.meta.jaxb.ForcedType;
import org.jooq.meta.jaxb.Generate;
import org.jooq.meta.jaxb.Generator;
import org.jooq.meta.jaxb.Jdbc;
import org.jooq.meta.jaxb.Logging;
import org.jooq.meta.jaxb.Target;

/** Generates jOOQ's classes from a migrated database: its URL and the folder to write to are the arguments. */
final class GenerateCode {

    private GenerateCode() {}

    public static void main(String[] args) throws Exception {
        PostgresUrl url = PostgresUrl.parse(args[0]);
        GenerationTool.generate(configuration(url, Path.of(args[1])));
    }

    private static Configuration configuration(PostgresUrl url, Path target) {
        return new Configuration()
                .withLogging(Logging.WARN)
                .withJdbc(new Jdbc()
                        .withDriver("org.postgresql.Driver")
                        .withUrl(url.jdbcUrl())
                        .withUser(url.user())
                        .withPassword(url.password()))
                .withGenerator(new Generator()
                        .withDatabase(new Database()
                                .withName("org.jooq.meta.postgres.PostgresDatabase")
                                .withInputSchema("public")
                                .withOutputSchemaToDefault(true)
                                .withExcludes("flyway_schema_history")
                                // jOOQ knows no such type; nobody reads or writes it but in plain SQL.
                                .withForcedTypes(
                                        new ForcedType().withName("CLOB").withIncludeTypes("tsvector"))
                                .withIncludeRoutines(false)
                                .withIncludeTriggerRoutines(false))
                        .withGenerate(new Generate()
                                .withJavaTimeTypes(true)
                                .withGeneratedAnnotation(false)
                                .withPojos(false)
                                .withDaos(false))
                        .withTarget(new Target()
                                .withPackageName("dev.agentpipe.db.generated")
                                .withDirectory(target.toString())));
    }
}
