package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Settings;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class BannerTest {

    private static final URI LOCAL = URI.create("http://127.0.0.1:3000");
    private static final Settings GENERATED =
            Settings.builder().dataDir(Path.of("/srv/it's data")).build();

    @Test
    void banner_generatedKey_isShownOnceWithItsPlace() {
        String banner = Banner.of(GENERATED, LOCAL, Optional.of("ap_live_new"));

        assertLine(banner, "  export AGENTPIPE_STREAM_ENABLED=true");
        assertLine(banner, "  export AGENTPIPE_STREAM_URL=http://127.0.0.1:3000");
        assertLine(banner, "  export AGENTPIPE_STREAM_API_KEY=ap_live_new");
        assertLine(banner, "  curl -N http://127.0.0.1:3000/api/realtime/stream");
        assertTrue(banner.contains("it is kept in /srv/it's data/api-key."), banner);
    }

    @Test
    void banner_keptKey_isNamedByItsFile() {
        assertLine(
                Banner.of(GENERATED, LOCAL, Optional.empty()),
                "  export AGENTPIPE_STREAM_API_KEY=\"$(cat '/srv/it'\\''s data/api-key')\"");
    }

    @Test
    void banner_keysOfTheEnvironment_areNeverShown() {
        ApiKey one = new ApiKey("ap_live_one_one");
        Settings settings = Settings.builder().apiKeys(List.of(one)).build();
        String banner = Banner.of(settings, LOCAL, Optional.empty());
        String several =
                Banner.of(settings.toBuilder().apiKeys(List.of(one, one)).build(), LOCAL, Optional.empty());

        assertLine(banner, "  export AGENTPIPE_STREAM_API_KEY=\"$AGENTPIPE_BRIDGE_API_KEY\"");
        assertLine(several, "  export AGENTPIPE_STREAM_API_KEY=\"${AGENTPIPE_BRIDGE_API_KEY%%,*}\"");
        assertFalse((banner + several).contains("one_one"));
    }

    @Test
    void banner_listeningToAllAddresses_showsOneThatCanBeReached() {
        assertLine(
                Banner.of(GENERATED, URI.create("http://0.0.0.0:81"), Optional.empty()),
                "  export AGENTPIPE_STREAM_URL=http://127.0.0.1:81");
        assertLine(
                Banner.of(GENERATED, URI.create("http://[::]:81"), Optional.empty()),
                "  export AGENTPIPE_STREAM_URL=http://127.0.0.1:81");
        assertLine(
                Banner.of(GENERATED, URI.create("http://[::1]:81"), Optional.empty()),
                "  export AGENTPIPE_STREAM_URL=http://[::1]:81");
    }

    private static void assertLine(String banner, String line) {
        assertTrue(banner.lines().anyMatch(line::equals), banner);
    }
}
