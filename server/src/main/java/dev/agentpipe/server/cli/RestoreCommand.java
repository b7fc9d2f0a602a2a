package dev.agentpipe.server.cli;

import dev.agentpipe.db.Backups;
import dev.agentpipe.db.backup.BackupManifest;
import dev.agentpipe.db.backup.Restore;
import dev.agentpipe.server.SettingsException;
import dev.agentpipe.server.backup.BackupFile;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Brings a backup back. */
@Command(
        name = RestoreCommand.NAME,
        sortOptions = false,
        description = {
            "Bring a backup back: all of it, compared with what was backed up, or nothing. Stop all servers first.",
            "",
            "The log gets a new epoch: readers that resume are told to load anew (reset). What was stored after the backup"
                    + " is gone, and keys are as they were then. docs/backup.md tells more.",
            ""
        },
        footer = {
            "",
            "It works on the database of DATABASE_URL (or DIRECT_URL), else on that in DATA_DIR, which it makes",
            "if there is none. Exit codes: 0 restored, 1 not restored and nothing changed, 2 wrong usage.",
            "",
            "Example:",
            "  agentpipe-server restore --replace /srv/backups/agentpipe-20261123T040259Z.dump"
        })
final class RestoreCommand implements Callable<Integer> {

    static final String NAME = "restore";

    private final Map<String, String> environment;

    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    @Parameters(paramLabel = "FILE", description = "agentpipe-<UTC time>.dump")
    private Path file;

    @Option(names = "--replace", description = "Delete what is in the database. Asks first.")
    private boolean replace;

    @Option(names = "--yes", description = "Do not ask.")
    private boolean yes;

    @Option(names = "--force", description = "End the connections of others, instead of refusing because of them.")
    private boolean force;

    @Option(
            names = "--revoke-keys",
            description =
                    "End all managed keys, sessions and tickets: keys that were revoked after the backup would be good"
                            + " again.")
    private boolean revokeKeys;

    RestoreCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        if (!Files.isRegularFile(file)) {
            throw new ParameterException(spec.commandLine(), "there is no file " + file);
        }
        if (replace && !yes && !Terminal.isThere()) {
            throw new ParameterException(
                    spec.commandLine(), "--replace deletes what is in the database: add --yes, if that is meant");
        }
        BackupFile backup = new BackupFile(file);
        Optional<BackupManifest> manifest = backup.manifest();
        if (!backup.isSummed()) {
            err().println("There is no " + file + ".sha256: whether the file was damaged is not known.");
        }
        if (manifest.isEmpty()) {
            err().println("There is no " + file + ".json: what comes in is not compared with what was backed up.");
        }
        try (CommandDatabase database = CommandDatabase.alone(environment)) {
            String target = database.name();
            if (replace && !yes && !isConfirmed(target, manifest)) {
                err().println("Nothing was changed.");
                return Commands.FAILED;
            }
            long start = System.nanoTime();
            Restore.Restored restored = Backups.restore(
                    database.settings(), file, manifest, new Restore.Options(replace, force, revokeKeys));
            told(restored, target, System.nanoTime() - start);
            return Commands.OK;
        } catch (SettingsException e) {
            throw new ParameterException(spec.commandLine(), String.join("; ", e.problems()));
        }
    }

    private boolean isConfirmed(String target, Optional<BackupManifest> manifest) {
        String answer = System.console()
                .readLine(
                        "Everything in %s is replaced by the backup%s. Type yes to go on: ",
                        target,
                        manifest.map(one -> " of " + one.createdAt() + " (" + age(one) + " ago)")
                                .orElse(""));
        return "yes".equals(answer);
    }

    private static String age(BackupManifest manifest) {
        Duration age = Duration.between(manifest.createdAt(), Instant.now());
        return age.toDays() > 0 ? age.toDays() + " days" : age.toHours() + " h " + age.toMinutesPart() + " min";
    }

    private void told(Restore.Restored restored, String target, long nanos) {
        PrintWriter out = spec.commandLine().getOut();
        restored.leftOut().forEach(table -> err().println("Left out, since it is not this program's: table " + table));
        if (restored.keys() > 0 || restored.tokens() > 0) {
            err().printf(
                            Locale.ROOT,
                            "ATTENTION: %d managed keys and %d sessions or tickets are good as they were at the backup, also those"
                                    + " that were revoked since.%n",
                            restored.keys(),
                            restored.tokens());
            err().println("  See \"agentpipe-server keys list\", or restore with --revoke-keys, which ends them all.");
        }
        out.printf(
                Locale.ROOT,
                "Restored %s into %s in %.1f s, %s; the log is now %s-%d. Start the servers.%n",
                file,
                target,
                nanos / 1e9,
                restored.manifest()
                        .map(one -> one.rows("events") + " events and " + one.rows("conversations")
                                + " conversations of " + one.createdAt() + ", compared")
                        .orElse("not compared"),
                restored.epoch(),
                restored.head());
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
