package dev.fanfare.examples;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.util.Iterator;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Starts both servers in this process and looks at what they answer, without any client library. */
class DemoIT {

    private static final Pattern LINK = Pattern.compile("(?:href|src)=\"(/[^\"#]*)\"|from '(\\.[^']+)'");
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final HttpClient http = HttpClient.newHttpClient();

    @Nested
    class TheDemo {

        @ParameterizedTest
        @ValueSource(strings = {"/", "/chat", "/stream"})
        void everyPageAndWhateverItLinksToIsThere(String page) throws Exception {
            try (Server server = DemoServer.start("127.0.0.1", 0)) {
                Set<URI> known = new TreeSet<>();
                Set<URI> toDo = new TreeSet<>(Set.of(uri(server, page)));
                while (!toDo.isEmpty()) {
                    URI next = toDo.iterator().next();
                    toDo.remove(next);
                    known.add(next);
                    HttpResponse<String> answer = get(next);

                    assertThat(answer.statusCode()).as("status of %s", next).isEqualTo(200);
                    assertThat(answer.headers().firstValue("content-type").orElse(""))
                            .as("type of %s", next)
                            .startsWith(expectedType(next));
                    if (!next.getPath().startsWith("/vendor")) {
                        links(next, answer.body())
                                .filter(link -> !known.contains(link))
                                .forEach(toDo::add);
                    }
                }

                assertThat(known).hasSizeGreaterThan(4);
            }
        }

        @Test
        void pagesMayOnlyLoadWhatTheServerItselfServes() throws Exception {
            try (Server server = DemoServer.start("127.0.0.1", 0)) {
                HttpResponse<String> chat = get(uri(server, "/chat"));

                assertThat(chat.body())
                        .contains("default-src 'none'; script-src 'self'")
                        .doesNotContain("https://");
                assertThat(chat.headers().firstValue("content-security-policy")).contains("frame-ancestors 'none'");
            }
        }

        @Test
        void metricsCountWhatIsPublished() throws Exception {
            try (Server server = DemoServer.start("127.0.0.1", 0)) {
                publish(server, "{\"channel\":\"news:today\",\"data\":{}}", DemoServer.API_KEY);

                assertThat(get(uri(server, "/metrics")).body())
                        .containsPattern("fanfare_publishes_total\\{[^}]*namespace=\"news\"[^}]*} 1\\.0");
            }
        }

        @Test
        void aNameIsGivenOnceAndItsTokenIsRecognised() throws Exception {
            try (Server server = DemoServer.start("127.0.0.1", 0)) {
                HttpResponse<String> first = signIn(server, "Ada");
                String token = JSON.readTree(first.body()).path("token").asText();

                assertThat(first.statusCode()).isEqualTo(200);
                assertThat(signIn(server, "ada").statusCode()).isEqualTo(409);
                assertThat(signIn(server, "<b>ada</b>").statusCode()).isEqualTo(400);
                assertThat(me(server, token).body()).contains("\"user\":\"ada\"");
                assertThat(me(server, "made up").statusCode()).isEqualTo(401);
            }
        }

        @Test
        void signingOutFreesTheName() throws Exception {
            try (Server server = DemoServer.start("127.0.0.1", 0)) {
                String token = JSON.readTree(signIn(server, "ada").body())
                        .path("token")
                        .asText();
                HttpRequest signOut = HttpRequest.newBuilder(uri(server, "/demo/sign-out"))
                        .header("Authorization", "Bearer " + token)
                        .POST(BodyPublishers.noBody())
                        .build();

                assertThat(http.send(signOut, BodyHandlers.ofString()).statusCode())
                        .isEqualTo(200);
                assertThat(me(server, token).statusCode()).isEqualTo(401);
                assertThat(signIn(server, "ada").statusCode()).isEqualTo(200);
            }
        }

        @Test
        void curlNeedsTheKeyToPublishAndNoneToReadAnOpenRoom() throws Exception {
            try (Server server = DemoServer.start("127.0.0.1", 0)) {
                String hello = "{\"channel\":\"chat:lobby\",\"data\":{\"user\":\"curl\",\"text\":\"hello\"}}";

                assertThat(publish(server, hello, "wrong").statusCode()).isEqualTo(401);
                assertThat(publish(server, hello, DemoServer.API_KEY).statusCode())
                        .isEqualTo(200);
                assertThat(firstData(server, "/sse?channel=chat:lobby&history=5"))
                        .isEqualTo("{\"user\":\"curl\",\"text\":\"hello\"}");
                assertThat(status(server, "/sse?channel=chat:leads")).isEqualTo(403);
            }
        }

        private HttpResponse<String> signIn(Server server, String name) throws Exception {
            String body = JSON.createObjectNode().put("name", name).toString();
            return http.send(
                    HttpRequest.newBuilder(uri(server, "/demo/sign-in"))
                            .POST(BodyPublishers.ofString(body))
                            .build(),
                    BodyHandlers.ofString());
        }

        private HttpResponse<String> me(Server server, String token) throws Exception {
            return http.send(
                    HttpRequest.newBuilder(uri(server, "/demo/me"))
                            .header("Authorization", "Bearer " + token)
                            .build(),
                    BodyHandlers.ofString());
        }
    }

    @Nested
    class TheBenchServer {

        @Test
        void whatIsPublishedReachesWebSocketAndEventStream() throws Exception {
            try (Server server = BenchServer.start("127.0.0.1", 0)) {
                BlockingQueue<String> frames = new LinkedBlockingQueue<>();
                WebSocket socket = open(server, frames);
                socket.sendText(
                                "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"plain:news\"}}",
                                true)
                        .join();
                awaitFrame(frames, "\"id\":2");

                assertThat(publish(server, "{\"channel\":\"plain:news\",\"data\":{\"n\":1}}", "")
                                .statusCode())
                        .isEqualTo(200);
                assertThat(awaitFrame(frames, "\"push\"").at("/push/pub/data/n").asInt())
                        .isEqualTo(1);
                socket.abort();

                assertThat(publish(server, "{\"channel\":\"bench:one\",\"data\":{\"n\":2}}", "")
                                .statusCode())
                        .isEqualTo(200);
                assertThat(firstData(server, "/sse?channel=bench:one&history=1"))
                        .isEqualTo("{\"n\":2}");
            }
        }
    }

    @Nested
    class TheCommandLine {

        @Test
        void aTakenPortIsSaidInOneLineAndWithoutAStackTrace() throws IOException {
            try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
                StringWriter err = new StringWriter();
                int code = Demo.run(
                        new PrintWriter(err),
                        "--memory",
                        "--host",
                        "127.0.0.1",
                        "--port",
                        String.valueOf(taken.getLocalPort()));

                assertThat(code).isEqualTo(Demo.PORT_UNUSABLE);
                assertThat(err.toString())
                        .contains("127.0.0.1:" + taken.getLocalPort())
                        .contains("taken")
                        .contains("--port")
                        .doesNotContain("Exception");
            }
        }

        @Test
        void aPortThatIsNoneIsRefused() {
            StringWriter err = new StringWriter();

            assertThat(Demo.run(new PrintWriter(err), "--port", "70000")).isEqualTo(2);
            assertThat(err.toString().lines())
                    .containsExactly("demo: --port must be in 0 to 65535: 70000", "./demo --help lists the options.");
        }

        @ParameterizedTest
        @CsvSource({"--memory,--data,x", "--memory,--redis,redis://localhost", "--data=x,--redis,redis://localhost"})
        void twoPlacesForTheRoomsAreRefused(String one, String other, String value) {
            StringWriter err = new StringWriter();

            assertThat(Demo.run(new PrintWriter(err), one, other, value)).isEqualTo(2);
            assertThat(err.toString()).contains("choose one");
        }

        @Test
        void aHostThatThereIsNotIsSaidInWords() {
            StringWriter err = new StringWriter();
            int code = Demo.run(new PrintWriter(err), "--memory", "--host", "[nowhere]", "--port", "0");

            assertThat(code).isEqualTo(Demo.PORT_UNUSABLE);
            assertThat(err.toString()).contains("no such host").doesNotContain("null");
        }
    }

    private static URI uri(Server server, String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }

    private static Stream<URI> links(URI page, String body) {
        return LINK.matcher(body)
                .results()
                .map(link -> link.group(1) != null ? link.group(1) : link.group(2))
                .map(page::resolve);
    }

    private static String expectedType(URI uri) {
        String path = uri.getPath();
        String extension = path.substring(path.lastIndexOf('.') + 1);
        return switch (extension) {
            case "js" -> "text/javascript";
            case "css" -> "text/css";
            case "svg" -> "image/svg+xml";
            default -> path.equals("/metrics") ? "text/plain" : "text/html";
        };
    }

    private HttpResponse<String> get(URI uri) throws Exception {
        return http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
    }

    private int status(Server server, String path) throws Exception {
        HttpResponse<Stream<String>> answer =
                http.send(HttpRequest.newBuilder(uri(server, path)).build(), BodyHandlers.ofLines());
        answer.body().close();
        return answer.statusCode();
    }

    private HttpResponse<String> publish(Server server, String body, String key) throws Exception {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(uri(server, "/api/publish")).POST(BodyPublishers.ofString(body));
        if (!key.isEmpty()) {
            request.header("X-API-Key", key);
        }
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private String firstData(Server server, String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri(server, path))
                .header("Accept", "text/event-stream")
                .build();
        HttpResponse<Stream<String>> answer = http.send(request, BodyHandlers.ofLines());
        assertThat(answer.statusCode()).isEqualTo(200);
        try (Stream<String> lines = answer.body()) {
            Iterator<String> line = lines.iterator();
            while (line.hasNext()) {
                String next = line.next();
                if (next.startsWith("data:")) {
                    return next.substring("data:".length()).strip();
                }
            }
        }
        throw new AssertionError("the stream ended without data");
    }

    private WebSocket open(Server server, BlockingQueue<String> frames) {
        StringBuilder partial = new StringBuilder();
        return http.newWebSocketBuilder()
                .buildAsync(
                        URI.create("ws://127.0.0.1:" + server.port() + "/connection/websocket"),
                        new WebSocket.Listener() {
                            @Override
                            public CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
                                partial.append(text);
                                if (last) {
                                    partial.toString().lines().forEach(frames::add);
                                    partial.setLength(0);
                                }
                                socket.request(1);
                                return null;
                            }
                        })
                .join();
    }

    @CanIgnoreReturnValue
    private static JsonNode awaitFrame(BlockingQueue<String> frames, String part) throws Exception {
        for (String frame = frames.poll(10, SECONDS); frame != null; frame = frames.poll(10, SECONDS)) {
            if (frame.contains(part)) {
                return JSON.readTree(frame);
            }
        }
        throw new AssertionError("no frame with " + part + " within 10 s");
    }
}
