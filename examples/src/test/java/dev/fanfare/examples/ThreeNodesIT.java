package dev.fanfare.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.servers.RedisServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The demo on three nodes over a real Redis, with a headless Chromium on each. */
class ThreeNodesIT {

    @TestFactory
    List<DynamicTest> inChromium() throws Exception {
        try (RedisServer redis = RedisServer.start();
                DemoNodes nodes = DemoNodes.start("127.0.0.1", 0, 3, redis.uri())) {
            String urls = nodes.ports().stream()
                    .map(port -> "http://127.0.0.1:" + port)
                    .collect(Collectors.joining(","));
            return NodeScript.runInBrowser(
                    "three-nodes.mjs",
                    Map.of(
                            "FANFARE_URLS",
                            urls,
                            "FANFARE_URL",
                            urls.substring(0, urls.indexOf(',')),
                            "FANFARE_REDIS_PORT",
                            String.valueOf(redis.port())));
        }
    }

    @Test
    void eachNodeTellsHowItsRedisStoreIs() throws Exception {
        try (RedisServer redis = RedisServer.start();
                DemoNodes nodes = DemoNodes.start("127.0.0.1", 0, 2, redis.uri())) {
            for (int port : nodes.ports()) {
                HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                        .timeout(Duration.ofSeconds(20))
                        .build();

                String metrics = HttpClient.newHttpClient()
                        .send(request, BodyHandlers.ofString())
                        .body();

                assertThat(metrics).contains("fanfare_redis_breaker 0.0", "fanfare_redis_reconnects_total 0.0");
            }
        }
    }

    @Test
    void withoutRedisItSaysHowToStartOne() {
        StringWriter err = new StringWriter();

        assertThat(Demo.run(new PrintWriter(err), "--nodes", "3")).isEqualTo(2);

        assertThat(err.toString()).contains("redis-server", "docker run", "--redis redis://localhost:6379");
    }

    @Test
    void whatIsNoAddressOrLacksThePasswordSaysWhatToDo() {
        StringWriter err = new StringWriter();
        try (RedisServer redis = RedisServer.start("--requirepass", "secret")) {
            assertThat(Demo.run(new PrintWriter(err), "--port", "0", "--redis", redis.uri()))
                    .isEqualTo(Demo.REDIS_UNUSABLE);
        }
        assertThat(err.toString())
                .contains("NOAUTH", "Give user and password in the address")
                .doesNotContain("apt install");

        assertThat(Demo.run(new PrintWriter(err), "--redis", "localhost:6379")).isEqualTo(2);
        assertThat(err.toString()).contains("--redis wants an address such as redis://");
    }

    @Test
    void whenRedisIsNotThereItSaysSo() {
        StringWriter err = new StringWriter();

        assertThat(Demo.run(new PrintWriter(err), "--port", "0", "--nodes", "3", "--redis", "redis://127.0.0.1:1"))
                .isEqualTo(Demo.REDIS_UNUSABLE);

        assertThat(err.toString()).contains("cannot be reached", "redis-server");
    }
}
