package dev.agentpipe.db.search.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SearchQueryTest {

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', textBlock = """
            Fox fox             ~ ('fox')
            running             ~ ('running' | 'run')
            "running foxes"     ~ ('running' <1> 'foxes')
            “smart quotes”      ~ ('smart' <1> 'quotes')
            a -b -"c d"         ~ ('a') & !('b') & !('c' <1> 'd')
            well-known -        ~ ('well' <1> 'known')
            fo*                 ~ ('fo':*)
            getUs*              ~ ('get' <1> 'us':* | 'getus':*)
            queue.take()        ~ ('queue' <1> 'take' | 'queue.take')
            "queue.take() now"  ~ ('queue' <1> 'take' <1> 'now')
            北京大学            ~ ('北京' <1> '京大' <1> '大学')
            北                  ~ ('北')
            北，京大            ~ ('北' <1> '京大')
            go语言x             ~ ('go' <1> '语言' <2> 'x')
            "open quote         ~ ('open' <1> 'quote')
            'it\\'              ~ ('it')
            don't               ~ ('don' <1> 't' | 'don''t')
            ***  !!             ~
            """)
    void query_asPostgresReadsIt(String query, String expected) {
        assertEquals(
                expected == null ? "" : expected,
                SearchQuery.parse(query, false).tsQuery());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', textBlock = """
            quick bro   ~ ('quick') & ('bro':*)
            quick br    ~ ('quick') & ('br')
            "quick bro" ~ ('quick' <1> 'bro')
            """)
    void lastWordWhileTyping_isABeginning(String query, String expected) {
        assertEquals(expected, SearchQuery.parse(query, true).tsQuery());
    }

    @Test
    void rank_knowsNothingOfWhatIsExcluded() {
        assertEquals("('a') & ('c')", SearchQuery.parse("a -b c", false).rankTsQuery());
    }

    @Test
    void limits_bothSides() {
        assertTrue(SearchQuery.parse(" ".repeat(SearchQuery.CHARS_MAX), false).isEmpty());
        refused("x".repeat(SearchQuery.CHARS_MAX + 1));
        SearchQuery.parse(words(SearchQuery.CLAUSES_MAX), false);
        refused(words(SearchQuery.CLAUSES_MAX + 1));
        SearchQuery.parse("aa* bb* cc* aa*", false);
        refused("aa* bb* cc* dd*");
        refused("a*");
        refused("-a");
        refused("-a -\"b c\"");
    }

    private static String words(int count) {
        StringBuilder words = new StringBuilder();
        for (int i = 0; i < count; i++) {
            words.append((char) ('a' + i / 26)).append((char) ('a' + i % 26)).append(' ');
        }
        return words.toString();
    }

    private static void refused(String query) {
        assertThrows(SearchQuery.UnusableException.class, () -> SearchQuery.parse(query, false), query);
    }
}
