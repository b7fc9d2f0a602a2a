package dev.agentpipe.server.cli;

import dev.agentpipe.db.keys.ApiKeys;
import dev.agentpipe.db.keys.StoredKey;
import dev.agentpipe.db.local.LocalPostgres;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.SettingsException;
import dev.agentpipe.server.SettingsReader;
import dev.agentpipe.server.http.Scope;
import dev.agentpipe.server.keys.ManagedKeys;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/**
 * Makes and ends keys, in the database: who may write to that, or read the embedded one's folder, owns the server anyway. So
 * there is no URL by which keys could be made, and none to be attacked.
 */
@Command(
        name = KeysCommand.NAME,
        description = "Make, list, rotate and revoke keys. Servers follow within 2 seconds, without a restart.",
        sortOptions = false,
        footer = {
            "",
            "It works on the database of DATABASE_URL (or DIRECT_URL), else on that in DATA_DIR, whether its",
            "server runs or not. A KEY is named by the id that list shows, or by its name.",
            "",
            "Example:",
            "  agentpipe-server keys create --name ci --scopes ingest --expires 90d > key"
        })
final class KeysCommand implements Runnable {

    static final String NAME = "keys";

    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration OVERLAP = Duration.ofHours(24);

    private final Map<String, String> environment;

    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = CommandLine.ScopeType.INHERIT,
            description = "Print this text.")
    private boolean help;

    KeysCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Which one: create, list, rotate, revoke or reading?");
    }

    @Command(name = "create", sortOptions = false, description = "Make a key. It is printed once, and kept nowhere.")
    int create(
            @Option(names = "--name", required = true, paramLabel = "NAME", description = "What or whom it is for.")
                    String name,
            @Option(
                            names = "--scopes",
                            paramLabel = "SCOPES",
                            defaultValue = "ingest,upload",
                            converter = Scopes.class,
                            description = {
                                "Of ingest, upload, read, admin, with commas (default: ${DEFAULT-VALUE}).",
                                "The first key with read closes reading for those without one."
                            })
                    Set<Scope> scopes,
            @Option(
                            names = "--expires",
                            paramLabel = "TIME",
                            converter = Lifetime.class,
                            description = "After 90d, 12h, 30m or 45s (default: never).")
                    Duration expires,
            @Option(names = "--test", description = "One that shows that it is for tests: ap_test_...")
                    boolean isForTests) {
        return with(keys -> {
            boolean wasClosed = keys.list().isReadingClosed();
            ApiKey key = keys.create(name, scopes, expires, isForTests);
            show(key, "Made " + key + "; it expires " + (expires == null ? "never" : "in " + text(expires)) + ".");
            if (!wasClosed && scopes.contains(Scope.READ)) {
                err().println("From now on reading takes a key: streams, the read API and search.");
            }
        });
    }

    @Command(name = "list", description = "List the keys that are in use, the newest first.")
    int list(@Option(names = "--all", description = "Also those that expired or were revoked.") boolean isAll) {
        return with(keys -> {
            ManagedKeys.Listed listed = keys.list();
            PrintWriter out = spec.commandLine().getOut();
            String row = "%-9s %-8s %-25s %-8s %-20s %-20s %-20s %s%n";
            out.printf(row, "ID", "PREFIX", "SCOPES", "STATE", "CREATED", "EXPIRES", "LAST USED", "NAME");
            for (StoredKey key : listed.keys()) {
                String state = key.revokedAt() != null ? "revoked" : key.isUsable(listed.now()) ? "in use" : "expired";
                if (isAll || key.isUsable(listed.now())) {
                    out.printf(
                            row,
                            key.id(),
                            key.prefix(),
                            String.join(",", key.scopes()),
                            state,
                            text(key.createdAt()),
                            text(key.expiresAt()),
                            text(key.lastUsedAt()),
                            key.name());
                }
            }
            out.flush();
            err().println("Reading " + (listed.isReadingClosed() ? "takes a key." : "is open to everybody."));
        });
    }

    @Command(
            name = "rotate",
            sortOptions = false,
            description = "Make a key with the name and scopes of another, which lives on for a while.")
    int rotate(
            @Parameters(paramLabel = "KEY", description = "The old one.") String old,
            @Option(
                            names = "--overlap",
                            paramLabel = "TIME",
                            converter = Lifetime.class,
                            description = "How long both are good (default: 24h).")
                    Duration overlap,
            @Option(
                            names = "--expires",
                            paramLabel = "TIME",
                            converter = Lifetime.class,
                            description = "The new one (default: after as long as the old one was made for).")
                    Duration expires) {
        Duration both = overlap == null ? OVERLAP : overlap;
        return with(keys -> {
            ApiKey key = keys.rotate(old, expires, both);
            show(key, "Made " + key + "; the old one is good for " + text(both) + " at most.");
        });
    }

    @Command(name = "revoke", description = "End a key, and the sessions and streams that it has begun.")
    int revoke(@Parameters(paramLabel = "KEY") String key) {
        return with(keys -> {
            StoredKey revoked = keys.revoke(key);
            err().println("Revoked " + revoked.label() + " (" + revoked.name() + ").");
            ManagedKeys.Listed listed = keys.list();
            if (ManagedKeys.isReadKey(revoked) && listed.isReadingClosed() && !listed.hasReadKey()) {
                err().println("There is no other read key. Reading stays closed; \"keys reading open\" opens it.");
            }
        });
    }

    @Command(name = "reading", description = "Open reading to everybody, or close it to those without a key.")
    int reading(@Parameters(paramLabel = "open|closed") String state) {
        if (!Set.of("open", "closed").contains(state)) {
            throw new ParameterException(spec.commandLine(), "reading is open or closed");
        }
        return with(keys -> {
            keys.setReadingClosed(state.equals("closed"));
            err().println("Reading " + (state.equals("closed") ? "takes a key." : "is open to everybody."));
        });
    }

    /** The secret alone on standard output, so that it can go into a file or a variable. */
    private void show(ApiKey key, String what) {
        err().println(what + " It is shown this once:");
        PrintWriter out = spec.commandLine().getOut();
        out.println(key.value());
        out.flush();
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }

    private int with(Consumer<ManagedKeys> work) {
        try {
            Optional<DatabaseSettings> given = SettingsReader.database(environment);
            if (given.isPresent()) {
                return work(given.get(), work);
            }
            Path folder = SettingsReader.dataDir(environment).resolve("postgres");
            Optional<DatabaseSettings> running = LocalPostgres.running(folder);
            if (running.isPresent()) {
                return work(running.get(), work);
            }
            if (!LocalPostgres.isIn(folder)) {
                err().println("agentpipe-server: there is no server's data in " + folder.getParent()
                        + ": set DATA_DIR, or DATABASE_URL");
                return Commands.FAILED;
            }
            try (LocalPostgres postgres = LocalPostgres.start(folder)) {
                return work(postgres.settings(0, 3, TIMEOUT), work);
            }
        } catch (SettingsException e) {
            throw new ParameterException(spec.commandLine(), String.join("; ", e.problems()));
        }
    }

    private int work(DatabaseSettings database, Consumer<ManagedKeys> work) {
        try {
            String user = System.getProperty("user.name");
            work.accept(new ManagedKeys(ApiKeys.connect(database), new SecureRandom(), user + " (command)"));
            return Commands.OK;
        } catch (IllegalArgumentException e) {
            err().println("agentpipe-server: " + e.getMessage());
            return Commands.FAILED;
        }
    }

    private static String text(Instant at) {
        return at == null ? "never" : at.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private static String text(Duration duration) {
        if (duration.toSeconds() % 86_400 == 0) {
            return duration.toDays() == 1 ? "a day" : duration.toDays() + " days";
        }
        return duration.toString().substring(2).toLowerCase(Locale.ROOT);
    }

    static final class Scopes implements ITypeConverter<Set<Scope>> {
        @Override
        public Set<Scope> convert(String text) {
            Set<Scope> scopes = EnumSet.noneOf(Scope.class);
            for (String label : text.split(",", -1)) {
                scopes.add(Scope.of(label.strip())
                        .orElseThrow(() -> new TypeConversionException("scopes are " + all() + ", with commas")));
            }
            return scopes;
        }

        private static List<String> all() {
            return Arrays.stream(Scope.values()).map(Scope::label).toList();
        }
    }

    static final class Lifetime implements ITypeConverter<Duration> {
        private static final Pattern FORM = Pattern.compile("([1-9]\\d{0,5})([smhd])");
        private static final Duration MAX = Duration.ofDays(3_650);

        @Override
        public Duration convert(String text) {
            Matcher form = FORM.matcher(text);
            if (form.matches()) {
                long count = Long.parseLong(form.group(1));
                Duration duration = switch (form.group(2)) {
                    case "s" -> Duration.ofSeconds(count);
                    case "m" -> Duration.ofMinutes(count);
                    case "h" -> Duration.ofHours(count);
                    default -> Duration.ofDays(count);
                };
                if (duration.compareTo(MAX) <= 0) {
                    return duration;
                }
            }
            throw new TypeConversionException("a time is 90d, 12h, 30m or 45s, and ten years at the most");
        }
    }
}
