package dev.fanfare.examples;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaModifier.PROTECTED;
import static com.tngtech.archunit.core.domain.JavaModifier.PUBLIC;
import static com.tngtech.archunit.lang.conditions.ArchConditions.haveRawType;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;
import org.slf4j.Logger;

/** Holds the arrows between modules and packages, for every module that the examples use. */
@AnalyzeClasses(
        packages = "dev.fanfare",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureTest.NoServers.class})
class ArchitectureTest {

    /** Leaves out what starts real servers for tests: it sleeps and looks at the clock. */
    static final class NoServers implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("dev/fanfare/servers/");
        }
    }

    private static final String ROOT = "dev.fanfare";
    private static final String PRESENCE = "dev.fanfare.presence";
    private static final String SPI = "dev.fanfare.spi";
    private static final String MEMORY = "dev.fanfare.memory";
    private static final String INTERNAL = "dev.fanfare.internal..";
    private static final String NETTY = "dev.fanfare.netty..";
    private static final String[] STORES = {"dev.fanfare.redis..", "dev.fanfare.jdbc.."};
    private static final String JWT = "dev.fanfare.jwt..";
    private static final String MICROMETER = "dev.fanfare.micrometer..";
    private static final String TESTKIT = "dev.fanfare.testkit..";
    private static final String EXAMPLES = "dev.fanfare.examples..";

    private static final String[] CORE = {ROOT, PRESENCE, SPI, MEMORY, INTERNAL};
    private static final String[] EXPORTED = {
        ROOT,
        PRESENCE,
        SPI,
        MEMORY,
        "dev.fanfare.netty",
        "dev.fanfare.jwt",
        "dev.fanfare.micrometer",
        "dev.fanfare.spring",
        "dev.fanfare.redis",
        "dev.fanfare.jdbc",
        "dev.fanfare.testkit"
    };
    private static final String[] ADAPTERS = {
        NETTY, JWT, MICROMETER, "dev.fanfare.spring..", TESTKIT, EXAMPLES, "dev.fanfare.redis..", "dev.fanfare.jdbc.."
    };

    /** The only classes that may look at a clock themselves; everybody else is given the time. */
    private static final Set<String> CLOCKS = Set.of(
            "dev.fanfare.internal.SystemTime", // the real time source
            "dev.fanfare.spi.LogLine", // spaces out log lines; no behaviour hangs on it
            "dev.fanfare.internal.Threads", // bounds the wait of close() by real time, also under a manual clock
            "dev.fanfare.testkit.BusContract", // bounds how long a bus may take to recover
            "dev.fanfare.memory.Clock"); // the memory store's real clock

    /** A rule about a package that is not on the class path would hold whatever is in it. */
    @ArchTest
    static void everyPackageNamedHereHasClasses(JavaClasses classes) {
        Stream.of(CORE, EXPORTED, ADAPTERS)
                .flatMap(Stream::of)
                .forEach(name -> assertThat(classes.that(resideInAPackage(name)))
                        .as("classes in " + name)
                        .isNotEmpty());
    }

    // Between modules

    @ArchTest
    static final ArchRule coreKnowsNoOtherModule = noClasses()
            .that()
            .resideInAnyPackage(CORE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(ADAPTERS);

    @ArchTest
    static final ArchRule coreKnowsOnlyTheJdkAndSlf4j = classes()
            .that()
            .resideInAnyPackage(CORE)
            .should()
            .onlyDependOnClassesThat(resideInAnyPackage(CORE)
                    .or(resideInAnyPackage(
                            "java..",
                            "org.slf4j..",
                            "org.jspecify.annotations",
                            "com.google.errorprone.annotations..")));

    @ArchTest
    static final ArchRule coreNamesNoNettyLettuceOrJdbcType = noClasses()
            .that()
            .resideInAnyPackage(CORE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.netty..", "io.lettuce..", "java.sql..", "javax.sql..");

    @ArchTest
    static final ArchRule adaptersKnowOnlyWhatCoreExports = noClasses()
            .that()
            .resideInAnyPackage(ADAPTERS)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(INTERNAL);

    @ArchTest
    static final ArchRule adaptersDoNotKnowEachOther = slices().matching(
                    "dev.fanfare.(netty|jwt|micrometer|redis|jdbc|testkit)..")
            .should()
            .notDependOnEachOther();

    @ArchTest
    static final ArchRule nobodyKnowsTheExamples = noClasses()
            .that()
            .resideOutsideOfPackage(EXAMPLES)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(EXAMPLES);

    @ArchTest
    static final ArchRule examplesUseOnlyTheFrontDoorOfTheTransport = noClasses()
            .that()
            .resideInAPackage(EXAMPLES)
            .should()
            .dependOnClassesThat(resideInAPackage(NETTY).and(not(resideInAPackage("dev.fanfare.netty"))));

    // Between the packages of core. What users name and what stores and transports implement name each other
    // (Fanfare.gateway(), FanfareBuilder.store()), and the builder starts the engine; all other arrows are:
    // internal -> memory -> spi -> presence -> dev.fanfare.

    @ArchTest
    static final ArchRule onlyTheBuilderStartsTheEngine = noClasses()
            .that(resideInAnyPackage(ROOT, PRESENCE, SPI, MEMORY).and(not(named("dev.fanfare.FanfareBuilder"))))
            .should()
            .dependOnClassesThat()
            .resideInAPackage(INTERNAL);

    @ArchTest
    static final ArchRule theBuilderKnowsOnlyTheEnginesDoor = classes()
            .that()
            .haveFullyQualifiedName("dev.fanfare.FanfareBuilder")
            .should()
            .onlyDependOnClassesThat(not(resideInAPackage(INTERNAL))
                    .or(named("dev.fanfare.internal.Engine"))
                    .or(named("dev.fanfare.internal.Settings"))
                    .or(named("dev.fanfare.internal.StoreParts")));

    @ArchTest
    static final ArchRule presenceKnowsOnlyTheRoot = coreArrows(PRESENCE, ROOT);

    @ArchTest
    static final ArchRule theRootKnowsPresenceAndSpi = noClasses()
            .that()
            .resideInAPackage(ROOT)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(MEMORY);

    @ArchTest
    static final ArchRule spiKnowsOnlyTheRootAndPresence = coreArrows(SPI, ROOT, PRESENCE);

    @ArchTest
    static final ArchRule theMemoryStoreKnowsWhatEveryStoreKnows = coreArrows(MEMORY, ROOT, PRESENCE, SPI);

    @ArchTest
    static final ArchRule onlyTheEngineNamesTheMemoryStore = noClasses()
            .that(resideInAnyPackage(CORE)
                    .and(not(resideInAPackage(MEMORY)))
                    .and(not(named("dev.fanfare.internal.Engine"))))
            .should()
            .dependOnClassesThat()
            .resideInAPackage(MEMORY);

    @ArchTest
    static final ArchRule thePackagesOfTheTransportHaveNoCycles =
            slices().matching("dev.fanfare.netty.(*)..").should().beFreeOfCycles();

    // What the outside sees

    @ArchTest
    static final ArchRule exportedSignaturesNameNothingInternal = classes()
            .that()
            .resideInAnyPackage(EXPORTED)
            .and()
            .arePublic()
            .should(haveSignaturesWithout(describe(
                    "types that no module exports",
                    type -> resideInAPackage("dev.fanfare..").test(type)
                            && !resideInAnyPackage(EXPORTED).test(type))));

    @ArchTest
    static final ArchRule exportedSignaturesOfTheTransportNameNoNettyType = classes()
            .that()
            .resideInAPackage("dev.fanfare.netty")
            .and()
            .arePublic()
            .should(haveSignaturesWithout(resideInAPackage("io.netty..")));

    // Names, clocks, chance

    @ArchTest
    static final ArchRule namesSayWhatThingsAre = noClasses()
            .that()
            .resideInAPackage("dev.fanfare..")
            .should()
            .haveNameMatching(".*(Util|Utils|Utility|Helper|Manager|Impl|Common)([A-Z$].*)?")
            .orShould()
            .resideInAnyPackage("..util..", "..common..", "..helper..", "..manager..", "..impl..", "..base..");

    /** Stores go by the clock of their server; what they look at here is how long something takes. */
    @ArchTest
    static final ArchRule onlyClocksLookAtTheClock = noClasses()
            .that(not(resideInAnyPackage(STORES)))
            .and(not(describe(
                    "are clocks",
                    type -> CLOCKS.stream()
                            .anyMatch(name -> type.getName().equals(name)
                                    || type.getName().startsWith(name + "$")))))
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(java.time.Instant.class, "now");

    /** Lines about what goes wrong are spaced out, and tell what they are about as key-value pairs. */
    @ArchTest
    static final ArchRule whatGoesWrongIsLoggedByLogLines = noClasses()
            .should()
            .callMethodWhere(describe(
                    "is Logger.warn or Logger.error",
                    call -> call.getTargetOwner().isEquivalentTo(Logger.class)
                            && Set.of("warn", "error").contains(call.getName())));

    /** A line is a sentence that is always the same; what varies are key-value pairs. */
    @ArchTest
    static final ArchRule nothingIsFilledIntoLogLines = noClasses()
            .should()
            .callMethodWhere(describe(
                    "fills something into a message",
                    call -> call.getTargetOwner().isEquivalentTo(Logger.class)
                            && Set.of("trace", "debug", "info").contains(call.getName())
                            && !call.getTarget().getRawParameterTypes().stream()
                                    .skip(1)
                                    .allMatch(type -> type.isEquivalentTo(Throwable.class))));

    /** The JDBC store may: it has threads of its own that wait for the database. */
    @ArchTest
    static final ArchRule nobodySleeps = noClasses()
            .that(not(resideInAPackage("dev.fanfare.jdbc..")))
            .should()
            .callMethod(Thread.class, "sleep", long.class)
            .orShould()
            .callMethod(Thread.class, "sleep", long.class, int.class)
            .orShould()
            .callMethod(TimeUnit.class, "sleep", long.class);

    @ArchTest
    static final ArchRule chanceIsSeededOrStrong =
            noClasses().should().callConstructor(Random.class).orShould().callMethod(Math.class, "random");

    @ArchTest
    static final ArchRule nobodyPrintsExceptTheDemo = noClasses()
            .that(not(named("dev.fanfare.examples.Demo")))
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err");

    /** Several in one JVM have nothing in common. A thread's own is nobody else's, and who updates fields has no state. */
    @ArchTest
    static final ArchRule nothingThatChangesIsStatic = noFields()
            .that()
            .areStatic()
            .should(haveRawType(describe(
                    "something that changes",
                    type -> Stream.of(Collection.class, ConcurrentMap.class, LongAdder.class)
                                    .anyMatch(type::isAssignableTo)
                            && !type.isEquivalentTo(List.class)
                            && !type.isEquivalentTo(Set.class))))
            .orShould(haveRawType(resideInAPackage("java.util.concurrent.atomic")
                    .and(not(describe("updaters", type -> type.getName().endsWith("FieldUpdater"))))))
            .orShould()
            .notBeFinal();

    @ArchTest
    static final ArchRule theLibraryHasNoShutdownHooks = noClasses()
            .that()
            .resideOutsideOfPackage(EXAMPLES)
            .should()
            .callMethod(Runtime.class, "addShutdownHook", Thread.class);

    private static ArchRule coreArrows(String from, String... to) {
        return noClasses()
                .that()
                .resideInAPackage(from)
                .should()
                .dependOnClassesThat(resideInAnyPackage(CORE)
                        .and(not(resideInAPackage(from)))
                        .and(not(resideInAnyPackage(to))));
    }

    private static DescribedPredicate<JavaClass> named(String name) {
        return describe(
                "are " + name,
                type -> type.getName().equals(name) || type.getName().startsWith(name + "$"));
    }

    private static ArchCondition<JavaClass> haveSignaturesWithout(DescribedPredicate<? super JavaClass> banned) {
        return new ArchCondition<>("have signatures without " + banned.getDescription()) {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                Stream.concat(type.getRawInterfaces().stream(), type.getRawSuperclass().stream())
                        .filter(banned)
                        .forEach(parent -> report(events, type, type.getName() + " extends " + parent.getName()));
                for (JavaMember member : type.getMembers()) {
                    if (member.getModifiers().contains(PUBLIC)
                            || member.getModifiers().contains(PROTECTED)) {
                        named(member)
                                .filter(banned)
                                .forEach(part ->
                                        report(events, type, member.getFullName() + " names " + part.getName()));
                    }
                }
            }
        };
    }

    private static Stream<JavaClass> named(JavaMember member) {
        Stream<JavaType> types = Stream.empty();
        if (member instanceof JavaField field) {
            types = Stream.of(field.getType());
        } else if (member instanceof JavaCodeUnit method) {
            types = Stream.concat(Stream.of(method.getReturnType()), method.getParameterTypes().stream());
        }
        return types.flatMap(type -> type.getAllInvolvedRawTypes().stream());
    }

    private static void report(ConditionEvents events, JavaClass type, String message) {
        events.add(SimpleConditionEvent.violated(type, message));
    }
}
