package dev.fanfare.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Kills the demo's process, and starts it again on the same data. */
@Timeout(120)
class DemoRestartIT {

    private static final Pattern URL = Pattern.compile("(http://127\\.0\\.0\\.1:\\d+) +start here");

    private final HttpClient http = HttpClient.newHttpClient();
    private final List<Process> processes = new ArrayList<>();

    @TempDir
    private Path directory;

    @AfterEach
    void killAll() {
        processes.forEach(process -> {
            process.destroyForcibly();
            process.onExit().join();
        });
    }

    @Test
    void whatWasSaidSurvivesAKillAndWhoComesBackGetsWhatItMissed() throws Exception {
        String before = start();
        say(before, "one");
        say(before, "two");
        List<Event> seen = events(before, "&history=2", "", 2);
        assertThat(seen).extracting(Event::data).containsExactly(json("one"), json("two"));
        say(before, "three");
        killAll();

        String after = start();
        say(after, "four");

        assertThat(events(after, "&history=9", "", 4))
                .extracting(Event::data)
                .containsExactly(json("one"), json("two"), json("three"), json("four"));
        assertThat(events(after, "", seen.get(1).id(), 2))
                .as("resumed with the id that it had before the kill")
                .extracting(Event::data)
                .containsExactly(json("three"), json("four"));
    }

    @Test
    void aSecondProcessOnTheSameDataIsToldWhatToDo() throws Exception {
        start();
        StringWriter err = new StringWriter();

        int code = Demo.run(new PrintWriter(err), "--port", "0", "--data", directory.toString());

        assertThat(code).isEqualTo(Demo.DATA_UNUSABLE);
        assertThat(err.toString())
                .contains(directory.toString())
                .contains("in use by another process")
                .contains("--memory");
    }

    @Test
    void dataThatCannotBeOpenedAreToldInOneLine() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));

        Process process = process(file);

        List<String> lines = process.inputReader().lines().collect(Collectors.toUnmodifiableList());
        assertThat(lines)
                .filteredOn(line -> line.startsWith("demo: ")) // a JVM may have something to say too
                .containsExactly("demo: " + file + " is a file and no directory; choose another directory with --data,"
                        + " or keep everything in memory with --memory");
        assertThat(lines).noneMatch(line -> line.startsWith("\tat "));
        assertThat(process.waitFor()).isEqualTo(Demo.DATA_UNUSABLE);
    }

    private Process process(Path data) throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Demo.class.getName(),
                        "--host",
                        "127.0.0.1",
                        "--port",
                        "0",
                        "--data",
                        data.toString())
                .redirectErrorStream(true)
                .start();
        processes.add(process);
        return process;
    }

    @CanIgnoreReturnValue
    private String start() throws IOException {
        Process process = process(directory);
        StringBuilder output = new StringBuilder();
        BufferedReader reader = process.inputReader();
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            output.append(line).append('\n');
            Matcher url = URL.matcher(line);
            if (url.find()) {
                return url.group(1);
            }
        }
        throw new AssertionError("The demo did not start:\n" + output);
    }

    private void say(String url, String text) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/api/publish"))
                .header("X-API-Key", DemoServer.API_KEY)
                .POST(BodyPublishers.ofString("{\"channel\":\"chat:lobby\",\"data\":" + json(text) + "}"))
                .build();
        assertThat(http.send(request, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
    }

    private static String json(String text) {
        return "{\"user\":\"curl\",\"text\":\"" + text + "\"}";
    }

    private List<Event> events(String url, String query, String lastId, int count) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + "/sse?channel=chat:lobby" + query))
                .header("Accept", "text/event-stream");
        if (!lastId.isEmpty()) {
            request.header("Last-Event-ID", lastId);
        }
        List<Event> events = new ArrayList<>();
        try (Stream<String> lines =
                http.send(request.build(), BodyHandlers.ofLines()).body()) {
            String id = "";
            Iterator<String> line = lines.iterator();
            while (events.size() < count && line.hasNext()) {
                String next = line.next();
                if (next.startsWith("id:")) {
                    id = next.substring(3).strip();
                } else if (next.startsWith("data:") && next.contains("\"user\":\"curl\"")) {
                    events.add(new Event(id, next.substring(5).strip()));
                }
            }
        }
        return events;
    }

    private record Event(String id, String data) {}
}
