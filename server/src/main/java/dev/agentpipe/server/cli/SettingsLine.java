package dev.agentpipe.server.cli;

import dev.agentpipe.server.EffectiveSettings;
import dev.agentpipe.server.EffectiveSettings.Entry;
import dev.agentpipe.server.EffectiveSettings.Source;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.Version;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import net.logstash.logback.argument.StructuredArguments;
import org.slf4j.Logger;

/**
 * What a server runs with, once in its log: in JSON every variable as a field of {@code settings}; in text only what
 * somebody has set, since nobody reads a line of forty defaults, and {@code agentpipe-server config} lists them.
 */
final class SettingsLine {

    private SettingsLine() {}

    static void log(Logger log, Settings settings, Map<String, String> variables) {
        List<Entry> all = EffectiveSettings.of(settings, variables, Set.of());
        List<Entry> set =
                all.stream().filter(one -> one.source() != Source.DEFAULT).toList();
        if (settings.logging().format() == Settings.LogFormat.TEXT) {
            log.info(
                    "Version {}, Java {}, {}",
                    Version.current(),
                    Runtime.version(),
                    set.isEmpty() ? "all settings are defaults" : "settings beside the defaults: " + joined(set));
            return;
        }
        Map<String, String> values = new LinkedHashMap<>();
        all.forEach(one -> values.put(one.name(), one.value()));
        log.info(
                "The effective settings",
                StructuredArguments.keyValue("version", Version.current()),
                StructuredArguments.keyValue("java", Runtime.version().toString()),
                StructuredArguments.keyValue("settings", values),
                StructuredArguments.keyValue(
                        "set", set.stream().map(Entry::name).toList()));
    }

    private static String joined(List<Entry> entries) {
        return entries.stream().map(one -> one.name() + "=" + one.value()).collect(Collectors.joining(" "));
    }
}
