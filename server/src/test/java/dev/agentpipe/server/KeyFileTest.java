package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class KeyFileTest {

    private final SecureRandom random = new SecureRandom();

    @TempDir
    private Path folder;

    @Test
    void readOrCreate_noFile_makesAKeyForItsOwnerAlone() throws Exception {
        Path dataDir = folder.resolve("not/yet");

        KeyFile.Kept kept = KeyFile.readOrCreate(dataDir, random);

        assertTrue(kept.isNew());
        assertTrue(kept.key().value().matches("ap_live_[A-Za-z0-9_-]{43}"), "form of the key");
        assertEquals(kept.key().value() + "\n", Files.readString(KeyFile.in(dataDir)));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(KeyFile.in(dataDir))));
        try (Stream<Path> files = Files.list(dataDir)) {
            assertEquals(List.of(KeyFile.in(dataDir)), files.toList(), "no temporary file is left");
        }
    }

    @Test
    void readOrCreate_again_givesTheSameKey() {
        ApiKey first = KeyFile.readOrCreate(folder, random).key();

        KeyFile.Kept again = KeyFile.readOrCreate(folder, random);

        assertFalse(again.isNew());
        assertEquals(first.value(), again.key().value());
        assertNotEquals(
                first.value(),
                KeyFile.readOrCreate(folder.resolve("other"), random).key().value());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "\n", "short", "two words here", "first-line-key\nsecond-line-key", "binary-\u0000-in-it"})
    void readOrCreate_damagedFile_refusesAndKeepsIt(String content) throws Exception {
        Files.writeString(KeyFile.in(folder), content);

        StartException refusal = assertThrows(StartException.class, () -> KeyFile.readOrCreate(folder, random));

        assertTrue(refusal.getMessage().startsWith(KeyFile.in(folder) + " is not an API key: it "));
        assertEquals(content, Files.readString(KeyFile.in(folder)));
    }

    @Test
    void readOrCreate_fileNotUtf8OrTooLargeOrAFolder_refuses() throws Exception {
        Files.write(KeyFile.in(folder), new byte[] {(byte) 0xff, (byte) 0xfe, 1, 2, 3, 4, 5, 6, 7, 8});
        assertThrows(StartException.class, () -> KeyFile.readOrCreate(folder, random));

        Files.write(KeyFile.in(folder), new byte[5_000]);
        assertThrows(StartException.class, () -> KeyFile.readOrCreate(folder, random));

        Files.delete(KeyFile.in(folder));
        Files.createDirectory(KeyFile.in(folder));
        assertThrows(StartException.class, () -> KeyFile.readOrCreate(folder, random));
    }

    @Test
    void readOrCreate_dataDirIsAFile_refusesWithThePath() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");

        StartException refusal = assertThrows(StartException.class, () -> KeyFile.readOrCreate(file, random));

        assertTrue(refusal.getMessage().contains(KeyFile.in(file).toString()), refusal.getMessage());
    }
}
