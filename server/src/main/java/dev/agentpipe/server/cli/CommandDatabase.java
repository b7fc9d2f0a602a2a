package dev.agentpipe.server.cli;

import dev.agentpipe.db.local.LocalPostgres;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.server.SettingsException;
import dev.agentpipe.server.SettingsReader;
import dev.agentpipe.server.StartException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * The database that a command works on: that of {@code DATABASE_URL} (or {@code DIRECT_URL}), else the embedded one in
 * {@code DATA_DIR}, which is started for the command if no server runs it.
 */
final class CommandDatabase implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final DatabaseSettings settings;
    private final String name;
    private final Optional<LocalPostgres> started;
    /** Who interrupts a command shall not leave a PostgreSQL behind. */
    private final Thread hook = new Thread(this::stop, "postgres-stop");

    private CommandDatabase(DatabaseSettings settings, String name, Optional<LocalPostgres> started) {
        this.settings = settings;
        this.name = name;
        this.started = started;
        started.ifPresent(one -> Runtime.getRuntime().addShutdownHook(hook));
    }

    /** Beside a server, too. */
    static CommandDatabase shared(Map<String, String> environment) throws SettingsException {
        Optional<DatabaseSettings> given = SettingsReader.database(environment);
        if (given.isPresent()) {
            return external(given.get());
        }
        Path folder = folder(environment);
        Optional<DatabaseSettings> running = LocalPostgres.running(folder);
        if (running.isPresent()) {
            return new CommandDatabase(running.get(), embedded(folder), Optional.empty());
        }
        if (!LocalPostgres.isIn(folder)) {
            throw new StartException(
                    "there is no server's data in " + folder.getParent() + ": set DATA_DIR, or DATABASE_URL");
        }
        return started(folder);
    }

    /** An embedded one for this command alone, made if there is none yet. */
    static CommandDatabase alone(Map<String, String> environment) throws SettingsException {
        Optional<DatabaseSettings> given = SettingsReader.database(environment);
        return given.isPresent() ? external(given.get()) : started(folder(environment));
    }

    /** An embedded one in this folder. */
    static CommandDatabase started(Path folder) {
        LocalPostgres postgres = LocalPostgres.start(folder);
        return new CommandDatabase(postgres.settings(0, 3, TIMEOUT), embedded(folder), Optional.of(postgres));
    }

    private static CommandDatabase external(DatabaseSettings given) {
        return new CommandDatabase(given, given.target(), Optional.empty());
    }

    private static String embedded(Path folder) {
        return "the embedded database in " + folder.getParent();
    }

    private static Path folder(Map<String, String> environment) throws SettingsException {
        return SettingsReader.dataDir(environment).resolve("postgres");
    }

    DatabaseSettings settings() {
        return settings;
    }

    /** For messages. */
    String name() {
        return name;
    }

    private void stop() {
        started.ifPresent(LocalPostgres::close);
    }

    @Override
    public void close() {
        if (started.isPresent()) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException ending) {
                return; // it stops there
            }
            stop();
        }
    }
}
