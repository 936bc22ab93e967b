package dev.fanfare.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authenticator;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddingTest {

    @Test
    void theSamplePublishesAndReceives() throws Exception {
        BlockingQueue<String> log = new LinkedBlockingQueue<>();
        try (Server server = Embedding.start(0, log::add)) {
            List<String> lines = List.of(log.poll(10, SECONDS), log.poll(10, SECONDS));

            assertThat(lines).contains("{\"text\":\"hello\"}").anyMatch(line -> line.startsWith("chat:lobby: Stored["));
            assertThat(server.port()).isPositive();
        }
    }

    @Test
    void theSampleForTokensLetsNobodyInWithoutOne() throws Exception {
        byte[] secret = "0123456789abcdef0123456789abcdef".getBytes(UTF_8);
        try (Server server = Identity.start(0, secret)) {
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create("http://localhost:" + server.port() + "/sse?channel=lobby"))
                    .build();
            HttpResponse<String> answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
            String ticket = server.fanfare()
                    .tickets()
                    .issue(Authenticator.Accepted.user("ann"))
                    .toCompletableFuture()
                    .get(10, SECONDS);
            HttpRequest withTicket = HttpRequest.newBuilder(
                            URI.create("http://localhost:" + server.port() + "/sse?channel=lobby&ticket=" + ticket))
                    .build();
            HttpResponse<InputStream> stream =
                    HttpClient.newHttpClient().send(withTicket, BodyHandlers.ofInputStream());

            assertThat(answer.statusCode()).isEqualTo(401);
            assertThat(stream.statusCode()).isEqualTo(200);
            stream.body().close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Embedding", "Identity", "BatchProgress", "Orders"})
    void theReadmeQuotesTheSampleAsItIs(String name) throws IOException {
        String source = Files.readString(Path.of("src/main/java/dev/fanfare/examples/" + name + ".java"));
        String sample = source.substring(source.indexOf("// README: begin") + 16, source.indexOf("// README: end"));

        assertThat(words(Files.readString(Path.of("../README.md"))))
                .contains(words(sample.replace("port(port)", "port(8080)")));
    }

    /** Leaves out what a formatter decides. */
    private static String words(String text) {
        return text.replaceAll("\\s+", "");
    }
}
