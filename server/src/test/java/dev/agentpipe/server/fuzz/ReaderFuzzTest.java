package dev.agentpipe.server.fuzz;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventFileReader;
import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.SessionReader;
import dev.agentpipe.core.event.UploadCheck;
import dev.agentpipe.core.event.UploadLimits;
import dev.agentpipe.core.log.StreamId;
import dev.agentpipe.core.redact.Redactor;
import dev.agentpipe.db.postgres.PostgresUrl;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.SettingsException;
import dev.agentpipe.server.SettingsReader;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.http.QueryParameters;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The readers by themselves, which is quicker than over HTTP: they take it, or refuse it in the way that they promise. */
final class ReaderFuzzTest {

    private static final long SEED = Long.getLong("fuzz.seed", 20261123);
    private static final int INPUTS = 10 * Integer.getInteger("fuzz.inputs", 400);

    private static final Pattern SETTING = Pattern.compile("(?m)^#([A-Z_]+)=");
    private static final List<String> VALUES = List.of(
            "postgresql://user:p%40ss@host:5432/name?sslmode=require&connect_timeout=5",
            "jdbc:postgresql://host/name",
            "postgres://[::1]:5432,host2/x?target_session_attrs=read-write",
            "redis://:x@host:6379/0",
            "production",
            "127.0.0.1",
            "10.0.0.0/8, ::1",
            "https://a.example, http://b.example:8080",
            "ap_test_one-key-and,ap_live_another-key",
            "3000",
            "24h",
            "true",
            "info");

    private final Random random = new Random(SEED);
    private final Damage damage = new Damage(random);

    private interface Reader {
        /** @return whether it was taken */
        boolean takes(byte[] input) throws Exception;
    }

    /** Some are taken and some are not, or the damage is none: one of twenty is whole. */
    private void run(List<String> seeds, Reader reader) {
        int taken = 0;
        for (int i = 0; i < INPUTS; i++) {
            byte[] whole = seeds.get(random.nextInt(seeds.size())).getBytes(StandardCharsets.UTF_8);
            byte[] input = random.nextInt(20) == 0 ? whole : damage.bytes(whole);
            try {
                taken += reader.takes(input) ? 1 : 0;
            } catch (Exception | Error e) {
                throw new AssertionError(
                        "seed " + SEED + ", hex " + HexFormat.of().formatHex(input), e);
            }
        }
        assertTrue(taken > 0 && taken < INPUTS, taken + " of " + INPUTS);
    }

    @Test
    void uploads_areTakenOrRefused() {
        String message = TestServer.messageBody("c", "m", "x");
        String session =
                "{\"conversation\":{\"name\":\"n\",\"mode\":\"m\",\"initial_prompt\":\"\",\"status\":\"ACTIVE\","
                        + "\"started_at\":\"2026-11-22T10:00:00Z\",\"total_cost\":0.5,\"system_info\":{\"arch\":\"x\"}},"
                        + "\"agents\":[{\"agent_type\":\"a\",\"agent_name\":\"A\"}],\"messages\":[{\"agent_type\":\"a\","
                        + "\"agent_name\":\"A\",\"content\":\"x\",\"timestamp\":\"2026-11-22T10:00:00Z\",\"cost\":1e-9}]}";
        UploadLimits limits = UploadLimits.DEFAULT;
        EventFileReader files = new EventFileReader(
                EventReader.ofFiles(EventLimits.DEFAULT, Clock.systemUTC(), Redactor.on()),
                EventLimits.DEFAULT,
                limits);
        SessionReader sessions = new SessionReader(EventLimits.DEFAULT, limits, Redactor.on());

        run(List.of(message + "\n" + message, message), input -> isValid(files.check(new ByteArrayInputStream(input))));
        run(List.of(session), input -> isValid(sessions.check(new ByteArrayInputStream(input))));
    }

    private static boolean isValid(UploadCheck check) {
        return !(check instanceof UploadCheck.Invalid) && !(check instanceof UploadCheck.TooLarge);
    }

    @Test
    void keys_areOnesOrNone_andNeverRepeated() {
        run(List.of(TestServer.KEY, "ap_live_" + "x".repeat(43), "k".repeat(510)), input -> {
            String text = new String(input, StandardCharsets.UTF_8);
            if (ApiKey.isOne(text)) {
                assertFalse(new ApiKey(text).toString().contains(text));
                return true;
            }
            try {
                throw new AssertionError(new ApiKey(text));
            } catch (IllegalArgumentException e) {
                assertFalse(text.length() > 4 && e.getMessage().contains(text), "it says what it was");
                return false;
            }
        });
    }

    @Test
    void instants_ofParameters_areOnesOrNone() {
        run(
                List.of("2026-11-22", "2026-11-22T14:34:22.123456789+01:00", "2026-11-22 14:34:22Z"),
                input -> QueryParameters.instantOf(new String(input, StandardCharsets.UTF_8), random.nextBoolean())
                        .isPresent());
    }

    @Test
    void placesInTheLog_areOnesOrNone() {
        run(
                List.of("k7f3-41982", "0-0", "abcdef-9223372036854775807"),
                input -> StreamId.parse(new String(input, StandardCharsets.UTF_8))
                        .isPresent());
    }

    @Test
    void databaseUrls_areTakenOrRefused_withoutTheirPasswords() {
        run(VALUES.subList(0, 3), input -> {
            try {
                return !PostgresUrl.parse(new String(input, StandardCharsets.UTF_8))
                        .toString()
                        .contains("p@ss");
            } catch (IllegalArgumentException e) {
                assertFalse(e.getMessage() != null && e.getMessage().contains("p%40ss"), e.getMessage());
                return false;
            }
        });
    }

    @Test
    void settings_areTakenOrRefused() throws IOException {
        List<String> names = SETTING.matcher(Files.readString(Path.of("../conf/agentpipe-server.env.example")))
                .results()
                .map(found -> found.group(1))
                .toList();
        run(VALUES, input -> {
            String name = names.get(random.nextInt(names.size()));
            try {
                SettingsReader.read(Map.of(name, new String(input, StandardCharsets.UTF_8)));
                return true;
            } catch (SettingsException e) {
                return false;
            }
        });
    }
}
