package dev.agentpipe.db;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
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
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What is said about PostgreSQL outside of this package is said in its terms, not in those of its libraries. */
final class ArchitectureTest {

    private static final String[] LIBRARIES = {
        "org.jooq..",
        "org.flywaydb..",
        "com.zaxxer.hikari..",
        "org.postgresql..",
        "io.zonky..",
        "java.sql..",
        "javax.sql.."
    };

    private final JavaClasses all = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.agentpipe");

    @Test
    void databaseLibraries_areUsedInDbAlone() {
        assertTrue(all.containPackage("dev.agentpipe.core.log"), "no classes of core found");
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.agentpipe.db..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(LIBRARIES)
                .check(all);
    }

    @Test
    void publicApi_isSmallAndShowsNoLibrary() {
        JavaClasses exposed = all.that(DescribedPredicate.describe(
                "public types of db",
                type -> type.getPackageName().equals("dev.agentpipe.db")
                        && type.getModifiers().contains(JavaModifier.PUBLIC)));
        assertEquals(
                Set.of(
                        "Conversation",
                        "ConversationFilter",
                        "ConversationOrder",
                        "ConversationPlace",
                        "Conversations",
                        "Database",
                        "DatabaseSettings",
                        "DatabaseStartException",
                        "IdleConversation",
                        "LocalPostgres",
                        // of keys and what is made from them
                        "ApiKeys",
                        "KeyTokens",
                        "StoredKey",
                        "Message",
                        "MessagePlace",
                        "Search",
                        "SearchIndex",
                        "Transcript",
                        "Transcripts",
                        "Usage",
                        "UsageRange",
                        "UsageSummary",
                        "WebDatabase",
                        "WebDatabaseException",
                        "WebRow"),
                exposed.stream()
                        .filter(JavaClass::isTopLevelClass)
                        .map(JavaClass::getSimpleName)
                        .collect(Collectors.toCollection(TreeSet::new)));
        noMethods()
                .that()
                .arePublic()
                .should(new ArchCondition<JavaMethod>("mention a library's type") {
                    @Override
                    public void check(JavaMethod method, ConditionEvents events) {
                        events.add(new SimpleConditionEvent(method, mentionsLibrary(method), method.getFullName()));
                    }
                })
                .check(exposed);
    }

    private static boolean mentionsLibrary(JavaMember method) {
        return method.getAllInvolvedRawTypes().stream()
                .anyMatch(type -> type.getPackageName()
                        .matches("(org\\.jooq|org\\.flywaydb|com\\.zaxxer|org\\.postgresql|io\\.zonky).*"));
    }
}
