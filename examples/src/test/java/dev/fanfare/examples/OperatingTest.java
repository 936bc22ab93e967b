package dev.fanfare.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ClientLimits;
import dev.fanfare.Fanfare;
import dev.fanfare.Rate;
import dev.fanfare.micrometer.FanfareMetrics;
import dev.fanfare.netty.NettyTransport;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The sample of README's chapter about operations, as it stands there. */
class OperatingTest {

    private Fanfare fanfare;
    private NettyTransport transport;

    private void start(String apiKey, int port) {
        // README: begin
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        FanfareMetrics metrics = FanfareMetrics.of(registry, "chat"); // namespaces to tell apart
        fanfare = Fanfare.builder()
                .namespace("chat", rules -> rules.retain(1_000, Duration.ofDays(1)))
                .limits(ClientLimits.standard().withPublishes(Rate.of(2, 10))) // per second, at once
                .listener(metrics)
                .build();
        metrics.watch(fanfare);
        transport = NettyTransport.builder(fanfare)
                .port(port)
                .connectRate(Rate.of(500, 1_000))
                .metrics(registry::scrape) // GET /metrics
                .apiKey(apiKey)
                .console() // GET /console/
                .start();
        // README: end
    }

    private void stop() {
        // README: begin
        fanfare.drain(Duration.ofSeconds(30)).toCompletableFuture().join(); // /health/ready says 503 from here on
        fanfare.close();
        transport.close();
        // README: end
    }

    @Test
    void theSampleIsMeasuredAndWatchedAndStops() throws Exception {
        start("secret", 0);

        assertThat(get("/metrics")).contains("fanfare_connections 0.0").contains("fanfare_up 1.0");
        assertThat(get("/console/")).contains("Console");
        assertThat(get("/health/ready")).contains("\"up\"");
        stop();
    }

    private String get(String path) throws IOException, InterruptedException {
        URI uri = URI.create("http://localhost:" + transport.port() + path);
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    @Test
    void theReadmeQuotesTheSampleAsItIs() throws IOException {
        String source = Files.readString(Path.of("src/test/java/dev/fanfare/examples/OperatingTest.java"));
        String readme = words(Files.readString(Path.of("../README.md")));
        String[] parts = source.split("// README: (begin|end)\n");

        assertThat(readme).contains(words(parts[1])).contains(words(parts[3]));
    }

    /** Leaves out what a formatter decides. */
    private static String words(String text) {
        return text.replaceAll("\\s+", "");
    }
}
