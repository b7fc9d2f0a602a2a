package dev.agentpipe.server.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.interfaces.ECPrivateKey;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CredentialsTest {

    private static final Path CERT = Path.of("cert.pem");
    private static final Path KEY = Path.of("key.pem");

    @TempDir
    private Path folder;

    private static Credentials read(String cert, String key) throws Exception {
        return Credentials.read(CERT, bytes(cert), KEY, bytes(key));
    }

    private static byte[] bytes(String name) throws IOException {
        return Files.readAllBytes(TestTls.file(name));
    }

    private static String refusal(byte[] cert, byte[] key) {
        return assertThrows(UnusableCertificateException.class, () -> Credentials.read(CERT, cert, KEY, key))
                .getMessage();
    }

    @ParameterizedTest
    @CsvSource({
        "first.crt, first.key, EC",
        "first.crt, first-sec1.key, EC",
        "second.crt, second.key, RSA",
        "second.crt, second-pkcs1.key, RSA",
        "ed25519.crt, ed25519.key, EdDSA",
    })
    void key_inEveryForm_isTaken(String cert, String key, String algorithm) throws Exception {
        Credentials credentials = read(cert, key);

        assertEquals(algorithm, credentials.own().getPublicKey().getAlgorithm());
        assertTrue(credentials.isInOrder());
    }

    @Test
    void key_inOneForm_isThatOfTheOther() throws Exception {
        assertEquals(
                read("second.crt", "second.key").key(),
                read("second.crt", "second-pkcs1.key").key());
        ECPrivateKey key = (ECPrivateKey) read("first.crt", "first.key").key();
        assertEquals(
                key.getS(), ((ECPrivateKey) read("first.crt", "first-sec1.key").key()).getS());
    }

    @Test
    void files_withTextAroundTheBlocks_areTaken() throws Exception {
        String both = "subject=/CN=first\r\n"
                + new String(bytes("first.crt"), StandardCharsets.US_ASCII).replace("\n", "\r\n")
                + "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
                + new String(bytes("first-sec1.key"), StandardCharsets.US_ASCII);
        byte[] file = both.getBytes(StandardCharsets.US_ASCII);

        assertEquals(
                read("first.crt", "first.key").chain(),
                Credentials.read(CERT, file, CERT, file).chain());
    }

    @ParameterizedTest
    @CsvSource({"first.crt, first-encrypted.key", "second.crt, second-encrypted.key"})
    void key_encrypted_isRefusedWithWhatToDo(String cert, String key) throws Exception {
        assertEquals(
                "key.pem is encrypted: decrypt it, such as with  openssl pkey -in encrypted.pem -out key.pem",
                refusal(bytes(cert), bytes(key)));
    }

    @Test
    void key_ofAnotherCertificate_isRefused() throws Exception {
        assertTrue(
                refusal(bytes("second.crt"), bytes("first.key")).startsWith("key.pem has a key that cannot be read"));
        assertEquals(
                "key.pem is not the key of the first certificate in cert.pem, which has to be the server's own"
                        + " (CN=AgentPipe test CA)",
                refusal(bytes("ca.crt"), bytes("first.key")));
    }

    @Test
    void files_withoutWhatTheyShouldHave_areRefusedByName() throws Exception {
        byte[] nothing = {};
        assertTrue(refusal(nothing, bytes("first.key")).startsWith("cert.pem has no certificate"));
        assertTrue(refusal(bytes("first.crt"), nothing).startsWith("key.pem has no private key"));
        assertTrue(refusal(bytes("first.crt"), bytes("first.crt")).startsWith("key.pem has no private key"));
        byte[] cut = new String(bytes("first.crt"), StandardCharsets.US_ASCII)
                .replaceAll("(?m)^M.*\n", "")
                .getBytes(StandardCharsets.US_ASCII);
        assertEquals("cert.pem has a certificate that cannot be read, number 1", refusal(cut, bytes("first.key")));
    }

    /** What a reader may find while the file is written; most of these end within a block. */
    @Test
    void files_halfWritten_areRefusedAndNothingElse() throws Exception {
        byte[] cert = bytes("first.crt");
        byte[] key = bytes("first.key");
        int leaf =
                new String(cert, StandardCharsets.US_ASCII).indexOf("-----END") + "-----END CERTIFICATE-----".length();
        for (int length = 0; length < leaf; length += 7) {
            byte[] half = Arrays.copyOf(cert, length);
            assertThrows(UnusableCertificateException.class, () -> Credentials.read(CERT, half, KEY, key));
        }
        for (int length = 0; length < key.length - 1; length += 7) {
            byte[] half = Arrays.copyOf(key, length);
            assertThrows(UnusableCertificateException.class, () -> Credentials.read(CERT, cert, KEY, half));
        }
    }

    @Test
    void chain_outOfOrder_isSeen() throws Exception {
        byte[] cert = (Files.readString(TestTls.file("first.crt")) + Files.readString(TestTls.file("second.crt")))
                .getBytes(StandardCharsets.US_ASCII);

        assertFalse(Credentials.read(CERT, cert, KEY, bytes("first.key")).isInOrder());
    }

    @Test
    void bytes_ofAFileThatIsNone_areRefusedByName() throws Exception {
        Path missing = folder.resolve("missing.pem");
        Path large = Files.write(folder.resolve("large.pem"), new byte[(1 << 20) + 1]);

        assertEquals(missing + " does not exist", refusal(missing));
        assertEquals(large + " is too large for a PEM file", refusal(large));
        assertTrue(refusal(folder).startsWith(folder + " cannot be read"));
    }

    private static String refusal(Path file) {
        return assertThrows(UnusableCertificateException.class, () -> Credentials.bytes(file))
                .getMessage();
    }
}
