package dev.agentpipe.core.event;

import static dev.agentpipe.core.event.Reading.accepted;
import static dev.agentpipe.core.event.Reading.assertViolations;
import static dev.agentpipe.core.event.Reading.event;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.agentpipe.core.event.Event.ConversationCompleted;
import dev.agentpipe.core.event.Event.ConversationStarted;
import dev.agentpipe.core.event.Event.MessageCreated;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers that are counted and added up: exact, and of a size that columns take. */
final class EventReaderNumbersTest {

    private static MessageCreated message(String member, String number) {
        return (MessageCreated) accepted(event("message.created", ",\"" + member + "\":" + number));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2_147_483_648L, 999_999_999_999_999_999L, 1_000_000_000_000_000_000L, Long.MAX_VALUE})
    void count_ofALong_isAccepted(long count) {
        assertEquals(count, message("tokens_used", Long.toString(count)).tokensUsed());
    }

    @Test
    void count_ofMinusZeroOrNull_isZeroOrAbsent() {
        assertEquals(0, message("tokens_used", "-0").tokensUsed());
        assertNull(message("tokens_used", "null").tokensUsed());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-1",
                "9223372036854775808",
                "-9223372036854775809",
                "10000000000000000000",
                "1.0",
                "1e2",
                "1E400",
                "\"1\"",
                "true",
                "[]"
            })
    void count_ofAnythingElse_isRefused(String number) {
        assertViolations(
                event("message.created", ",\"turn_number\":" + number),
                "/data/turn_number: Expected an integer from 0 to 9223372036854775807.");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-0, 0",
        "-0.0, 0.0",
        "0.0, 0.0",
        "12, 12",
        "1.50, 1.50",
        "0.0006349999999999999, 0.0006349999999999999",
        "1e-7, 0.0000001",
        "5e-324, 5E-324",
        "4.9406564584124654e-324, 4.9406564584124654E-324",
        "1E+2, 100",
        "1.25e14, 125000000000000",
        "999999999999999.999, 999999999999999.999",
        "999999999999999, 999999999999999",
        "1e-400, 1E-400",
        "0e999999999, 0",
        "0E-999999999, 0",
    })
    void cost_thatColumnsTake_isExact(String sent, String expected) {
        BigDecimal cost = message("cost", sent).cost();
        assertEquals(new BigDecimal(expected), cost);
        ConversationCompleted completed = (ConversationCompleted)
                accepted(event("conversation.completed", ",\"total_cost\":" + sent + ",\"duration_seconds\":" + sent));
        assertEquals(cost, completed.totalCost());
        assertEquals(cost, completed.durationSeconds());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-1",
                "-0.0000001",
                "1000000000000000",
                "1e15",
                "1e999999999",
                "1e99999999999999999999",
                "-1e999999999",
                "1e-401",
                "1e-999999999",
                "1e-99999999999999999999",
                "9223372036854775808",
                "\"1\"",
                "false",
                "{}"
            })
    void cost_thatColumnsDoNotTake_isRefused(String sent) {
        assertViolations(
                event("message.created", ",\"cost\":" + sent),
                "/data/cost: Expected a number, 0 or more and below 1e15, with at most 400 fraction digits.");
    }

    @Test
    void cost_withFractionDigitsUpToTheLimit_isAccepted() {
        String most = "123456789012345." + "7".repeat(CheckedMembers.DECIMAL_SCALE_MAX);
        assertEquals(most, message("cost", most).cost().toPlainString());
        assertViolations(
                event("message.created", ",\"cost\":" + most + "7"),
                "/data/cost: Expected a number, 0 or more and below 1e15, with at most 400 fraction digits.");
    }

    @Test
    void numbers_thatAreHuge_costNothing() {
        String digits = "9".repeat(400_000);
        String refused = "/data/cost: Expected a number, 0 or more and below 1e15, with at most 400 fraction digits.";
        assertTimeoutPreemptively(Duration.ofSeconds(5), () -> {
            for (String number : List.of(digits, "0." + digits, "-" + digits, "1e" + digits, digits + "e-" + digits)) {
                assertViolations(event("message.created", ",\"cost\":" + number), refused);
                message("unknown", number);
            }
            message("unknown", "[1e999999999,-1e-999999999,1E+99999999999999999999]");
        });
    }

    @Test
    void maxTurns_belowZero_meansThereIsNone() {
        String agents = ",\"agents\":[],\"max_turns\":";
        assertNull(((ConversationStarted) accepted(event("conversation.started", agents + "-1"))).maxTurns());
        assertEquals(0, ((ConversationStarted) accepted(event("conversation.started", agents + "0"))).maxTurns());
        assertViolations(
                event("conversation.started", agents + "1.5"),
                "/data/max_turns: Expected an integer from 0 to 9223372036854775807.");
    }
}
