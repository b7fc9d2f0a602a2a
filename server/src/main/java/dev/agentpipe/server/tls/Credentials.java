package dev.agentpipe.server.tls;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.PSSParameterSpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A private key, and the certificates that vouch for it: the server's own first, its issuers after it.
 *
 * <p>Taken are PKCS#8, and the older forms of OpenSSL for RSA (PKCS#1) and EC (SEC 1). These hold the key without the name
 * of its algorithm, which the certificate has, so that nothing of them needs to be understood here.
 */
record Credentials(PrivateKey key, List<X509Certificate> chain) {

    private static final int FILE_BYTES_MAX = 1 << 20;

    private static final Map<String, String> SIGNATURES = Map.of(
            "RSA", "SHA256withRSA",
            "RSASSA-PSS", "RSASSA-PSS",
            "EC", "SHA256withECDSA",
            "EdDSA", "EdDSA");

    /** @throws UnusableCertificateException if they cannot be used together */
    static Credentials read(Path certFile, byte[] cert, Path keyFile, byte[] key) throws UnusableCertificateException {
        List<X509Certificate> chain = chain(certFile, cert);
        PublicKey publicKey = chain.get(0).getPublicKey();
        if (!SIGNATURES.containsKey(publicKey.getAlgorithm())) {
            throw new UnusableCertificateException(
                    certFile, "has a key of type " + publicKey.getAlgorithm() + "; use RSA or EC");
        }
        PrivateKey privateKey = key(keyFile, key, publicKey);
        if (!fit(privateKey, publicKey)) {
            throw new UnusableCertificateException(
                    keyFile,
                    "is not the key of the first certificate in " + certFile + ", which has to be the server's own ("
                            + name(chain.get(0)) + ")");
        }
        return new Credentials(privateKey, chain);
    }

    /** At most 1 MiB; whoever names a device or a log by mistake is told. */
    static byte[] bytes(Path file) throws UnusableCertificateException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(FILE_BYTES_MAX + 1);
            if (bytes.length > FILE_BYTES_MAX) {
                throw new UnusableCertificateException(file, "is too large for a PEM file");
            }
            return bytes;
        } catch (NoSuchFileException e) {
            throw new UnusableCertificateException(file, "does not exist");
        } catch (IOException e) {
            throw new UnusableCertificateException(file, "cannot be read: " + e.getMessage());
        }
    }

    X509Certificate own() {
        return chain.get(0);
    }

    /** When the first of the certificates ends. */
    Instant expiry() {
        return chain.stream()
                .map(certificate -> certificate.getNotAfter().toInstant())
                .min(Instant::compareTo)
                .orElseThrow();
    }

    /** Whether each certificate is issued by the next. */
    boolean isInOrder() {
        for (int i = 1; i < chain.size(); i++) {
            if (!chain.get(i - 1).getIssuerX500Principal().equals(chain.get(i).getSubjectX500Principal())) {
                return false;
            }
        }
        return true;
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "Credentials[" + name(own()) + "]";
    }

    private static String name(X509Certificate certificate) {
        return certificate.getSubjectX500Principal().getName();
    }

    private static List<X509Certificate> chain(Path file, byte[] content) throws UnusableCertificateException {
        List<X509Certificate> chain = new ArrayList<>();
        for (Pem.Block block : Pem.blocks(content)) {
            if (block.label().equals("CERTIFICATE")) {
                chain.add(certificate(file, block.der(), chain.size() + 1));
            }
        }
        if (chain.isEmpty()) {
            throw new UnusableCertificateException(file, "has no certificate: -----BEGIN CERTIFICATE----- is missing");
        }
        return List.copyOf(chain);
    }

    private static X509Certificate certificate(Path file, byte[] der, int number) throws UnusableCertificateException {
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            return (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der));
        } catch (CertificateException e) {
            throw new UnusableCertificateException(file, "has a certificate that cannot be read, number " + number);
        }
    }

    private static PrivateKey key(Path file, byte[] content, PublicKey publicKey) throws UnusableCertificateException {
        for (Pem.Block block : Pem.blocks(content)) {
            if (!block.label().endsWith("PRIVATE KEY")) {
                continue; // parameters of a curve, certificates
            }
            if (block.encrypted()) {
                throw new UnusableCertificateException(
                        file, "is encrypted: decrypt it, such as with  openssl pkey -in encrypted.pem -out key.pem");
            }
            try {
                byte[] pkcs8 = block.label().equals("PRIVATE KEY") ? block.der() : pkcs8(block.der(), publicKey);
                return KeyFactory.getInstance(publicKey.getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            } catch (GeneralSecurityException | RuntimeException e) { // the cause may quote the key
                throw new UnusableCertificateException(
                        file,
                        "has a key that cannot be read as " + publicKey.getAlgorithm() + ", the certificate's type");
            }
        }
        throw new UnusableCertificateException(file, "has no private key: -----BEGIN PRIVATE KEY----- is missing");
    }

    /** RFC 5208: version, the algorithm as the public key names it, and the key in its own form. */
    private static byte[] pkcs8(byte[] key, PublicKey publicKey) {
        byte[] version = {0x02, 0x01, 0x00};
        return element(0x30, version, algorithm(publicKey.getEncoded()), element(0x04, key));
    }

    /** The first element within a SubjectPublicKeyInfo (RFC 5280, 4.1). */
    private static byte[] algorithm(byte[] publicKeyInfo) {
        int start = contentOffset(publicKeyInfo, 0);
        int content = contentOffset(publicKeyInfo, start);
        int end = content + publicKeyInfo[start + 1]; // an identifier is shorter than 128 bytes
        return Arrays.copyOfRange(publicKeyInfo, start, end);
    }

    private static int contentOffset(byte[] der, int element) {
        int length = der[element + 1] & 0xff;
        return element + 2 + (length < 0x80 ? 0 : length & 0x7f);
    }

    private static byte[] element(int tag, byte[]... contents) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : contents) {
            content.writeBytes(part);
        }
        int length = content.size();
        int octets = length < 0x80 ? 0 : (Integer.SIZE + 7 - Integer.numberOfLeadingZeros(length)) / 8;
        ByteArrayOutputStream element = new ByteArrayOutputStream();
        element.write(tag);
        element.write(octets == 0 ? length : 0x80 | octets);
        for (int i = octets - 1; i >= 0; i--) {
            element.write(length >> 8 * i);
        }
        element.writeBytes(content.toByteArray());
        return element.toByteArray();
    }

    private static boolean fit(PrivateKey key, PublicKey publicKey) {
        byte[] text = "the same key".getBytes(StandardCharsets.US_ASCII);
        try {
            Signature signature = signature(publicKey);
            signature.initSign(key);
            signature.update(text);
            byte[] signed = signature.sign();
            signature.initVerify(publicKey);
            signature.update(text);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static Signature signature(PublicKey publicKey) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(SIGNATURES.get(publicKey.getAlgorithm()));
        if (publicKey.getAlgorithm().equals("RSASSA-PSS")) {
            signature.setParameter(new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
        }
        return signature;
    }
}
