package dev.fanfare.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.fanfare.Authorizer;
import dev.fanfare.Fanfare;
import dev.fanfare.jdbc.JdbcStore;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.redis.RedisStore;
import dev.fanfare.servers.PostgresServer;
import dev.fanfare.servers.RedisServer;
import dev.fanfare.spi.Store;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A client whose stream is on one node and whose commands land on another, on real stores. */
@Timeout(90)
class EmulationAcrossNodesIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    /** A node with a store of its own. */
    private final class Node {
        final Fanfare fanfare;
        final NettyTransport transport;

        Node(Store store) {
            fanfare = Fanfare.builder()
                    .store(store)
                    .namespace("", rules -> rules.retain(100, Duration.ofMinutes(5)))
                    .authorizer(Authorizer.allowAll())
                    .build();
            open.push(fanfare);
            transport = NettyTransport.builder(fanfare)
                    .host("localhost")
                    .port(0)
                    .eventLoopThreads(1)
                    .start();
            open.push(transport);
        }

        HttpRequest post(String path, String body) {
            return HttpRequest.newBuilder(URI.create("http://localhost:" + transport.port() + path))
                    .timeout(PATIENCE)
                    .POST(HttpRequest.BodyPublishers.ofString(body))
                    .build();
        }
    }

    @AfterEach
    void close() throws Exception {
        while (!open.isEmpty()) {
            open.pop().close();
        }
    }

    @Test
    void onRedis() throws Exception {
        RedisServer redis = RedisServer.start();
        open.push(redis);
        commandsReachTheirStreamInOrder(() -> {
            RedisStore store = RedisStore.of(redis.uri());
            open.push(store);
            return store;
        });
    }

    @Test
    void onPostgres() throws Exception {
        PostgresServer postgres = PostgresServer.start("-c", "fsync=off");
        open.push(postgres);
        commandsReachTheirStreamInOrder(() -> {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(postgres.url());
            config.setMaximumPoolSize(6);
            HikariDataSource pool = new HikariDataSource(config);
            open.push(pool);
            JdbcStore store = JdbcStore.of(pool);
            open.push(store);
            store.migrate();
            return store;
        });
    }

    private void commandsReachTheirStreamInOrder(Supplier<Store> stores) throws Exception {
        Node here = new Node(stores.get());
        Node there = new Node(stores.get());
        HttpResponse<InputStream> stream = http.send(
                here.post("/connection/http_stream", "{\"id\":1,\"connect\":{}}"),
                HttpResponse.BodyHandlers.ofInputStream());
        BufferedReader lines = new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8));
        open.push(lines);
        JsonNode welcome = JSON.readTree(lines.readLine()).path("connect");

        // One post after the other, to the other node and to the right one in turn; each post has two commands.
        for (int i = 2; i <= 20; i += 2) {
            Node node = i % 4 == 0 ? here : there;
            String channel = "{\"channel\":\"c\"}";
            String commands = "{\"id\":" + i + ",\"subscribe\":" + channel + "}\n{\"id\":" + (i + 1)
                    + ",\"unsubscribe\":" + channel + "}";
            // 500 means that the receipt came too late, as it may where many tests run at once; not that the post did.
            assertThat(post(node, welcome, welcome.path("node").asText(), commands))
                    .isIn(204, 500);
        }
        List<Integer> unsubscribed = new ArrayList<>();
        while (unsubscribed.size() < 10) {
            JsonNode reply = JSON.readTree(lines.readLine());
            if (reply.has("unsubscribe")) {
                unsubscribed.add(reply.path("id").asInt());
            }
        }

        assertThat(unsubscribed)
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, 10).mapToObj(i -> 2 * i + 1).toList());
        assertThat(post(there, welcome, "no-such-node", "{}")).isEqualTo(404);
        subscribesAndHears(there, welcome, lines);
    }

    private void subscribesAndHears(Node there, JsonNode welcome, BufferedReader lines) throws Exception {
        post(there, welcome, welcome.path("node").asText(), "{\"id\":50,\"subscribe\":{\"channel\":\"d\"}}");
        assertThat(JSON.readTree(lines.readLine()).path("id").asInt()).isEqualTo(50);

        there.fanfare.publish("d", "{\"n\":1}").toCompletableFuture().join();

        assertThat(JSON.readTree(lines.readLine()).at("/push/pub/data/n").asInt())
                .isEqualTo(1);
    }

    private int post(Node node, JsonNode welcome, String target, String commands)
            throws IOException, InterruptedException {
        ObjectNode body = JSON.createObjectNode()
                .put("session", welcome.path("session").asText())
                .put("node", target)
                .put("data", commands);
        return http.send(node.post("/emulation", body.toString()), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }
}
