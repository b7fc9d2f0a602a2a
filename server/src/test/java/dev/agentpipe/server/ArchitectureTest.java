package dev.agentpipe.server;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.agentpipe.db.OfferedTypes;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Json;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestFacts;
import dev.agentpipe.server.http.RequestLog;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The borders between the modules, and those between the rooms of this one. */
final class ArchitectureTest {

    private static final JavaClasses ALL = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("-tests.jar") && !location.contains("/test-classes/"))
            .importPackages("dev.agentpipe");

    private static final Class<?>[] KNOWN_OF_HTTP = {
        Replies.class, Problem.class, Json.class, Access.class, RequestFacts.class, RequestLog.class
    };

    @Test
    void classes_ofAllModules_areFound() {
        for (String found : List.of(
                "core.event",
                "core.log",
                "core.broadcast",
                "db.log",
                "db.conversations",
                "server.http",
                "server.stream")) {
            long count = ALL.stream()
                    .filter(one -> one.getPackageName().equals("dev.agentpipe." + found))
                    .count();
            assertTrue(count > 5, "without classes of " + found + " the rules below hold for anything");
        }
        assertTrue(
                ALL.stream().noneMatch(one -> one.getSimpleName().endsWith("Test")),
                "tests may depend on what they like");
    }

    @Test
    void core_and_db_knowNothingOfTheServer() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.agentpipe.core..", "dev.agentpipe.db..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.agentpipe.server..")
                .check(ALL);
        noClasses()
                .that()
                .resideInAPackage("dev.agentpipe.core..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.agentpipe.db..")
                .check(ALL);
    }

    /** The packages of the read API ask the database in its own words; the path of an event does not know it. */
    @Test
    void database_isNotKnownOnThePathOfAnEvent() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "dev.agentpipe.server.http..",
                        "dev.agentpipe.server.stream..",
                        "dev.agentpipe.server.sse..",
                        "dev.agentpipe.server.cache..",
                        "dev.agentpipe.server.redis..",
                        "dev.agentpipe.server.smoke..",
                        "dev.agentpipe.server.loadtest..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.agentpipe.db..")
                .check(ALL);
    }

    /** Beside these, db has types that are public for its own rooms. */
    @Test
    void database_isUsedThroughWhatItOffers() {
        DescribedPredicate<JavaClass> kept = DescribedPredicate.describe(
                "are public for the rooms of db",
                type -> type.getPackageName().startsWith("dev.agentpipe.db")
                        && !OfferedTypes.NAMES.contains(
                                type.getName().replaceAll("\\$.*", "").substring("dev.agentpipe.db.".length())));
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.agentpipe.db..")
                .should()
                .dependOnClassesThat(kept)
                .orShould()
                .callConstructorWhere(DescribedPredicate.describe(
                        "jOOQ's types are given",
                        call -> call.getTarget().getRawParameterTypes().stream()
                                .anyMatch(type -> type.getPackageName().startsWith("org.jooq"))))
                .check(ALL);
    }

    @Test
    void http_knowsNeitherStreamsNorTheCommandLine() {
        noClasses()
                .that()
                .resideInAPackage("dev.agentpipe.server.http..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.agentpipe.server.stream..",
                        "dev.agentpipe.server.cli..",
                        "dev.agentpipe.server.smoke..",
                        "dev.agentpipe.server.loadtest..")
                .check(ALL);
    }

    @Test
    void stream_knowsOfHttpOnlyHowToReplyAndWhoMayRead() {
        noClasses()
                .that()
                .resideInAPackage("dev.agentpipe.server.stream..")
                .should()
                .dependOnClassesThat(resideInAPackage("dev.agentpipe.server.http..")
                        .and(not(belongToAnyOf(KNOWN_OF_HTTP)))
                        .or(resideInAPackage("dev.agentpipe.server.cli.."))
                        .or(resideInAPackage("dev.agentpipe.server.smoke..")))
                .check(ALL);
    }

    @Test
    void packages_ofCoreAndDb_haveNoCycles() {
        slices().matching("dev.agentpipe.core.(*)..").should().beFreeOfCycles().check(ALL);
        slices().matching("dev.agentpipe.db.(*)..").should().beFreeOfCycles().check(ALL);
        slices().matching("dev.agentpipe.(*)..").should().beFreeOfCycles().check(ALL);
    }

    /** Those of the server share its root package, where settings stand beside the composition root. */
    @Test
    void packages_ofTheServer_haveNoCyclesAmongThem() {
        slices().matching("dev.agentpipe.server.(*)..")
                .should()
                .beFreeOfCycles()
                .check(ALL);
    }
}
