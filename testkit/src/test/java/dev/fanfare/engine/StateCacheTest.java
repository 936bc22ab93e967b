package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.ClosedException;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.RefusedException;
import dev.fanfare.StartAt;
import dev.fanfare.StateAt;
import dev.fanfare.StateCache;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingSubscriber;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Many who open a page cost one load, and nobody gets a state that a publication made stale. */
@ExtendWith(Quiet.class)
class StateCacheTest {

    private static final ChannelId BATCH = ChannelId.of("batch:1");

    private final ManualTime time = new ManualTime();
    private final MemoryStore store = MemoryStore.create(time);
    private final Map<StateCache.Source, Integer> told = new HashMap<>();
    private final ManualNode node = ManualNode.open(store, time, this::settings);
    private final Map<ChannelId, Integer> progress = new HashMap<>();
    private final List<CompletableFuture<Payload>> loads = new ArrayList<>();
    private boolean holdsLoads;
    private final StateCache cache = cacheOn(node);

    private FanfareBuilder settings(FanfareBuilder builder) {
        return builder.namespace("batch", rules -> rules.retain(100, Duration.ofHours(1)))
                .namespace("plain", rules -> rules)
                .listener(new FanfareListener() {
                    @Override
                    public void onStateAsked(ChannelId channel, StateCache.Source source) {
                        told.merge(source, 1, Integer::sum);
                    }
                });
    }

    private StateCache cacheOn(ManualNode on) {
        StateCache started = on.fanfare
                .stateCache("progress", this::load)
                .timeToLive(Duration.ofMinutes(1))
                .maxChannels(3)
                .start();
        on.endFirst(started::close);
        return started;
    }

    private CompletionStage<Payload> load(ChannelId channel) {
        CompletableFuture<Payload> load = new CompletableFuture<>();
        loads.add(load);
        if (!holdsLoads) {
            load.complete(state(channel));
        }
        return load;
    }

    private Payload state(ChannelId channel) {
        return Payload.of(Integer.toString(progress.getOrDefault(channel, 0)));
    }

    /** Changes the state, then publishes. */
    private void advance() {
        int now = progress.merge(BATCH, 1, Integer::sum);
        node.publish(BATCH.value(), Integer.toString(now));
        node.settle();
    }

    private StateAt<Payload> ask() {
        return node.await(cache.latest(BATCH));
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void aThousandReadersCostOneLoadAndOneSubscription() {
        advance();
        holdsLoads = true;
        List<CompletableFuture<StateAt<Payload>>> answers = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            answers.add(cache.latest(BATCH).toCompletableFuture());
            node.settle();
        }
        loads.get(0).complete(state(BATCH));
        for (int i = 0; i < 500; i++) {
            answers.add(cache.latest(BATCH).toCompletableFuture());
            node.settle();
        }

        assertThat(answers)
                .allSatisfy(answer -> assertThat(answer.join().state().text()).isEqualTo("1"));
        assertThat(loads).hasSize(1);
        assertThat(node.fanfare.stats().subscriptions()).isEqualTo(1);
        assertThat(cache.counts()).isEqualTo(new StateCache.Counts(999, 0, 1, 0));
        assertThat(cache.counts().hitRatio()).isEqualTo(0.999);
        assertThat(told).containsOnly(Map.entry(StateCache.Source.HIT, 999), Map.entry(StateCache.Source.LOADED, 1));
    }

    @Test
    void aPublicationMakesTheStateStale() {
        advance();
        assertThat(ask().state().text()).isEqualTo("1");

        advance();

        StateAt<Payload> at = ask();
        assertThat(at.state().text()).isEqualTo("2");
        assertThat(at.cursor().offset()).isEqualTo(2);
        assertThat(loads).hasSize(2);
    }

    @Test
    void whoFollowsFromThePositionMissesNothingAlsoIfTheStateChangedWhileItWasLoaded() {
        advance();
        holdsLoads = true;
        CompletableFuture<StateAt<Payload>> answer = cache.latest(BATCH).toCompletableFuture();
        node.settle();
        Payload old = state(BATCH);
        advance();
        advance();
        loads.get(0).complete(old);
        holdsLoads = false;
        StateAt<Payload> at = node.await(answer);

        RecordingSubscriber page = new RecordingSubscriber();
        node.subscribe(BATCH.value(), StartAt.after(at.cursor()), page);
        node.settle();

        assertThat(at.state().text()).isEqualTo("1");
        page.awaitReady();
        page.assertNext("2", "3");
        assertThat(ask().state().text()).as("of who asks later").isEqualTo("3");
    }

    @Test
    void aStateIsLoadedAgainWhenItsTimeIsOver() {
        advance();
        ask();
        progress.put(BATCH, 99);
        node.pass(Duration.ofSeconds(50));
        assertThat(ask().state().text()).isEqualTo("1");

        node.pass(Duration.ofSeconds(15));

        assertThat(ask().state().text()).isEqualTo("99");
    }

    @Test
    void aLoadThatFailsIsToldToAllWhoWaitAndTriedAgainByTheNext() {
        holdsLoads = true;
        CompletableFuture<StateAt<Payload>> first = cache.latest(BATCH).toCompletableFuture();
        CompletableFuture<StateAt<Payload>> second = cache.latest(BATCH).toCompletableFuture();
        node.settle();
        loads.get(0).completeExceptionally(new IllegalStateException("database away"));
        node.settle();
        holdsLoads = false;

        assertThatThrownBy(first::join).hasRootCauseMessage("database away");
        assertThatThrownBy(second::join).hasRootCauseMessage("database away");
        assertThat(ask().state().text()).isEqualTo("0");
        assertThat(cache.counts()).isEqualTo(new StateCache.Counts(1, 0, 1, 1));
    }

    @Test
    void anotherNodeTakesWhatThisOneLoadedAsLongAsItIsNotStale() {
        try (ManualNode other = ManualNode.open(store, time, this::settings)) {
            StateCache there = cacheOn(other);
            advance();
            ask();

            StateAt<Payload> shared = other.await(there.latest(BATCH));
            advance();
            other.settle();
            StateAt<Payload> fresh = other.await(there.latest(BATCH));

            assertThat(shared.state().text()).isEqualTo("1");
            assertThat(fresh.state().text()).isEqualTo("2");
            assertThat(there.counts()).isEqualTo(new StateCache.Counts(0, 1, 1, 0));
        }
    }

    @Test
    void whatWasSharedIsNotKeptLongerThanWhatWasLoaded() {
        try (ManualNode other = ManualNode.open(store, time, this::settings)) {
            StateCache there = cacheOn(other);
            advance();
            ask();
            other.pass(Duration.ofSeconds(40));
            other.await(there.latest(BATCH));
            progress.put(BATCH, 99);

            other.pass(Duration.ofSeconds(30));

            assertThat(other.await(there.latest(BATCH)).state().text()).isEqualTo("99");
        }
    }

    @Test
    void aChannelThatNobodyAsksForIsForgotten() {
        ask();
        assertThat(node.fanfare.stats().subscriptions()).isEqualTo(1);

        node.pass(Duration.ofMinutes(2));

        assertThat(node.fanfare.stats().subscriptions()).isZero();
        assertThat(ask().state().text()).isEqualTo("0");
    }

    @Test
    void beyondTheBoundTheOneNotAskedForLongestGoes() {
        for (int i = 1; i <= 4; i++) {
            node.await(cache.latest("batch:" + i));
            node.pass(Duration.ofSeconds(1));
        }
        node.await(cache.latest("batch:2"));
        node.await(cache.latest("batch:1"));

        assertThat(node.fanfare.stats().subscriptions()).isEqualTo(3);
        assertThat(cache.counts()).isEqualTo(new StateCache.Counts(1, 0, 5, 0));
    }

    @Test
    void aChannelThatWasNeverWrittenHasAStateToo() {
        StateAt<Payload> at = ask();

        assertThat(at.state().text()).isEqualTo("0");
        assertThat(ask()).isEqualTo(at);
        advance();
        assertThat(ask().state().text()).isEqualTo("1");
    }

    @Test
    void aChannelWithoutHistoryIsRefused() {
        for (String channel : List.of("plain:a", "unknown:a")) {
            assertThatThrownBy(() -> node.await(cache.latest(channel))).hasCauseInstanceOf(RefusedException.class);
        }
    }

    @Test
    void afterCloseNothingIsSubscribedOrAnswered() {
        ask();

        cache.close();
        node.settle();

        assertThat(node.fanfare.stats().subscriptions()).isZero();
        assertThatThrownBy(() -> cache.latest(BATCH)).isInstanceOf(ClosedException.class);
    }
}
