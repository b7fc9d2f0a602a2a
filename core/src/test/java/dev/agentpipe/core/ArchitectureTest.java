package dev.agentpipe.core;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** core knows no framework: only the JDK, Jackson and SLF4J. */
final class ArchitectureTest {

    private final JavaClasses core = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.agentpipe.core");

    @Test
    void core_dependsOn_nothingButTheJdkJacksonAndSlf4j() {
        assertTrue(core.size() > 10, "no classes found: this test would hold for anything");
        classes()
                .that()
                .resideInAPackage("dev.agentpipe.core..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "dev.agentpipe.core..", "java..", "tools.jackson..", "com.fasterxml.jackson..", "org.slf4j..")
                .check(core);
    }
}
