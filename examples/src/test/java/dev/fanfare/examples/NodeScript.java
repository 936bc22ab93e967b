package dev.fanfare.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;

/**
 * Runs a script of {@code src/test/js} under Node.js and gives each of its tests as a JUnit test. Where
 * Node.js or Chromium is missing, the tests are skipped with a loud line; with {@code CI=true} they fail.
 */
final class NodeScript {

    private static final int OLDEST_NODE = 20;
    private static final Duration LONGEST = Duration.ofMinutes(4);
    private static final String RESULT = "##test ";
    private static final List<String> BROWSERS = List.of("chromium", "chromium-browser", "google-chrome");
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private NodeScript() {}

    /** Runs a script that needs no browser. */
    static List<DynamicTest> run(String script, Map<String, String> environment) throws Exception {
        Optional<String> missing = missingNode();
        return missing.isPresent() ? notTested(missing.get()) : start(install(), script, environment);
    }

    /** Runs a script that drives Chromium. */
    static List<DynamicTest> runInBrowser(String script, Map<String, String> environment) throws Exception {
        Optional<Path> browser = BROWSERS.stream()
                .map(NodeScript::onPath)
                .flatMap(Optional::stream)
                .findFirst();
        Optional<String> missing = missingNode();
        if (missing.isPresent() || browser.isEmpty()) {
            return notTested(missing.orElse("Chromium is not on the PATH: install Debian's package chromium"));
        }
        Path screenshots = Files.createDirectories(Path.of("target", "screenshots"));
        Map<String, String> more = new HashMap<>(environment);
        more.put("CHROMIUM", browser.get().toString());
        more.put("SCREENSHOTS", screenshots.toAbsolutePath().toString());
        return start(install(), script, more);
    }

    private static Optional<String> missingNode() throws IOException {
        if (onPath("node").isEmpty() || onPath("npm").isEmpty()) {
            return Optional.of("node or npm is not on the PATH: install Node.js " + OLDEST_NODE + " or newer, and npm");
        }
        Process node = start(new ProcessBuilder("node", "--version"));
        String version = new String(node.getInputStream().readAllBytes(), UTF_8).strip();
        Matcher major = Pattern.compile("v(\\d+)\\..*").matcher(version);
        return major.matches() && Integer.parseInt(major.group(1)) >= OLDEST_NODE
                ? Optional.empty()
                : Optional.of("node is " + version + ": install Node.js " + OLDEST_NODE + " or newer");
    }

    /** One test in place of all: it fails where these tools must be there, and otherwise is skipped, loudly. */
    private static List<DynamicTest> notTested(String why) {
        return List.of(dynamicTest("not tested: " + why, () -> {
            if ("true".equalsIgnoreCase(System.getenv("CI"))) {
                Assertions.fail("With CI=true this must be tested. " + why);
            }
            String stars = "*".repeat(100);
            System.err.printf("%n%s%nNOT TESTED: %s%n%s%n%n", stars, why, stars);
            Assumptions.abort(why);
        }));
    }

    private static Optional<Path> onPath(String command) {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of(path.split(File.pathSeparator))
                .map(folder -> Path.of(folder, command))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /**
     * Copies the scripts to {@code target/js}; fetches the packages there unless the lock file is unchanged. One thread of
     * one test process does so at a time.
     */
    private static synchronized Path install() throws IOException, InterruptedException {
        Path home = Files.createDirectories(Path.of("target", "js"));
        try (FileChannel turn = FileChannel.open(home.resolve(".turn"), CREATE, WRITE);
                FileLock held = turn.lock()) {
            Assertions.assertTrue(held.isValid());
            return install(home);
        }
    }

    private static Path install(Path home) throws IOException, InterruptedException {
        Path source = Path.of("src", "test", "js");
        try (Stream<Path> files = Files.list(source)) {
            for (Path file : files.toList()) {
                copyIfChanged(file, home.resolve(file.getFileName()));
            }
        }
        Path lock = home.resolve("package-lock.json");
        Path installed = home.resolve("node_modules/.installed");
        if (!Files.exists(installed) || Files.mismatch(lock, installed) >= 0) {
            Process npm = start(new ProcessBuilder(
                            "npm",
                            "ci",
                            "--prefer-offline",
                            "--ignore-scripts",
                            "--no-audit",
                            "--no-fund",
                            "--loglevel=error")
                    .directory(home.toFile()));
            String said = new String(npm.getInputStream().readAllBytes(), UTF_8);
            Assertions.assertEquals(0, npm.waitFor(), "npm ci in " + home.toAbsolutePath() + "\n" + said);
            Files.copy(lock, installed, StandardCopyOption.REPLACE_EXISTING);
        }
        return home;
    }

    /** Leaves alone what another test process may be reading. */
    private static void copyIfChanged(Path from, Path to) throws IOException {
        if (!Files.exists(to) || Files.mismatch(from, to) >= 0) {
            Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static List<DynamicTest> start(Path home, String script, Map<String, String> environment)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder("node", script).directory(home.toFile());
        builder.environment().putAll(environment);
        Process node = start(builder);
        List<DynamicTest> tests = new ArrayList<>();
        StringBuilder said = new StringBuilder();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(node.getInputStream(), UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith(RESULT)) {
                    tests.add(result(JSON.readTree(line.substring(RESULT.length()))));
                } else {
                    said.append(line).append('\n');
                    System.out.println(script + ": " + line);
                }
            }
        }
        boolean ended = node.waitFor(10, TimeUnit.SECONDS);
        tests.add(dynamicTest("the script runs to its end", () -> {
            Assertions.assertTrue(ended, "it did not end");
            Assertions.assertEquals(0, node.exitValue(), said.toString());
            Assertions.assertTrue(tests.size() > 1, "it tested nothing");
        }));
        return tests;
    }

    /** Starts it, and ends it with all that it started if it takes too long: what it says has an end in any case. */
    private static Process start(ProcessBuilder builder) throws IOException {
        Process process = builder.redirectErrorStream(true).start();
        process.onExit().copy().orTimeout(LONGEST.toSeconds(), TimeUnit.SECONDS).whenComplete((ended, late) -> {
            if (late != null) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        });
        return process;
    }

    private static DynamicTest result(JsonNode result) {
        String name = result.path("name").asText();
        String failure = result.path("failure").asText("");
        boolean failed = !result.path("failure").isNull();
        return dynamicTest(name, () -> {
            if (failed) {
                Assertions.fail(name + "\n" + failure);
            }
        });
    }
}
