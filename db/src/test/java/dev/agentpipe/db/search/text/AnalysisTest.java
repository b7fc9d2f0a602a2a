package dev.agentpipe.db.search.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class AnalysisTest {

    private final Analysis analysis = new Analysis();

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            Fox          | fox@1
            running      | running@1 run@1
            I’m İIı      | i'm@1 i@1 m@2 iii@3 i@3 ii@4
            getUserName  | getusername@1 get@1 user@2 name@3
            HTTPServer2  | httpserver2@1 http@1 server@2 2@3
            queue.take() | queue.take@1 queue@1 take@2
            __init__     | __init__@1 init@1
            snake_case   | snake_case@1 snake@1 case@2
            a b.c        | a@1 b.c@2 b@2 c@3
            café Straße  | cafe@1 strasse@2 strass@2
            ｆｕｌｌ        | full@1
            C++ C# i#1   | c++@1 c@1 c#@2 c@2 i@3 1@4
            ___ ... !    |
            deadbeef0c1d2e3f4a5b | deadbeef0c1d2e3f4a5b@1
            👍🏽👍 1️⃣        | 👍@1 👍@2 1⃣@3
            北京大         | 北@1 北京@1 京@2 京大@2 大@3
            北，京         | 北@1 京@2
            日本go語       | 日@1 日本@1 本@2 go@3 語@4
            タワー         | タ@1 タワ@1 ワ@2 ワー@2 ー@3
            """)
    void text_isTakenApart(String text, String expected) {
        assertEquals(expected == null ? "" : expected, tokens(text));
    }

    @Test
    void identifierWithVeryManyParts_isFoundWholeOnly() {
        String minified = "aBcDeFgHiJkLmNoPqRsTuVwXyZ";

        assertEquals("abcdefghijklmnopqrstuvwxyz@1", tokens(minified));
    }

    @Test
    void places_areThoseInTheText() {
        String text = "Ünï getUserName 北京";

        assertEquals(
                "Ünï getUserName get User Name 北 北京 京",
                analysis.tokens(text).stream()
                        .map(token -> text.substring(token.start(), token.end()))
                        .collect(Collectors.joining(" ")));
    }

    private String tokens(String text) {
        return analysis.tokens(text).stream()
                .map(token -> token.term() + "@" + token.position())
                .collect(Collectors.joining(" "));
    }
}
