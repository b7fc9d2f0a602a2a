package dev.agentpipe.db.backup;

import dev.agentpipe.db.postgres.PostgresUrl;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code pg_dump}, {@code pg_restore} and {@code psql} of one installation. A pg_dump refuses a server that is newer than
 * itself, and a pg_restore the file of a newer pg_dump.
 *
 * @param version the major one
 */
record PostgresTools(Path folder, int version) {

    private static final Pattern VERSION = Pattern.compile("\\(PostgreSQL\\) ([0-9]+)");

    /** Where packages put them: Debian and Ubuntu, Red Hat, Homebrew. */
    private static final List<String> FOLDERS =
            List.of("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/*/bin", "/usr/local/opt/*/bin");

    /** Of what a program says when it fails. */
    private static final int SAID_MAX = 2_000;

    /** Lines before the first of a script's statements on which a definition depends. */
    private static final int HEAD_LINES_MAX = 60;

    /** The oldest that is not older than this version: the likest. */
    static Optional<PostgresTools> from(int versionMin) {
        return all().stream()
                .filter(one -> one.version >= versionMin)
                .min(Comparator.comparingInt(PostgresTools::version));
    }

    /** The versions that are installed here, for a message. */
    static Set<Integer> versions() {
        Set<Integer> versions = new TreeSet<>();
        all().forEach(one -> versions.add(one.version));
        return versions;
    }

    private static List<PostgresTools> all() {
        Set<Path> folders = new LinkedHashSet<>();
        for (String pattern : FOLDERS) {
            Path at = Path.of(pattern.substring(0, pattern.lastIndexOf('/', pattern.indexOf('*'))));
            String name = pattern.substring(at.toString().length() + 1, pattern.lastIndexOf('/'));
            if (Files.isDirectory(at)) {
                try (DirectoryStream<Path> found = Files.newDirectoryStream(at, name)) {
                    found.forEach(one -> folders.add(one.resolve("bin")));
                } catch (IOException unreadable) {
                    continue;
                }
            }
        }
        for (String folder : System.getenv().getOrDefault("PATH", "").split(":")) {
            folders.add(Path.of(folder));
        }
        List<PostgresTools> tools = new ArrayList<>();
        for (Path folder : folders) {
            if (List.of("pg_dump", "pg_restore", "psql").stream()
                    .allMatch(program -> Files.isExecutable(folder.resolve(program)))) {
                version(folder).ifPresent(version -> tools.add(new PostgresTools(folder, version)));
            }
        }
        return tools;
    }

    private static Optional<Integer> version(Path folder) {
        try {
            Process process = new ProcessBuilder(folder.resolve("pg_dump").toString(), "--version").start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            Matcher version = VERSION.matcher(said);
            return process.waitFor() == 0 && version.find()
                    ? Optional.of(Integer.valueOf(version.group(1)))
                    : Optional.empty();
        } catch (IOException notUsable) {
            return Optional.empty();
        } catch (InterruptedException stopped) {
            throw interrupted(stopped);
        }
    }

    private static BackupException interrupted(InterruptedException stopped) {
        Thread.currentThread().interrupt();
        return new BackupException("Interrupted", stopped);
    }

    /** Owners and grants stay out: the database that it comes into has its own. */
    void dump(PostgresUrl database, String snapshot, Path file) throws IOException {
        Running dump = start(
                LibpqEnvironment.of(database),
                "pg_dump",
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                "--no-password",
                "--snapshot=" + snapshot,
                "--file=" + file);
        dump.process.getOutputStream().close();
        dump.process.getInputStream().readAllBytes();
        dump.awaitSuccess();
    }

    /** The names of the tables whose data the file has. Reads all of it. */
    Set<String> readThrough(Path file) throws IOException {
        Running list = start(Map.of(), "pg_restore", "--list", file.toString());
        Set<String> tables = new TreeSet<>();
        for (String line : new String(list.process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList()) {
            Matcher entry =
                    Pattern.compile("^[0-9]+; .* TABLE DATA \\S+ (\\S+) .*").matcher(line);
            if (entry.matches()) {
                tables.add(entry.group(1));
            }
        }
        list.awaitSuccess();
        Running read = start(Map.of(), "pg_restore", "--file=-", file.toString());
        read.process.getInputStream().transferTo(OutputStream.nullOutputStream());
        read.awaitSuccess();
        return tables;
    }

    /**
     * Runs what the file defines and holds between two pieces of SQL, as one transaction: any failure, also of this process,
     * rolls it back, because the end never comes.
     */
    void restore(PostgresUrl database, Path file, String before, String after) throws IOException {
        Running psql = start(
                LibpqEnvironment.of(database),
                "psql",
                "--no-psqlrc",
                "--quiet",
                "--no-password",
                "--set=ON_ERROR_STOP=1",
                "--set=VERBOSITY=terse", // what is refused must not be quoted
                "--set=SHOW_CONTEXT=never",
                "--output=/dev/null",
                "--file=-");
        Running restore = start(
                Map.of(), "pg_restore", "--no-owner", "--no-privileges", "--no-comments", "--file=-", file.toString());
        IOException pipe = null;
        try (OutputStream into = psql.process.getOutputStream();
                InputStream script = new BufferedInputStream(restore.process.getInputStream())) {
            into.write(("begin;\n" + before + "\n").getBytes(StandardCharsets.UTF_8));
            copyHead(script, into);
            script.transferTo(into);
            restore.awaitSuccess();
            into.write(("\n" + after + "\ncommit;\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException broken) {
            pipe = broken; // psql has ended, and says why
            restore.process.destroy();
        }
        psql.awaitSuccess();
        if (pipe != null) {
            throw pipe;
        }
    }

    /** Without the one setting that a server older than the tools may not know. */
    private static void copyHead(InputStream script, OutputStream into) throws IOException {
        for (int i = 0; i < HEAD_LINES_MAX; i++) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            int next = script.read();
            while (next >= 0 && next != '\n') {
                line.write(next);
                next = script.read();
            }
            if (!line.toString(StandardCharsets.UTF_8).startsWith("SET transaction_timeout")) {
                line.write('\n');
                line.writeTo(into);
            }
            if (next < 0 || line.toString(StandardCharsets.UTF_8).startsWith("SET row_security")) {
                return;
            }
        }
    }

    private Running start(Map<String, String> environment, String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(folder.resolve(program).toString()));
        command.addAll(List.of(arguments));
        Path said = Files.createTempFile("agentpipe-" + program, ".err");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(said.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("LC_ALL", "C");
        builder.environment().putAll(environment);
        Process process = builder.start();
        // Nobody shall go on writing when this program was ended.
        Thread hook = new Thread(process::destroy);
        Runtime.getRuntime().addShutdownHook(hook);
        return new Running(program, process, said, hook);
    }

    private record Running(String program, Process process, Path said, Thread hook) {

        void awaitSuccess() throws IOException {
            try {
                int status = process.waitFor();
                if (status != 0) {
                    throw new BackupException(program + " failed (" + status + "): " + lastWords());
                }
            } catch (InterruptedException stopped) {
                process.destroy();
                throw interrupted(stopped);
            } finally {
                if (!process.isAlive()) {
                    Files.deleteIfExists(said);
                }
                removeHook();
            }
        }

        private void removeHook() {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException ending) {
                // It runs, then.
            }
        }

        private String lastWords() throws IOException {
            String all = new String(Files.readAllBytes(said), StandardCharsets.UTF_8).strip();
            String end = all.substring(Math.max(0, all.length() - SAID_MAX));
            return String.join("; ", end.lines().filter(line -> !line.isBlank()).toList());
        }
    }
}
