package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The list of what is in the fat jar, for those who look for known vulnerabilities. */
final class BillOfMaterialsTest {

    private static final String OWN = "dev.agentpipe";

    private static JsonNode bill() throws IOException {
        try (InputStream in = BillOfMaterialsTest.class.getResourceAsStream("/META-INF/sbom/application.cdx.json")) {
            return JsonMapper.shared().readTree(in);
        }
    }

    @Test
    void components_areTheJarsThatItRunsWith_andNoOthers() throws Exception {
        TreeSet<String> listed = new TreeSet<>();
        for (JsonNode component : bill().get("components")) {
            if (!component.get("group").asString().equals(OWN)) {
                listed.add(component.get("name").asString() + "-"
                        + component.get("version").asString() + ".jar");
                assertTrue(component.get("purl").asString().startsWith("pkg:maven/"), component::toString);
                assertTrue(component.get("hashes").size() > 0, component::toString);
            }
        }
        // What Maven gives to those who run it, in the order of the class path; the fat jar is made of the same.
        TreeSet<String> jars = new TreeSet<>();
        for (String file : Files.readString(Path.of("target/runtime.classpath")).split(File.pathSeparator)) {
            String name = Path.of(file.strip()).getFileName().toString();
            if (name.endsWith(".jar") && !name.startsWith("agentpipe-")) {
                jars.add(name);
            }
        }

        assertEquals(jars, listed);
        assertTrue(listed.size() > 30, listed.toString());
        assertFalse(listed.stream().anyMatch(name -> name.startsWith("junit")), "tests are not part of it");
    }

    @Test
    void sameSources_giveTheSameList() throws Exception {
        JsonNode bill = bill();

        assertFalse(bill.has("serialNumber"));
        assertFalse(bill.get("metadata").has("timestamp"));
        assertEquals("agentpipe-server", bill.at("/metadata/component/name").asString());
    }
}
