package dev.agentpipe.core.event;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class Utf8Test {

    @ParameterizedTest
    @CsvSource({
        "'', -1",
        "41, -1",
        "00, -1",
        "C3A9, -1",
        "E282AC, -1",
        "F09F9A80, -1",
        "EFBFBD, -1", // U+FFFD itself
        "EFBFBF, -1", // a noncharacter
        "ED9FBF, -1",
        "EE8080, -1",
        "F48FBFBF, -1",
        "F4908080, 0", // past U+10FFFF
        "80, 0",
        "41BF, 1",
        "C0AF, 0", // overlong
        "C1BF, 0",
        "E09FBF, 0",
        "F08FBFBF, 0",
        "EDA080, 0", // surrogates
        "EDBFBF, 0",
        "EDA0BDEDB880, 0",
        "F5808080, 0",
        "FF, 0",
        "C3, 0", // cut off
        "E282, 0",
        "F09F9A, 0",
        "41414141414141414141C3, 10",
        "E28241, 0",
        "F09F4180, 0",
    })
    void bytes_checked_giveTheFirstThatIsWrong(String hex, int expected) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        assertEquals(expected, Utf8.firstInvalid(bytes, 0, bytes.length));
    }

    @Test
    void bytes_ofARange_areCheckedAlone() {
        byte[] bytes = HexFormat.of().parseHex("FF41C3A9FF");
        assertEquals(-1, Utf8.firstInvalid(bytes, 1, 4));
        assertEquals(2, Utf8.firstInvalid(bytes, 1, 3));
        assertEquals(4, Utf8.firstInvalid(bytes, 1, 5));
    }

    @Test
    void bytes_atRandom_areJudgedAsJavaDoes() {
        Random random = new Random(21);
        byte[] text = "plain ascii, é, €, \uD83D\uDE80, \uFFFD and again".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 50_000; i++) {
            byte[] bytes = text.clone();
            for (int n = random.nextInt(3); n >= 0; n--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            assertEquals(firstInvalidOfJava(bytes), Utf8.firstInvalid(bytes, 0, bytes.length));
        }
    }

    private static int firstInvalidOfJava(byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        boolean wrong =
                decoder.decode(in, CharBuffer.allocate(bytes.length), true).isError();
        return wrong ? in.position() : -1;
    }
}
