package dev.agentpipe.db.search.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

final class SnippetTest {

    @Test
    void shortText_isWhole_withAllPlaces() {
        Snippet snippet = snippet("quick dog", "The <b>quick</b> brown fox, Quick as a dog");

        assertEquals("The <b>quick</b> brown fox, Quick as a dog", snippet.content());
        assertEquals(List.of("quick", "Quick", "dog"), marked(snippet));
    }

    @Test
    void longText_isCutWhereMostOfTheQueryIs() {
        String text = "alpha " + "x ".repeat(300) + "alpha and beta together " + "y ".repeat(300) + "beta";

        Snippet snippet = snippet("alpha beta", text);

        assertEquals(List.of("alpha", "beta"), marked(snippet));
        assertTrue(snippet.content().startsWith("\u2026x") && snippet.content().endsWith("y\u2026"), snippet.content());
        assertTrue(snippet.content().contains("alpha and beta together"));
        assertTrue(snippet.content().length() <= Snippet.CHARS_MAX + 2);
    }

    @Test
    void excludedWord_isNotMarked() {
        assertEquals(List.of("fox"), marked(snippet("fox -\"lazy dog\"", "fox and lazy cat and dog")));
    }

    @Test
    void phrase_isMarkedOnlyAsAPhrase() {
        assertEquals(List.of("brown fox"), marked(snippet("\"brown fox\"", "fox brown, a brown fox")));
    }

    @Test
    void overlappingMatches_areOne() {
        assertEquals(List.of("大学生"), marked(snippet("大学 学生", "我是大学生")));
    }

    @Test
    void cut_isNeverWithinACharacter() {
        for (int i = 0; i < 40; i++) {
            Snippet snippet = snippet(
                    "needle", "x".repeat(i) + "\uD83D\uDE80".repeat(100) + " needle " + "\uD83D\uDE80".repeat(200));
            assertEquals(List.of("needle"), marked(snippet));
            assertTrue(snippet.content().codePoints().noneMatch(c -> c >= 0xD800 && c <= 0xDFFF));
        }
    }

    @Test
    void nothingFound_showsTheBeginning() {
        Snippet snippet = snippet("nothing", "word ".repeat(100));

        assertEquals(List.of(), snippet.highlights());
        assertTrue(snippet.content().startsWith("word word"));
    }

    private static Snippet snippet(String query, String text) {
        return new Snippet.Maker(SearchQuery.parse(query, false)).of(text);
    }

    private static List<String> marked(Snippet snippet) {
        return snippet.highlights().stream()
                .map(range -> snippet.content().substring(range.start(), range.end()))
                .toList();
    }
}
