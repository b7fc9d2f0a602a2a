package dev.agentpipe.server.check;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Origin;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.Settings.Environment;
import dev.agentpipe.server.Settings.LogFormat;
import dev.agentpipe.server.Settings.LogLevel;
import dev.agentpipe.server.SettingsBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConfigurationItemsTest {

    private static final ApiKey STRONG = ApiKey.generate(new SecureRandom());
    private static final Instant NOW = Instant.parse("2026-11-23T04:00:00Z");

    private static SettingsBuilder production() {
        return Settings.builder()
                .environment(Environment.PRODUCTION)
                .databaseUrl("postgresql://db.example/x")
                .apiKeys(List.of(STRONG));
    }

    @Test
    void environment_isProduction() {
        Judged.ok(ConfigurationItems.environment(production().build()), "production");
        Judged.warning(ConfigurationItems.environment(Settings.builder().build()), "AGENTPIPE_ENV=production");
    }

    @Test
    void apiKeys_thatCanBeGuessed_failInProduction() {
        Judged.ok(ConfigurationItems.apiKeys(production().build()), STRONG.toString());
        Judged.ok(ConfigurationItems.apiKeys(Settings.builder().build()), "generated");
        for (String weak : List.of(
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "ap_live_" + "ab".repeat(30),
                "my-secret-key-of-production",
                "your-key-1234567890abcdef",
                "ap_live_changeme-changeme-qwertz")) {
            Verdict judged = ConfigurationItems.apiKeys(
                    production().apiKeys(List.of(new ApiKey(weak))).build());
            Judged.failed(judged, "can be guessed");
            assertFalse(judged.toString().contains(weak), judged::toString);
            Judged.warning(
                    ConfigurationItems.apiKeys(Settings.builder()
                            .apiKeys(List.of(new ApiKey(weak)))
                            .build()),
                    "can be guessed");
        }
        Judged.warning(
                ConfigurationItems.apiKeys(production()
                        .apiKeys(List.of(new ApiKey("zX9-kq27Lm_04Rt8vB1nCw5yPd6")))
                        .build()),
                "has not the form ap_live_");
    }

    @Test
    void apiKeys_forTests_belongToTests() {
        ApiKey test = ApiKey.generateTest(new SecureRandom());
        Judged.ok(ConfigurationItems.apiKeys(
                Settings.builder().apiKeys(List.of(test)).build()));
        Judged.warning(
                ConfigurationItems.apiKeys(production().apiKeys(List.of(test)).build()), "for tests");
    }

    @Test
    void apiKeys_ofAdminsAreOthers() {
        Judged.warning(
                ConfigurationItems.apiKeys(
                        production().adminKeys(List.of(STRONG)).build()),
                "there twice");
        Judged.ok(ConfigurationItems.apiKeys(production()
                .adminKeys(List.of(ApiKey.generate(new SecureRandom())))
                .build()));
    }

    @Test
    void certificate_isJudgedByItsEnd() {
        Judged.ok(ConfigurationItems.expiry("it", NOW.plus(Duration.ofDays(15)), NOW), "2026-12-08");
        Judged.warning(ConfigurationItems.expiry("it", NOW.plus(Duration.ofDays(13)), NOW), "for 13 days");
        Judged.failed(ConfigurationItems.expiry("it", NOW, NOW), "has expired");
    }

    @Test
    void origins_inProductionAreEncrypted() {
        Judged.ok(ConfigurationItems.origins(production().build()), "none");
        Judged.ok(ConfigurationItems.origins(production()
                .allowedOrigins(List.of(new Origin("https://app.example")))
                .build()));
        List<Origin> plain = List.of(new Origin("http://app.example"));
        Judged.warning(
                ConfigurationItems.origins(production().allowedOrigins(plain).build()), "http://app.example");
        Judged.ok(ConfigurationItems.origins(
                Settings.builder().allowedOrigins(plain).build()));
    }

    @Test
    void rateLimits_areOnAndLetConversationsBe() {
        Settings.RateLimits usual = Settings.RateLimits.DEFAULT;
        Judged.ok(ConfigurationItems.rateLimits(usual), "100 events in 60 s");
        Judged.warning(ConfigurationItems.rateLimits(Settings.RateLimits.OFF), "RATE_LIMIT_READS");
        Settings.RateLimits tight = new Settings.RateLimits(Duration.ofMinutes(10), 100, 10, 600, 100, usual.exempt());
        Judged.warning(ConfigurationItems.rateLimits(tight), "10 events a minute");
    }

    @Test
    void retentionAndHeartbeat_haveBounds() {
        Judged.ok(ConfigurationItems.retention(Duration.ofDays(30)), "30 days");
        Judged.warning(ConfigurationItems.retention(Duration.ZERO), "EVENT_RETENTION_DAYS");
        Judged.ok(ConfigurationItems.heartbeat(Duration.ofSeconds(55)));
        Judged.warning(ConfigurationItems.heartbeat(Duration.ofSeconds(56)), "proxies");
    }

    @Test
    void logs_inProductionAreForPrograms() {
        Judged.ok(ConfigurationItems.logFormat(production().build()), "json");
        Judged.warning(
                ConfigurationItems.logFormat(
                        production().logFormat(LogFormat.TEXT).build()),
                "LOG_FORMAT=json");
        Judged.ok(ConfigurationItems.logLevel(production().build()));
        Judged.warning(
                ConfigurationItems.logLevel(
                        production().logLevel(LogLevel.DEBUG).build()),
                "fills the disk");
        Judged.ok(ConfigurationItems.logLevel(
                Settings.builder().logLevel(LogLevel.DEBUG).build()));
        Judged.warning(
                ConfigurationItems.logLevel(
                        production().logLevel(LogLevel.ERROR).build()),
                "warnings");
    }

    @Test
    void filesWithSecrets_areForTheirOwnerAndGroup(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("key"), "x");
        for (String well : List.of("rw-------", "r--r-----")) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(well));
            Judged.ok(Secrecy.of(file).verdict(), well);
        }
        for (String open : List.of("rw-rw----", "rw-r--r--", "rw-----w-")) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(open));
            Judged.failed(Secrecy.of(file).verdict(), "chmod 600 " + file);
        }
        assertThrows(Group.NotThereException.class, () -> Secrecy.of(folder.resolve("none")));
    }
}
