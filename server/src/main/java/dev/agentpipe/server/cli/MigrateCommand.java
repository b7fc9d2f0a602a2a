package dev.agentpipe.server.cli;

import dev.agentpipe.db.Database;
import dev.agentpipe.db.DatabaseInspection;
import dev.agentpipe.db.SchemaState;
import dev.agentpipe.db.SchemaState.Migration;
import dev.agentpipe.db.local.LocalPostgres;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.db.postgres.DatabaseStartException;
import dev.agentpipe.server.SettingsException;
import dev.agentpipe.server.SettingsReader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Brings a database's schema to this version, as a start does, but without one. */
@Command(
        name = MigrateCommand.NAME,
        sortOptions = false,
        description = "Bring the schema of the database to this version, as a start of the server does.",
        footer = {
            "",
            "It works on the database of DIRECT_URL, else DATABASE_URL, else on that in DATA_DIR. Take a",
            "backup first: UPGRADING.md."
        })
final class MigrateCommand implements Callable<Integer> {

    static final String NAME = "migrate";

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @Spec
    private CommandSpec spec;

    @Mixin
    private final EnvironmentOption environment;

    @Option(names = "--dry-run", description = "Print what would be done, with its SQL, and do nothing.")
    private boolean isDryRun;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    MigrateCommand(Map<String, String> variables) {
        environment = new EnvironmentOption(variables);
    }

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        try {
            Map<String, String> variables = environment.variables();
            Optional<DatabaseSettings> given = SettingsReader.database(variables);
            if (given.isPresent()) {
                return migrate(given.get());
            }
            Path folder = SettingsReader.dataDir(variables).resolve("postgres");
            Optional<DatabaseSettings> running = LocalPostgres.running(folder);
            if (running.isPresent()) {
                return migrate(running.get());
            }
            if (!LocalPostgres.isIn(folder)) {
                err.println("agentpipe-server: there is no server's data in " + folder.getParent()
                        + ": set DATA_DIR, or DATABASE_URL");
                return Commands.FAILED;
            }
            try (LocalPostgres postgres = LocalPostgres.start(folder)) {
                return migrate(postgres.settings(0, 3, TIMEOUT));
            }
        } catch (SettingsException e) {
            return EnvironmentOption.tell(e, err);
        } catch (DatabaseStartException e) {
            err.println("agentpipe-server: " + e.getMessage());
            return Commands.FAILED;
        }
    }

    private int migrate(DatabaseSettings database) {
        PrintWriter out = spec.commandLine().getOut();
        SchemaState before = state(database);
        if (before.pending().isEmpty()
                && before.newer().isEmpty()
                && before.problems().isEmpty()) {
            out.println("The schema is at " + before.version().orElse("its beginning") + ", nothing is to be done.");
        } else if (isDryRun) {
            return tell(before);
        } else {
            Database.migrate(database);
            before.pending().forEach(one -> out.println("Applied " + label(one)));
            out.println("The schema is at " + state(database).version().orElse("its beginning") + ".");
        }
        out.flush();
        return Commands.OK;
    }

    /** SQL that psql would take; the rest of it as comments. */
    private int tell(SchemaState state) {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        state.newer()
                .forEach(version -> err.println("agentpipe-server: migration " + version
                        + " is of a newer version of this program: run that one"));
        state.problems().forEach(problem -> err.println("agentpipe-server: " + problem));
        if (!state.newer().isEmpty() || !state.problems().isEmpty()) {
            return Commands.FAILED;
        }
        for (Migration one : state.pending()) {
            out.println("-- Pending: " + label(one));
            out.println(one.sql());
        }
        out.flush();
        return Commands.OK;
    }

    private static SchemaState state(DatabaseSettings database) {
        try (DatabaseInspection inspection = DatabaseInspection.open(database)) {
            return inspection.schema();
        }
    }

    private static String label(Migration migration) {
        return migration.version() + " " + migration.description();
    }
}
