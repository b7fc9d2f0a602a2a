package dev.agentpipe.server.export;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;

/** Text on its way to UTF-8. */
abstract class TextFile implements TranscriptFile {

    final StringBuilder out = new StringBuilder();

    @Override
    public int size() {
        return out.length();
    }

    @Override
    public byte[] take() {
        byte[] bytes = out.toString().getBytes(StandardCharsets.UTF_8);
        out.setLength(0);
        return bytes;
    }

    /** A cost without an exponent, and without zeros at its end. */
    static String plain(BigDecimal number) {
        BigDecimal stripped = number.stripTrailingZeros();
        return (stripped.scale() < 0 ? stripped.setScale(0) : stripped).toPlainString();
    }
}
