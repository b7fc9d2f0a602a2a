package dev.agentpipe.server.export;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DefusedTest {

    private static String defused(String text) {
        StringBuilder out = new StringBuilder();
        new Defused(text).appendTo(out);
        return out.toString();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "=1",
                "+1",
                "-1",
                "@x",
                "|x",
                "%x",
                "\t=1",
                "\r=1",
                "\n=1",
                "\tx",
                " =1",
                "'=1",
                "\u200B\uFEFF=1",
                "\uFF1D1",
                "\u22121",
                "\u0001=1"
            })
    void text_thatIsAFormula_isNoneAfterwards(String text) {
        assertEquals("'" + text, defused(text));
    }

    @Test
    void quotes_areDoubled() {
        assertEquals("a \"\"b\"\"", defused("a \"b\""));
        assertEquals("'\"\"=1", defused("\"=1"));
    }

    /** Where a semicolon, a tab or a line break ends a cell: each becomes one of its own. */
    @Test
    void formula_insideOfAText_isNoneAfterwards() {
        for (String end : List.of(";", "\t", "\n", "\r", "\r\n", ";;", "; ", "\uFF1B")) {
            for (String formula : List.of(
                    "=cmd|' /C calc'!A0",
                    "@SUM(1)",
                    "+A!1",
                    "-[x]y",
                    "\uFF1DHYPERLINK\uFF08\"x\"\uFF09",
                    " \u00A0'\u200B=F(1)")) {
                String text = "said" + end + formula + "\n";
                String first = end.strip().isEmpty() || end.equals("\uFF1B") ? end : end.strip();
                String expected = "said" + first + "'" + text.substring(4 + first.length());
                assertEquals(expected.replace("\"", "\"\""), defused(text));
            }
        }
        assertEquals("a;'=F(1);'=F(2)\n'=F(3)", defused("a;=F(1);=F(2)\n=F(3)"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "said",
                "a list:\n- one\n- two\r\n+ three\n\n---\n=====\n@bob, what do you say?\n50;-3",
                "x = f(1); y = -x; // (a|b)",
                "a (b)\n- c\n(d)"
            })
    void text_withoutFormulas_staysAsItIs(String text) {
        assertEquals(text, defused(text));
    }

    /** Each of these would take hours if every cell's end looked at all that follows. */
    @Test
    void text_ofManyCells_takesOnePass() {
        for (String part : List.of(";=", "\n", ";\t", "; ", "\n=\"")) {
            String text = "x" + part.repeat(2_000_000);
            assertEquals(text.replace("\"", "\"\""), defused(text));
        }
    }
}
