package dev.fanfare.examples.nodes;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.testkit.HistoryChecker;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** The readers and the publisher of one test on some nodes, judged by a {@link HistoryChecker}. */
final class Cluster implements AutoCloseable {

    static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** Those that a load balancer would send clients to. */
    final List<NodeProcess> nodes = new CopyOnWriteArrayList<>();

    final HistoryChecker checker = new HistoryChecker();
    final List<WireReader> readers = new ArrayList<>();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final AtomicInteger published = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();

    /** Works with nodes that somebody else started, and ends. */
    Cluster(List<NodeProcess> nodes) {
        checker.payloadsAreUnique();
        this.nodes.addAll(nodes);
    }

    /** Starts so many nodes at once. */
    static List<NodeProcess> start(String redis, int count) {
        List<CompletableFuture<NodeProcess>> starting = IntStream.range(0, count)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> NodeProcess.start(redis)))
                .toList();
        return starting.stream().map(CompletableFuture::join).toList();
    }

    NodeProcess any() {
        return nodes.get(ThreadLocalRandom.current().nextInt(nodes.size()));
    }

    /** Lets a user read a channel, at first on that node. */
    @CanIgnoreReturnValue
    WireReader read(String user, ChannelId channel, NodeProcess first) {
        HistoryChecker.Client client = checker.client(user, channel);
        AtomicInteger times = new AtomicInteger();
        WireReader reader = new WireReader(
                http, () -> (times.getAndIncrement() == 0 ? first : any()).webSocket(user), channel, client);
        readers.add(reader);
        return reader;
    }

    void awaitReaders() {
        await().atMost(PATIENCE).until(() -> readers.stream().allMatch(reader -> reader.subscribed() > 0));
    }

    /** Returns how many publishes did not succeed at once. */
    int failedPublishes() {
        return failed.get();
    }

    int published() {
        return published.get();
    }

    /** Publishes a number, on any node, until one takes it; returns it. */
    @CanIgnoreReturnValue
    String publish(ChannelId channel) {
        String text = "p" + published.incrementAndGet();
        String body = "{\"channel\":\"" + channel + "\",\"data\":\"" + text + "\",\"dedup_key\":\"" + text + "\"}";
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < deadline) {
            HttpRequest request = HttpRequest.newBuilder(any().http("/api/publish"))
                    .timeout(Duration.ofSeconds(3))
                    .POST(BodyPublishers.ofString(body))
                    .build();
            try {
                HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
                JsonNode result = JSON.readTree(answer.body()).path("result");
                if (result.has("offset")) {
                    Cursor at = Cursor.of(
                            result.path("epoch").asText(), result.path("offset").asLong());
                    checker.accepted(channel, at, Payload.of('"' + text + '"'));
                    return text;
                }
            } catch (IOException elsewhere) {
                // another node takes it, and the key sees to it that it is there once
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(e);
            }
            failed.incrementAndGet();
            await().pollDelay(Duration.ofMillis(20)).until(() -> true);
        }
        throw new AssertionError(text + " was not accepted within " + PATIENCE);
    }

    /** Publishes without end, about so many a second. */
    Traffic traffic(ChannelId channel, int perSecond) {
        return new Traffic(channel, perSecond);
    }

    /** Publishes a last one, waits until all readers have it, and lets the checker judge. */
    void settle(ChannelId channel) {
        String last = publish(channel);
        await().atMost(PATIENCE)
                .until(() -> readers.stream().allMatch(reader -> reader.last().equals(last)));
        claimEverything();
        checker.assertHolds();
    }

    /** Says that the readers have waited for everything. */
    void claimEverything() {
        readers.forEach(WireReader::claimEverything);
    }

    @Override
    public void close() {
        readers.forEach(WireReader::close);
    }

    /** Publishes until it is closed. */
    final class Traffic implements AutoCloseable {
        private final List<Throwable> failures = new CopyOnWriteArrayList<>();
        private final Thread thread;
        private volatile boolean isOver;

        Traffic(ChannelId channel, int perSecond) {
            long pause = TimeUnit.SECONDS.toNanos(1) / perSecond;
            thread = new Thread(() -> run(channel, pause), "traffic");
            thread.start();
        }

        private void run(ChannelId channel, long pause) {
            try {
                while (!isOver) {
                    publish(channel);
                    await().pollDelay(Duration.ofNanos(pause)).until(() -> true);
                }
            } catch (AssertionError | RuntimeException failure) {
                failures.add(failure);
            }
        }

        /** Waits until so many more were accepted. */
        void more(int count) {
            int target = published.get() + count;
            await().atMost(PATIENCE).until(() -> published.get() >= target || !failures.isEmpty());
        }

        @Override
        public void close() {
            isOver = true;
            try {
                thread.join(TimeUnit.SECONDS.toMillis(90));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (!failures.isEmpty()) {
                throw new AssertionError(failures.get(0));
            }
        }
    }
}
