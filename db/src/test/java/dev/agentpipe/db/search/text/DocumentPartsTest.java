package dev.agentpipe.db.search.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.search.text.DocumentParts.Part;
import dev.agentpipe.db.search.text.DocumentParts.Weight;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class DocumentPartsTest {

    private final DocumentParts parts = new DocumentParts();

    @Test
    void text_isOnePart_withPlacesOfItsWords() {
        Part part = ofText("It's it's \\ fox").get(0);

        assertEquals(new TreeSet<>(List.of("'it''s':1,3", "'it':1,3", "'s':2,4", "'fox':5")), words(part));
        assertEquals(0, part.from());
        assertEquals(15, part.chars());
    }

    @Test
    void textWithoutWords_isAPart() {
        assertEquals(List.of(new Part(0, 3, "")), ofText("..."));
        assertEquals(List.of(new Part(0, 0, "")), ofText(""));
    }

    @Test
    void texts_haveWeights_andNoPhraseReachesAcross() {
        Map<String, Weight> texts = new LinkedHashMap<>();
        texts.put("one two", Weight.TITLE);
        texts.put("three", Weight.SUMMARY);

        assertEquals(
                new TreeSet<>(List.of("'one':1A", "'two':2A", "'three':4B")),
                words(parts.of(texts).get(0)));
    }

    @Test
    void longText_isCut_withTheLastWordsInTheNext() {
        StringBuilder text = new StringBuilder("\uD83D\uDE80 ");
        for (int i = 0; i < DocumentParts.POSITIONS_MAX + 100; i++) {
            text.append('w').append(number(i)).append(' ');
        }

        List<Part> cut = ofText(text.toString());

        assertEquals(2, cut.size());
        // The rocket is the first word of the first part, which ends with the word before the last that fits.
        int last = DocumentParts.POSITIONS_MAX - 2;
        assertTrue(words(cut.get(0)).contains("'w" + number(last) + "':" + DocumentParts.POSITIONS_MAX));
        int first = last - DocumentParts.OVERLAP + 1;
        assertTrue(words(cut.get(1)).contains("'w" + number(first) + "':1"));
        assertTrue(words(cut.get(1)).contains("'w" + number(last) + "':" + DocumentParts.OVERLAP));
        assertEquals(
                text.indexOf("w" + number(first)) - 1, // the rocket has two UTF-16 units
                cut.get(1).from());
    }

    @Test
    void longWords_areCutByBytes_andEveryPositionIsAllowed() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 4_000; i++) {
            text.append("é".repeat(240)).append(number(i)).append(' ');
        }

        List<Part> cut = ofText(text.toString());

        assertTrue(cut.size() > 3);
        for (Part part : cut) {
            assertTrue(part.words().getBytes(StandardCharsets.UTF_8).length < 1 << 20);
        }
    }

    /** In letters, so that it stays a part of its word; no two are alike or have a stem. */
    private static String number(int number) {
        StringBuilder letters = new StringBuilder();
        for (int rest = number; letters.length() < 4; rest /= 10) {
            letters.append((char) ('k' + rest % 10));
        }
        return letters.append('q').toString();
    }

    private List<Part> ofText(String text) {
        return parts.of(Map.of(text, Weight.TEXT));
    }

    private static TreeSet<String> words(Part part) {
        return new TreeSet<>(Arrays.asList(part.words().strip().split(" ")));
    }
}
