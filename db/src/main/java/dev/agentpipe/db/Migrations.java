package dev.agentpipe.db;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.zip.CRC32;
import org.flywaydb.core.api.ResourceProvider;
import org.flywaydb.core.api.resource.LoadableResource;

/**
 * The migrations that this program knows, for Flyway and for {@link #areAllApplied}, by which a start with nothing to do
 * goes without Flyway: a third of the time from the start to the first answer. One list for both, since a migration that
 * one of them did not know would be left out.
 */
final class Migrations implements ResourceProvider {

    static final List<String> NAMES =
            List.of("V001__log_and_projections.sql", "V002__search.sql", "V003__usage.sql", "V004__api_keys.sql");

    private static final String FOLDER = "db/migration/";
    private static final String HISTORY_EXISTS =
            "select from pg_tables where schemaname = current_schema() and tablename = 'flyway_schema_history'";
    private static final String HISTORY =
            "select version, checksum, success from flyway_schema_history order by installed_rank";

    /**
     * Whether Flyway's history is these migrations and nothing else. Whatever else it is (older, newer, edited, failed),
     * Flyway knows what to do or to say.
     */
    static boolean areAllApplied(Statement statement) throws SQLException {
        return history(statement)
                .equals(NAMES.stream()
                        .map(name -> new Applied(version(name), checksum(name), true))
                        .toList());
    }

    /** What Flyway has noted of a migration. */
    record Applied(String version, int checksum, boolean isDone) {}

    /** In the order in which they were applied; empty if Flyway was never here. */
    static List<Applied> history(Statement statement) throws SQLException {
        List<Applied> applied = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(HISTORY_EXISTS)) {
            if (!rows.next()) {
                return applied;
            }
        }
        try (ResultSet rows = statement.executeQuery(HISTORY)) {
            while (rows.next()) {
                applied.add(new Applied(rows.getString(1), rows.getInt(2), rows.getBoolean(3)));
            }
        }
        return applied;
    }

    static String version(String name) {
        return name.substring(1, name.indexOf("__"));
    }

    /** As Flyway has it in its history. */
    static String description(String name) {
        return name.substring(name.indexOf("__") + 2, name.lastIndexOf('.')).replace('_', ' ');
    }

    static String sql(String name) {
        try (Reader reader = read(name)) {
            StringWriter text = new StringWriter();
            reader.transferTo(text);
            return text.toString();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** As Flyway computes it. A difference would cost time alone, and a test sees it. */
    static int checksum(String name) {
        CRC32 crc = new CRC32();
        try (BufferedReader lines = new BufferedReader(read(name))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                crc.update(line.getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        return (int) crc.getValue();
    }

    private static Reader read(String name) {
        return new InputStreamReader(
                Migrations.class.getClassLoader().getResourceAsStream(FOLDER + name), StandardCharsets.UTF_8);
    }

    @Override
    public LoadableResource getResource(String name) {
        return NAMES.contains(name) ? new Migration(name) : null;
    }

    @Override
    public Collection<LoadableResource> getResources(String prefix, String[] suffixes) {
        return NAMES.stream()
                .filter(name ->
                        name.startsWith(prefix) && Arrays.stream(suffixes).anyMatch(name::endsWith))
                .<LoadableResource>map(Migration::new)
                .toList();
    }

    private static final class Migration extends LoadableResource {

        private final String name;

        Migration(String name) {
            this.name = name;
        }

        @Override
        public Reader read() {
            return Migrations.read(name);
        }

        @Override
        public String getAbsolutePath() {
            return FOLDER + name;
        }

        @Override
        public String getAbsolutePathOnDisk() {
            return FOLDER + name;
        }

        @Override
        public String getFilename() {
            return name;
        }

        @Override
        public String getRelativePath() {
            return name;
        }
    }
}
