package dev.fanfare.examples;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

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
    void theReadmeQuotesTheSampleAsItIs() throws IOException {
        String source = Files.readString(Path.of("src/main/java/dev/fanfare/examples/Embedding.java"));
        String sample = source.substring(source.indexOf("// README: begin") + 16, source.indexOf("// README: end"));

        assertThat(words(Files.readString(Path.of("../README.md"))))
                .contains(words(sample.replace("port(port)", "port(8080)")));
    }

    /** Leaves out what a formatter decides. */
    private static String words(String text) {
        return text.replaceAll("\\s+", "");
    }
}
