package dev.agentpipe.db.backup;

import dev.agentpipe.db.backup.BackupManifest.Table;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/**
 * The form {@link BackupForm#COPY}: a zip with {@code tables/<name>.copy} for each table, in the text format of COPY, and
 * {@code manifest.json} as its last entry. Any unzip reads it, and psql's {@code \copy}.
 */
final class CopyArchive {

    private static final String MANIFEST = "manifest.json";
    private static final int MANIFEST_BYTES_MAX = 1 << 20;

    /** As Flyway makes it; a test holds both against each other. */
    private static final String HISTORY = """
            create table flyway_schema_history (
                installed_rank int not null,
                version varchar(50),
                description varchar(200) not null,
                type varchar(20) not null,
                script varchar(1000) not null,
                checksum int,
                installed_by varchar(100) not null,
                installed_on timestamp not null default now(),
                execution_time int not null,
                success boolean not null
            );
            alter table flyway_schema_history add constraint flyway_schema_history_pk primary key (installed_rank);
            create index flyway_schema_history_s_idx on flyway_schema_history (success);
            """;

    /** Those that no constraint needs: to make them at the end takes half of the time. */
    private static final String INDEXES = """
            select quote_ident(c.relname), pg_get_indexdef(i.indexrelid)
            from pg_index as i join pg_class as c on c.oid = i.indexrelid
            where c.relnamespace = (select oid from pg_namespace where nspname = current_schema())
                and not i.indisunique and not i.indisexclusion
            """;

    private CopyArchive() {}

    static void write(Connection connection, List<Table> tables, BackupManifest manifest, Path file)
            throws SQLException, IOException {
        CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
        try (ZipOutputStream zip =
                new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(file), 1 << 16))) {
            for (Table table : tables) {
                zip.putNextEntry(new ZipEntry(entry(table)));
                long rows = copies.copyOut("copy " + target(table) + " to stdout", zip);
                zip.closeEntry();
                if (rows != table.rows()) {
                    throw new BackupException(
                            "Of table " + table.name() + " " + rows + " rows were written, not " + table.rows());
                }
            }
            zip.putNextEntry(new ZipEntry(MANIFEST));
            zip.write(manifest.toJson().getBytes(StandardCharsets.UTF_8));
            zip.closeEntry();
        }
    }

    private static String entry(Table table) {
        return "tables/" + table.name() + ".copy";
    }

    private static String target(Table table) {
        return Snapshot.quoted(table.name()) + " ("
                + table.columns().stream().map(Snapshot::quoted).collect(Collectors.joining(", ")) + ")";
    }

    static BackupManifest manifest(Path file) throws IOException {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            ZipEntry entry = zip.getEntry(MANIFEST);
            if (entry == null) {
                throw new BackupException(file + " has no manifest: it is no backup of this program");
            }
            try (InputStream in = zip.getInputStream(entry)) {
                return BackupManifest.parse(in.readNBytes(MANIFEST_BYTES_MAX));
            }
        }
    }

    /** Reads every byte back, which compares the checksums of the zip, and counts the rows. */
    static void readThrough(Path file, BackupManifest manifest) throws IOException {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            for (Table table : manifest.tables()) {
                long rows = 0;
                CRC32 crc = new CRC32(); // a ZipFile leaves it to its caller
                byte[] buffer = new byte[1 << 16];
                try (InputStream in = open(zip, table)) {
                    for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                        crc.update(buffer, 0, count);
                        for (int i = 0; i < count; i++) {
                            rows += buffer[i] == '\n' ? 1 : 0; // in a value it is written as \n
                        }
                    }
                }
                if (rows != table.rows()) {
                    throw new BackupException(
                            "The file has " + rows + " rows of table " + table.name() + ", not " + table.rows());
                }
            }
        }
    }

    private static InputStream open(ZipFile zip, Table table) throws IOException {
        ZipEntry entry = zip.getEntry(entry(table));
        if (entry == null) {
            throw new BackupException("The file lacks table " + table.name());
        }
        return zip.getInputStream(entry);
    }

    /**
     * Makes the schema and fills it, in the connection's transaction.
     *
     * @return tables of the backup that the schema does not have: somebody else's
     */
    static List<String> restore(
            Connection connection, Path file, BackupManifest manifest, List<MigrationScript> migrations)
            throws SQLException, IOException {
        CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
        List<String> leftOut = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ZipFile zip = new ZipFile(file.toFile())) {
            statement.setEscapeProcessing(false);
            for (MigrationScript migration : migrations) {
                statement.execute(migration.sql());
            }
            statement.execute(HISTORY);
            List<String> made =
                    Snapshot.tables(statement).stream().map(Table::name).toList();
            List<String> indexes = dropIndexes(statement);
            for (Table table : manifest.tables()) {
                if (!made.contains(table.name())) {
                    leftOut.add(table.name());
                    continue;
                }
                String name = Snapshot.quoted(table.name());
                statement.execute("truncate " + name); // the migrations have put first rows into some
                statement.execute("alter table " + name + " disable trigger user");
                try (InputStream in = new BufferedInputStream(open(zip, table), 1 << 16)) {
                    // Frozen: nobody else has seen these tables, and no vacuum has to read them once more.
                    copies.copyIn("copy " + target(table) + " from stdin with (freeze)", in);
                }
                statement.execute("alter table " + name + " enable trigger user");
            }
            for (String index : indexes) {
                statement.execute(index);
            }
        }
        return leftOut;
    }

    private static List<String> dropIndexes(Statement statement) throws SQLException {
        List<String> names = new ArrayList<>();
        List<String> definitions = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(INDEXES)) {
            while (rows.next()) {
                names.add(rows.getString(1));
                definitions.add(rows.getString(2));
            }
        }
        for (String name : names) {
            statement.execute("drop index " + name);
        }
        return definitions;
    }
}
