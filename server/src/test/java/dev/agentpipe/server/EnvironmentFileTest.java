package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As systemd's own parser does it (src/basic/env-file.c). */
final class EnvironmentFileTest {

    private static Map<String, String> parse(String text) throws SettingsException {
        return EnvironmentFile.parse(text, "file");
    }

    @Test
    void lines_areNamesAndValues() throws Exception {
        assertEquals(
                Map.of("A", "1", "B_2", "x = y", "C", "", "D", "last wins"),
                parse("# A=0\n; B=0\n\n  A = 1 \r\nB_2=x = y\t\nC=\nD=first\nD=last wins"));
    }

    @Test
    void quotes_keepWhiteSpaceAndLines() throws Exception {
        assertEquals(
                Map.of("A", " x ", "B", "$y \\n", "C", "one\ntwo", "D", "it's", "E", "a\"b c\"", "F", "xyz"),
                parse("A=\" x \"\nB='$y \\n'\nC=\"one\ntwo\"\nD=\"it's\"\nE=a\"b c\"\nF=\"x\" 'y' z\n"));
    }

    @Test
    void backslash_standsBeforeWhatIsMeant() throws Exception {
        assertEquals(
                Map.of("A", "x y#z", "B", "goes on", "C", "\"$\\", "D", "\\t", "E", "end "),
                parse("A=x\\ y#z\nB=goes \\\non\nC=\"\\\"\\$\\\\\"\nD=\"\\t\"\nE=end\\ \n"));
    }

    @Test
    void lines_thatAreNone_areAllTold_withoutTheirContent() {
        SettingsException wrong = assertThrows(
                SettingsException.class,
                () -> parse("A=1\nexport B=secret-2\nsecret-3\n=4\nC=\"two\nlines\"\n1D=5\nE='open secret-6"));
        assertEquals(
                List.of(
                        "file, line 2: is no NAME=value",
                        "file, line 3: is no NAME=value",
                        "file, line 4: is no NAME=value",
                        "file, line 7: is no NAME=value",
                        "file, line 8: a quote is not closed"),
                wrong.problems());
        assertFalse(wrong.getMessage().contains("secret"));
    }

    @Test
    void comment_thatMayHideALine_isTold() {
        SettingsException wrong = assertThrows(SettingsException.class, () -> parse("# C:\\\nA=1\n"));
        assertEquals(
                List.of("file, line 1: a comment ends with a backslash, and may hide the next line"), wrong.problems());
    }

    @Test
    void file_thatCannotBeRead_isToldByItsName(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("server.env");
        SettingsException none = assertThrows(SettingsException.class, () -> EnvironmentFile.read(file));
        assertEquals(List.of(file + " cannot be read: NoSuchFile"), none.problems());
        Files.writeString(file, "PORT=3001\n");
        assertEquals(Map.of("PORT", "3001"), EnvironmentFile.read(file));
    }

    /** The example is taken as it is by those who copy it. */
    @Test
    void example_isOne() throws Exception {
        assertEquals(Map.of(), EnvironmentFile.read(Path.of("..", "conf", "agentpipe-server.env.example")));
    }
}
