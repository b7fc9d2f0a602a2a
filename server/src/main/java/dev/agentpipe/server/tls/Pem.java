package dev.agentpipe.server.tls;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What stands in a PEM file (RFC 7468); text around the blocks is passed over, as OpenSSL does. */
final class Pem {

    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \\1-----", Pattern.DOTALL);

    /**
     * @param encrypted whether a passphrase is needed, told by the label or by the older headers of RFC 1421
     * @param der empty if the block is no Base64
     */
    record Block(String label, boolean encrypted, byte[] der) {}

    private Pem() {}

    static List<Block> blocks(byte[] file) {
        List<Block> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(new String(file, StandardCharsets.ISO_8859_1));
        while (matcher.find()) {
            String label = matcher.group(1);
            String body = matcher.group(2);
            boolean encrypted = label.startsWith("ENCRYPTED ") || body.contains("ENCRYPTED");
            blocks.add(new Block(label, encrypted, encrypted ? new byte[0] : decoded(body)));
        }
        return blocks;
    }

    private static byte[] decoded(String body) {
        try {
            return Base64.getMimeDecoder().decode(body);
        } catch (IllegalArgumentException e) {
            return new byte[0];
        }
    }
}
