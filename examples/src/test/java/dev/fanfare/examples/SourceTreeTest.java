package dev.fanfare.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds what can only be seen in the sources of all modules: what the documents name exists, and no test sleeps. */
class SourceTreeTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    /** A test as documents name it: {@code ResumeTest}, {@code ResumeTest.method}, {@code LogContract.clause3…}. */
    private static final Pattern TEST_NAME = Pattern.compile("`(\\w+(?:Test|IT|Contract|Cases))(?:\\.(\\w+)(…?))?`");

    private static final Pattern SLEEP = Pattern.compile("\\.sleep\\(");

    /** The only tests that may sleep, and why. */
    private static final Set<String> SLEEPERS = Set.of(
            "StressTest.java", // lets time fly and faults come and go at random
            "DrainIT.java", // spaces out what it publishes
            "AppendBenchmark.java", // measures
            "OutboxCases.java", // waits for a database
            "RedisControlContract.java"); // lets real leases run out

    @Test
    void everyTestThatADocumentNamesExists() {
        Map<String, String> sources = sources("src");
        List<String> missing = new ArrayList<>();

        for (Path document : documents()) {
            Matcher names = TEST_NAME.matcher(read(document));
            while (names.find()) {
                String source = sources.get(names.group(1) + ".java");
                String method = names.group(2);
                String declaration =
                        method + (names.group(3) == null || names.group(3).isEmpty() ? "(" : "");
                if (source == null || (method != null && !source.contains(" " + declaration))) {
                    missing.add(document.getFileName() + " names " + names.group());
                }
            }
        }

        assertThat(sources).hasSizeGreaterThan(300);
        assertThat(missing).isEmpty();
    }

    @Test
    void noTestSleeps() {
        List<String> sleeping = sources("test").entrySet().stream()
                .filter(source -> SLEEP.matcher(source.getValue()).find())
                .map(Map.Entry::getKey)
                .filter(name -> !SLEEPERS.contains(name))
                .toList();

        assertThat(sleeping).isEmpty();
    }

    private static List<Path> documents() {
        return walk(ROOT, path -> path.toString().endsWith(".md") && !isBuilt(path));
    }

    /** Returns the texts of all Java files below a folder of that name, by file name. */
    private static Map<String, String> sources(String folder) {
        return walk(ROOT, path -> path.toString().endsWith(".java") && !isBuilt(path) && lies(path, folder)).stream()
                .collect(Collectors.toMap(
                        path -> path.getFileName().toString(),
                        SourceTreeTest::read,
                        (first, second) -> first + second));
    }

    private static boolean lies(Path path, String folder) {
        return names(ROOT.relativize(path)).anyMatch(folder::equals);
    }

    private static boolean isBuilt(Path path) {
        return names(ROOT.relativize(path)).anyMatch(Set.of("target", "node_modules", ".git")::contains);
    }

    private static Stream<String> names(Path path) {
        List<String> names = new ArrayList<>();
        path.forEach(name -> names.add(name.toString()));
        return names.stream();
    }

    private static List<Path> walk(Path root, Predicate<Path> wanted) {
        try (Stream<Path> all = Files.walk(root)) {
            return all.filter(wanted).toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
