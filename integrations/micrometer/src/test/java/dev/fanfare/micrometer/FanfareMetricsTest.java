package dev.fanfare.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.DisconnectReason;
import dev.fanfare.DropReason;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.Refusal;
import dev.fanfare.Rejection;
import dev.fanfare.ResetReason;
import dev.fanfare.StartAt;
import dev.fanfare.StateCache;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingFormat;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingSubscriber;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FanfareMetricsTest {

    private static final ChannelId LOBBY = ChannelId.of("chat:lobby");

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final FanfareMetrics metrics = FanfareMetrics.of(registry, "chat");
    private final FaultyStore store = FaultyStore.wrap(MemoryStore.create(), new ManualTime(), 1);
    private final Fanfare fanfare = Fanfare.builder()
            .store(store)
            .namespace("chat", rules -> rules.retain(100, Duration.ofMinutes(5)).maxMessageBytes(100))
            .namespace("news", rules -> rules)
            .listener(metrics)
            .build();

    @AfterEach
    void close() {
        fanfare.close();
    }

    private double count(String name, String... tags) {
        return registry.get(name).tags(tags).functionCounter().count();
    }

    private double gauge(String name) {
        return registry.get(name).gauge().value();
    }

    private void publish(String channel, String data, PublishOptions options) {
        fanfare.publish(ChannelId.of(channel), Payload.of(data), options)
                .toCompletableFuture()
                .join();
    }

    @Test
    void publishesAreCountedByResultAndTimed() {
        publish("chat:lobby", "1", PublishOptions.dedupKey("k"));
        publish("chat:lobby", "1", PublishOptions.dedupKey("k"));
        publish("chat:lobby", "x".repeat(101), PublishOptions.none());
        publish("news:today", "1", PublishOptions.none());

        assertThat(count("fanfare.publishes", "namespace", "chat", "result", "stored"))
                .isEqualTo(1);
        assertThat(count("fanfare.publishes", "namespace", "chat", "result", "duplicate"))
                .isEqualTo(1);
        assertThat(count("fanfare.publishes", "namespace", "chat", "result", "refused", "reason", "too_large"))
                .isEqualTo(1);
        assertThat(count("fanfare.publishes", "namespace", "other", "result", "sent"))
                .isEqualTo(1);
        assertThat(registry.get("fanfare.append")
                        .tag("namespace", "chat")
                        .timer()
                        .count())
                .isEqualTo(2);
    }

    @Test
    void publishWhoseOutcomeIsUnknownIsCounted() {
        store.appends().fail(1);

        assertThat(fanfare.publish("chat:lobby", "1").toCompletableFuture()).failsWithin(Duration.ofSeconds(5));

        assertThat(count("fanfare.publishes", "namespace", "chat", "result", "failed"))
                .isEqualTo(1);
    }

    @Test
    void deliveriesAreCountedWithTheirBytesAndTimed() {
        metrics.watch(fanfare);
        fanfare.subscribe(LOBBY, StartAt.live(), publication -> {})
                .ready()
                .toCompletableFuture()
                .join();
        publish("chat:lobby", "12345", PublishOptions.none());

        await().until(() -> count("fanfare.deliveries", "namespace", "chat") == 1);
        metrics.onDeliver(LOBBY, 2, 300);
        assertThat(count("fanfare.deliveries", "namespace", "chat")).isEqualTo(3);
        assertThat(count("fanfare.delivered.bytes", "namespace", "chat")).isEqualTo(300);
        await().until(() ->
                registry.get("fanfare.fanout").tag("namespace", "chat").timer().count() == 1);
        assertThat(count("fanfare.subscribes", "namespace", "chat")).isEqualTo(1);
        assertThat(gauge("fanfare.subscriptions")).isEqualTo(1);
        assertThat(gauge("fanfare.channels")).isEqualTo(1);
        assertThat(registry.get("fanfare.log.reads").functionCounter().count()).isPositive();
    }

    @Test
    void whatTheHostExecutorRefusesIsCounted() {
        try (Fanfare crowded = Fanfare.builder()
                .hostExecutor(task -> {
                    throw new RejectedExecutionException("full");
                })
                .build()) {
            metrics.watch(crowded);

            assertThatThrownBy(() -> crowded.gateway().hostExecutor().execute(() -> {}))
                    .isInstanceOf(RejectedExecutionException.class);

            assertThat(count("fanfare.host.refused")).isEqualTo(1);
        }
    }

    @Test
    void aClientThatLagsAndWhatWaitsForItsLoopAreCounted() {
        metrics.watch(fanfare);
        ManualLoop loop = new ManualLoop();
        RecordingOutlet client = RecordingOutlet.connect(fanfare, loop, new RecordingFormat(), "ada");
        assertThat(gauge("fanfare.connections")).isEqualTo(1);
        client.subscribe("chat:lobby", new SubscribeRequest(StartAt.live(), false, true));
        await().until(() -> loop.runAll() >= 0 && count("fanfare.subscribes", "namespace", "chat") == 1);

        client.takeOnly(1);
        for (int i = 0; i < 3; i++) {
            publish("chat:lobby", "12345", PublishOptions.none());
        }

        await().until(() -> gauge("fanfare.loop.waiting") > 0 && gauge("fanfare.loop.waiting.bytes") > 0);
        await().until(() -> loop.runAll() >= 0 && count("fanfare.catchups", "namespace", "chat") == 1);
        client.vanish();
        await().until(() -> loop.runAll() >= 0 && gauge("fanfare.loop.waiting") == 0);
        assertThat(gauge("fanfare.connections")).isZero();
        assertThat(count("fanfare.connects")).isEqualTo(1);
        assertThat(count("fanfare.disconnects", "reason", "by_client")).isEqualTo(1);
    }

    @Test
    void aHoleThatTheLogFillsIsCounted() {
        metrics.watch(fanfare);
        RecordingSubscriber subscriber = new RecordingSubscriber();
        fanfare.subscribe(LOBBY, StartAt.live(), subscriber);
        subscriber.awaitReady();
        double reads = count("fanfare.log.reads");

        store.bus().lose(1);
        publish("chat:lobby", "1", PublishOptions.none());
        store.bus().heal();
        publish("chat:lobby", "2", PublishOptions.none());

        await().until(() -> count("fanfare.repairs", "namespace", "chat") == 1);
        assertThat(count("fanfare.log.reads")).isGreaterThan(reads);
    }

    @Test
    void whatWaitsForTheHostAndForClientsThatDoNotReadAreGauges() {
        metrics.watch(fanfare);
        CountDownLatch busy = new CountDownLatch(1);
        for (int i = 0; i < 1_000; i++) {
            fanfare.gateway().hostExecutor().execute(() -> awaitQuietly(busy));
        }
        Runnable uncount = fanfare.gateway().countUnsent(() -> 700);

        assertThat(gauge("fanfare.host.waiting")).isPositive();
        assertThat(gauge("fanfare.unsent.bytes")).isEqualTo(700);
        busy.countDown();
        uncount.run();

        await().until(() -> gauge("fanfare.host.waiting") == 0);
        assertThat(gauge("fanfare.unsent.bytes")).isZero();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void readinessIsAGauge() {
        metrics.watch(fanfare);

        assertThat(gauge("fanfare.up")).isEqualTo(1);
        store.complain("memory: full");
        assertThat(gauge("fanfare.up")).isZero();
    }

    @Test
    void everyReasonHasItsCounter() {
        for (DropReason reason : DropReason.values()) {
            metrics.onDrop(LOBBY, reason, 3);
            assertThat(count("fanfare.drops", "namespace", "chat", "reason", lower(reason)))
                    .isEqualTo(3);
        }
        for (ResetReason reason : ResetReason.values()) {
            metrics.onReset(LOBBY, reason);
            assertThat(count("fanfare.resets", "namespace", "chat", "reason", lower(reason)))
                    .isEqualTo(1);
        }
        for (DisconnectReason reason : DisconnectReason.values()) {
            metrics.onDisconnect(null, reason);
            assertThat(count("fanfare.disconnects", "reason", lower(reason))).isEqualTo(1);
        }
        for (Rejection reason : Rejection.values()) {
            metrics.onReject(reason);
            assertThat(count("fanfare.rejections", "reason", lower(reason))).isEqualTo(1);
        }
        for (Refusal reason : Refusal.values()) {
            metrics.onRefuse(null, null, reason);
            assertThat(count("fanfare.refusals", "namespace", "other", "reason", lower(reason)))
                    .isEqualTo(1);
        }
        for (StateCache.Source source : StateCache.Source.values()) {
            metrics.onStateAsked(LOBBY, source);
            assertThat(count("fanfare.states", "namespace", "chat", "reason", lower(source)))
                    .isEqualTo(1);
        }
        metrics.onRepairDelayed(LOBBY);
        assertThat(count("fanfare.repairs.delayed", "namespace", "chat")).isEqualTo(1);
        metrics.onCatchUpDelayed(LOBBY);
        assertThat(count("fanfare.catchups.delayed", "namespace", "chat")).isEqualTo(1);
        metrics.onAnnounceFailed(LOBBY, false);
        assertThat(count("fanfare.announcements.failed", "namespace", "chat", "retried", "false"))
                .isEqualTo(1);
        assertThat(count("fanfare.announcements.failed", "namespace", "chat", "retried", "true"))
                .isZero();
        metrics.onPresence(LOBBY, new PresenceEvent(PresenceEvent.Kind.JOIN, new Member("ada", "c", null)));
        assertThat(count("fanfare.presence.events", "reason", "join")).isEqualTo(1);
    }

    private static String lower(Enum<?> reason) {
        return reason.name().toLowerCase(java.util.Locale.ROOT);
    }

    @Test
    void whatClientsDoMakesNoNewMeters() {
        Set<Meter.Id> before = ids();

        for (int i = 0; i < 200; i++) {
            publish("made-up-" + i + ":x", "1", PublishOptions.none());
            publish("chat:" + i, "1", PublishOptions.none());
        }

        assertThat(ids()).isEqualTo(before);
        assertThat(count("fanfare.publishes", "namespace", "other", "result", "refused", "reason", "unknown_namespace"))
                .isEqualTo(200);
    }

    private Set<Meter.Id> ids() {
        return registry.getMeters().stream().map(Meter::getId).collect(Collectors.toSet());
    }

    @Test
    void prometheusGetsItAsText() {
        PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        FanfareMetrics text = FanfareMetrics.of(prometheus, "chat");
        text.onAppend(LOBBY, 700_000);
        text.onDeliver(LOBBY, 3, 300);
        text.watch(fanfare);

        assertThat(prometheus.scrape())
                .contains("fanfare_deliveries_total{namespace=\"chat\"} 3.0")
                .contains("fanfare_append_seconds_bucket{namespace=\"chat\",le=\"5.0E-4\"} 0")
                .contains("fanfare_append_seconds_bucket{namespace=\"chat\",le=\"0.001\"} 1")
                .contains("fanfare_publishes_total{namespace=\"chat\",reason=\"none\",result=\"stored\"} 0.0")
                .contains("fanfare_connections 0.0");
    }
}
