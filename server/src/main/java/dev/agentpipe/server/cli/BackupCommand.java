package dev.agentpipe.server.cli;

import dev.agentpipe.db.Backups;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.backup.BackupException;
import dev.agentpipe.db.backup.BackupForm;
import dev.agentpipe.db.backup.BackupManifest;
import dev.agentpipe.db.backup.Restore;
import dev.agentpipe.server.SettingsException;
import dev.agentpipe.server.SettingsReader;
import dev.agentpipe.server.Version;
import dev.agentpipe.server.backup.BackupFile;
import dev.agentpipe.server.backup.BackupFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Makes a backup, or tries one. */
@Command(
        name = BackupCommand.NAME,
        sortOptions = false,
        description = {
            "Write everything that is stored into a file, while servers go on.",
            "",
            "It is read back before it gets its name, agentpipe-<UTC time>.dump; beside it stand what it holds (.json) and"
                    + " checksums (.sha256). docs/backup.md tells more.",
            ""
        },
        footer = {
            "",
            "It works on the database of DATABASE_URL (or DIRECT_URL), else on that in DATA_DIR, whether its",
            "server runs or not. Exit codes: 0 made, 1 not made, 2 wrong usage.",
            "",
            "Example:",
            "  agentpipe-server backup --to /srv/backups --keep-daily 7 --keep-weekly 4"
        })
final class BackupCommand implements Callable<Integer> {

    static final String NAME = "backup";

    private final Map<String, String> environment;

    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    @Option(names = "--to", paramLabel = "FOLDER", description = "Where to (default: BACKUP_DIR, else ./backups).")
    private Path to;

    @Option(
            names = "--keep-daily",
            paramLabel = "N",
            description = {
                "Afterwards remove all but the newest of each of N days, of each of the",
                "weeks below, and those of the last 24 hours (default: remove none)."
            })
    private Integer keepDaily;

    @Option(names = "--keep-weekly", paramLabel = "N", description = "The same by weeks.")
    private Integer keepWeekly;

    @Option(
            names = "--form",
            paramLabel = "FORM",
            description = {
                "pg_dump or copy (default: pg_dump, if one is installed that is not older than",
                "the database's PostgreSQL)."
            })
    private String form;

    @Option(
            names = "--verify",
            paramLabel = "FILE",
            description = "Make none, but restore this one into a PostgreSQL of its own, and compare.")
    private Path verify;

    BackupCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() throws IOException {
        Optional<BackupForm> asked = form();
        if (keepDaily != null && keepDaily < 0 || keepWeekly != null && keepWeekly < 0) {
            throw new ParameterException(spec.commandLine(), "--keep-daily and --keep-weekly are 0 or more");
        }
        try {
            if (verify != null) {
                verify();
            } else {
                make(to != null ? to : SettingsReader.backupDir(environment).orElse(Path.of("backups")), asked);
            }
            return Commands.OK;
        } catch (SettingsException e) {
            throw new ParameterException(spec.commandLine(), String.join("; ", e.problems()));
        }
    }

    private Optional<BackupForm> form() {
        if (form == null) {
            return Optional.empty();
        }
        return Optional.of(Stream.of(BackupForm.values())
                .filter(one -> one.label().equals(form))
                .findFirst()
                .orElseThrow(() -> new ParameterException(spec.commandLine(), "--form is pg_dump or copy")));
    }

    private void make(Path folder, Optional<BackupForm> asked) throws IOException, SettingsException {
        long start = System.nanoTime();
        try (BackupFolder backups = BackupFolder.open(folder);
                CommandDatabase database = CommandDatabase.shared(environment)) {
            Path unfinished = backups.newFile();
            try {
                BackupManifest manifest = Backups.write(database.settings(), unfinished, asked, Version.current());
                Backups.readThrough(unfinished, manifest);
                BackupFile made = backups.keep(unfinished, manifest);
                if (keepDaily != null || keepWeekly != null) {
                    List<BackupFile> removed = backups.rotate(
                            keepDaily == null ? 0 : keepDaily, keepWeekly == null ? 0 : keepWeekly, Instant.now());
                    removed.forEach(old -> out().println("Removed " + old.file()));
                }
                out().printf(
                                Locale.ROOT,
                                "Made %s (%s): %s in %.1f s, %d events, %d conversations, up to %s-%d%n",
                                made.file(),
                                manifest.form().label(),
                                size(Files.size(made.file())),
                                (System.nanoTime() - start) / 1e9,
                                manifest.rows("events"),
                                manifest.rows("conversations"),
                                manifest.epoch(),
                                manifest.head());
            } finally {
                Files.deleteIfExists(unfinished);
            }
        }
    }

    private static String size(long bytes) {
        return bytes < 1_000_000
                ? String.format(Locale.ROOT, "%.1f kB", bytes / 1e3)
                : String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }

    /** Beside the backup, where there is room for one more, most likely. */
    private void verify() throws IOException {
        long start = System.nanoTime();
        BackupFile backup = new BackupFile(verify);
        BackupManifest manifest = backup.manifest()
                .orElseThrow(() -> new BackupException("There is no " + verify
                        + ".json: nothing to compare with; bin/restore can restore it all the same"));
        if (!backup.isSummed()) {
            err().println("There is no " + verify + ".sha256: the file itself is not compared with anything.");
        }
        Path scratch =
                Files.createTempDirectory(verify.toAbsolutePath().normalize().getParent(), ".verify-agentpipe-");
        try (CommandDatabase database = CommandDatabase.started(scratch.resolve("postgres"))) {
            Backups.restore(
                    database.settings(), verify, Optional.of(manifest), new Restore.Options(false, false, true));
            Database.open(database.settings()).close(); // this program can go on with it
        } finally {
            delete(scratch);
        }
        out().printf(
                        Locale.ROOT,
                        "%s can be restored, and has what was backed up: %d events, %d conversations, %d messages, up to %s-%d (%.1f s)%n",
                        verify,
                        manifest.rows("events"),
                        manifest.rows("conversations"),
                        manifest.rows("messages"),
                        manifest.epoch(),
                        manifest.head(),
                        (System.nanoTime() - start) / 1e9);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
