package dev.agentpipe.server.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.CapturedLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CertificatesTest {

    @TempDir
    private Path folder;

    private Path cert;
    private Path key;
    private final List<SSLContext> changes = new ArrayList<>();

    @BeforeEach
    void write() throws IOException {
        cert = folder.resolve("cert.pem");
        key = folder.resolve("key.pem");
        put("first.crt", cert);
        put("first.key", key);
    }

    /** Always with the same time of change, so that this tells nothing. */
    private static void put(String name, Path file) throws IOException {
        Files.copy(TestTls.file(name), file, StandardCopyOption.REPLACE_EXISTING);
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    private Certificates read() throws Exception {
        return read(Clock.systemUTC());
    }

    private Certificates read(Clock clock) throws Exception {
        Certificates certificates = new Certificates(cert, key, clock);
        certificates.onChange(changes::add);
        return certificates;
    }

    private static long count(CapturedLog log, String text) {
        return log.events().stream()
                .filter(event -> event.getFormattedMessage().contains(text))
                .count();
    }

    @Test
    void reload_ofWhatHasNotChanged_changesNothing() throws Exception {
        Certificates certificates = read();
        SSLContext before = certificates.context();

        certificates.reload();
        put("first-sec1.key", key); // the same key in another form
        certificates.reload();

        assertSame(before, certificates.context());
        assertEquals(List.of(), changes);
    }

    @Test
    void reload_ofANewPair_isToldOnce() throws Exception {
        Certificates certificates = read();
        SSLContext before = certificates.context();

        put("second.crt", cert);
        put("second.key", key);
        certificates.reload();
        certificates.reload();

        assertNotSame(before, certificates.context());
        assertEquals(List.of(certificates.context()), changes);
    }

    @Test
    void reload_betweenTheTwoFiles_waitsForTheSecond() throws Exception {
        Certificates certificates = read();
        SSLContext before = certificates.context();
        try (CapturedLog log = new CapturedLog(Certificates.class.getName())) {
            put("second.crt", cert);
            certificates.reload();
            certificates.reload();
            assertSame(before, certificates.context());
            assertEquals(1, count(log, "The certificate is not changed"));

            put("second.key", key);
            certificates.reload();
        }
        assertEquals(List.of(certificates.context()), changes);
    }

    @Test
    void reload_ofAFileThatIsGone_goesOnWithTheOldAndTakesItsReturn() throws Exception {
        Certificates certificates = read();
        SSLContext before = certificates.context();

        Files.delete(key);
        certificates.reload();
        put("first.key", key);
        certificates.reload();
        assertSame(before, certificates.context());

        Files.delete(cert);
        certificates.reload();
        put("second.crt", cert);
        put("second.key", key);
        certificates.reload();
        assertEquals(List.of(certificates.context()), changes);
    }

    @Test
    void expiry_isWarnedOfFromTwoWeeksBefore() throws Exception {
        Instant expiry = read().expiry();
        try (CapturedLog log = new CapturedLog(Certificates.class.getName())) {
            read(Clock.fixed(expiry.minus(Duration.ofDays(15)), ZoneOffset.UTC));
            assertEquals(0, count(log, "expires at"));

            Certificates soon = read(Clock.fixed(expiry.minus(Duration.ofDays(13)), ZoneOffset.UTC));
            soon.reload();
            assertEquals(1, count(log, "expires at"));
            assertFalse(soon.isExpired());

            assertTrue(read(Clock.fixed(expiry, ZoneOffset.UTC)).isExpired());
            assertEquals(1, count(log, "has expired"));
        }
    }

    @Test
    void certificate_expired_isUsedAllTheSame() throws Exception {
        put("expired.crt", cert);

        assertTrue(read().isExpired());
    }

    @Test
    void key_thatOthersCanRead_isWarnedOf() throws Exception {
        try (CapturedLog log = new CapturedLog(Certificates.class.getName())) {
            read();
            assertEquals(0, count(log, "chmod 600"));

            Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
            read();
            assertEquals(1, count(log, "chmod 600"));
        }
    }
}
