package dev.agentpipe.db;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What is said about PostgreSQL outside of this module is said in its terms, not in those of its libraries. */
final class ArchitectureTest {

    private static final String ROOT = "dev.agentpipe.db";

    private static final String[] LIBRARIES = {
        "org.jooq..",
        "org.flywaydb..",
        "com.zaxxer.hikari..",
        "org.postgresql..",
        "io.zonky..",
        "java.sql..",
        "javax.sql.."
    };

    /** Public only because another room needs them: each is a seam that somebody must keep. */
    private static final Set<String> SHARED_BY_ROOMS = Set.of(
            "backup.BackupWriter",
            "backup.MigrationScript",
            "log.AppendStatement",
            "log.PostgresEventLog",
            "log.StatusOrder",
            "postgres.ConnectionPool",
            "postgres.Expressions",
            "postgres.PostgresFailures",
            "postgres.PostgresUrl",
            "postgres.Statements",
            "upload.Uploads",
            "search.text.DocumentParts");

    /** Which rooms each knows, beside the generated code: there is no way back to where one came from. */
    private static final Map<String, Set<String>> KNOWN = Map.ofEntries(
            Map.entry("postgres", Set.of()),
            Map.entry("log", Set.of("postgres")),
            Map.entry("upload", Set.of("postgres", "log")),
            Map.entry("conversations", Set.of("postgres")),
            Map.entry("export", Set.of("postgres", "log")),
            Map.entry("search", Set.of("postgres", "conversations")),
            Map.entry("usage", Set.of("postgres")),
            Map.entry("keys", Set.of("postgres")),
            Map.entry("backup", Set.of("postgres")),
            Map.entry("local", Set.of("postgres")),
            Map.entry("web", Set.of("postgres")));

    private final JavaClasses all = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.agentpipe");

    @Test
    void databaseLibraries_areUsedInDbAlone() {
        assertTrue(all.containPackage("dev.agentpipe.core.log"), "no classes of core found");
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(LIBRARIES)
                .check(all);
    }

    @Test
    void rooms_knowOnlyThoseThatTheyMay() {
        Map<String, Set<String>> known = new TreeMap<>();
        for (JavaClass type : all) {
            if (isWritten(type) && !room(type).isEmpty()) {
                Set<String> rooms = known.computeIfAbsent(room(type), room -> new TreeSet<>());
                type.getDirectDependenciesFromSelf().stream()
                        .map(Dependency::getTargetClass)
                        .filter(ArchitectureTest::isWritten)
                        .map(ArchitectureTest::room)
                        .filter(target -> !target.equals(room(type)))
                        .forEach(rooms::add);
            }
        }
        assertEquals(new TreeMap<>(KNOWN), known);
    }

    @Test
    void rooms_allTellWhatTheyAre() {
        for (JavaClass type : all) {
            if (isWritten(type)) {
                Path sources =
                        Path.of("src", "main", "java", type.getPackageName().replace('.', '/'));
                assertTrue(Files.exists(sources.resolve("package-info.java")), sources::toString);
            }
        }
    }

    @Test
    void publicTypes_areThoseThatSomebodyElseNeeds() {
        Set<String> needed = new TreeSet<>(OfferedTypes.NAMES);
        needed.addAll(SHARED_BY_ROOMS);
        assertEquals(
                needed,
                all.stream()
                        .filter(type -> isWritten(type)
                                && type.isTopLevelClass()
                                && type.getModifiers().contains(JavaModifier.PUBLIC))
                        .map(ArchitectureTest::name)
                        .collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void publicMethods_ofWhatIsOffered_showNoLibrary() {
        JavaClasses offered = all.that(DescribedPredicate.describe(
                "offered types of db",
                type -> type.getPackageName().startsWith(ROOT)
                        && type.getModifiers().contains(JavaModifier.PUBLIC)
                        && OfferedTypes.NAMES.contains(name(type))));
        assertTrue(offered.stream()
                .map(ArchitectureTest::name)
                .collect(Collectors.toSet())
                .equals(OfferedTypes.NAMES));
        noMethods()
                .that()
                .arePublic()
                .should(new ArchCondition<JavaMethod>("mention a library's type") {
                    @Override
                    public void check(JavaMethod method, ConditionEvents events) {
                        events.add(new SimpleConditionEvent(method, mentionsLibrary(method), method.getFullName()));
                    }
                })
                .check(offered);
    }

    private static boolean isWritten(JavaClass type) {
        return type.getPackageName().startsWith(ROOT) && !type.getPackageName().startsWith(ROOT + ".generated");
    }

    /** The first package below the root; empty for the root itself. */
    private static String room(JavaClass type) {
        return type.getPackageName().equals(ROOT)
                ? ""
                : type.getPackageName().substring(ROOT.length() + 1).split("\\.")[0];
    }

    /** That of the type around it, without the root. */
    private static String name(JavaClass type) {
        return type.getName().replaceAll("\\$.*", "").substring(ROOT.length() + 1);
    }

    private static boolean mentionsLibrary(JavaMember method) {
        return method.getAllInvolvedRawTypes().stream()
                .anyMatch(type -> type.getPackageName()
                        .matches("(org\\.jooq|org\\.flywaydb|com\\.zaxxer|org\\.postgresql|io\\.zonky).*"));
    }
}
