package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ClosedException;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.Publication;
import dev.fanfare.PublishResult;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.Subscriber;
import dev.fanfare.Subscription;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.faults.LogWatch;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.Gate;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingFormat;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Disconnected;
import dev.fanfare.testkit.RecordingSubscriber;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** From build to close, with the threads that a Fanfare brings itself. */
class LifecycleTest {

    private static final ChannelId CHANNEL = ChannelId.of("log:a");

    private static Fanfare open() {
        return Fanfare.builder()
                .namespace(
                        "log", rules -> rules.retain(100, Duration.ofHours(1)).presence())
                .authorizer(Authorizer.allowAll())
                .build();
    }

    @Test
    void withoutAnySettingItSends() {
        try (Fanfare fanfare = Fanfare.builder().build()) {
            RecordingSubscriber subscriber = new RecordingSubscriber();
            Subscription subscription = fanfare.subscribe(ChannelId.of("a"), StartAt.live(), subscriber);
            subscription.ready().toCompletableFuture().join();

            PublishResult result =
                    fanfare.publish("a", "1").toCompletableFuture().join();

            assertThat(result).isEqualTo(new PublishResult.Sent());
            subscriber.awaitReady();
            subscriber.assertNext("1");
        }
    }

    @Test
    void aPublishOfTheHostThatIsRefusedIsLoggedSinceNobodyMayLookAtItsResult() {
        try (Fanfare fanfare = Fanfare.builder().namespace("a", rules -> rules).build();
                LogWatch log = new LogWatch()) {
            fanfare.publish("plain", "1");
            fanfare.publish("plain", "2");

            assertThat(log.lines()).singleElement().asString().contains("plain", "UNKNOWN_NAMESPACE");
        }
    }

    @Test
    void severalInOneJvmHaveNothingInCommon() {
        try (Fanfare one = open();
                Fanfare other = open()) {
            RecordingSubscriber subscriber = new RecordingSubscriber();
            other.subscribe(CHANNEL, StartAt.live(), subscriber)
                    .ready()
                    .toCompletableFuture()
                    .join();
            one.publish("log:a", "one").toCompletableFuture().join();

            other.publish("log:a", "other").toCompletableFuture().join();

            subscriber.awaitReady();
            subscriber.assertNext("other");
        }
    }

    @Test
    void closingEndsSubscriptionsBeforeItReturns() {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        Fanfare fanfare = open();
        fanfare.subscribe(CHANNEL, StartAt.live(), subscriber)
                .ready()
                .toCompletableFuture()
                .join();

        fanfare.close();

        subscriber.awaitReady();
        assertThat(subscriber.waiting()).isEqualTo(1);
        subscriber.assertEnded(UnsubscribeReason.SHUTDOWN);
    }

    @Test
    void closingDisconnectsClients() {
        Fanfare fanfare = open();
        ManualLoop loop = new ManualLoop();
        RecordingOutlet client = RecordingOutlet.connect(fanfare, loop, new RecordingFormat(), "ann");

        CompletableFuture<Void> closing = CompletableFuture.runAsync(fanfare::close);
        while (!closing.isDone()) {
            loop.runAll();
            Thread.onSpinWait();
        }

        assertThat(client.events()).containsExactly(new Disconnected(DisconnectReason.SHUTDOWN));
    }

    @Test
    void whoDrainsAndThenClosesIsNotLeftWaiting() throws Exception {
        Fanfare fanfare = open();
        ManualLoop loop = new ManualLoop();
        RecordingOutlet.connect(fanfare, loop, new RecordingFormat(), "ann");
        CompletableFuture<Void> drained = fanfare.drain(Duration.ofHours(1)).toCompletableFuture();

        CompletableFuture<Void> closing = CompletableFuture.runAsync(fanfare::close);
        while (!closing.isDone()) {
            loop.runAll();
            Thread.onSpinWait();
        }

        drained.get(30, TimeUnit.SECONDS);
    }

    @Test
    void whatIsStillAskedOfTheStoreEndsWithFanfare() {
        FaultyStore store = FaultyStore.wrap(MemoryStore.create(), new ManualTime(), 1);
        store.appends().hold();
        Fanfare fanfare = Fanfare.builder().store(store).build();
        CompletableFuture<PublishResult> publish = fanfare.publish("a", "1").toCompletableFuture();

        fanfare.close();

        assertThatThrownBy(() -> publish.get(30, TimeUnit.SECONDS)).cause().isInstanceOf(ClosedException.class);
    }

    @Test
    void aHostExecutorThatFailsOnceHoldsUpNoLaterCompletion() throws Exception {
        AtomicBoolean fails = new AtomicBoolean(true);
        FaultyStore store = FaultyStore.wrap(MemoryStore.create(), new ManualTime(), 1);
        Gate gate = store.appends().hold();
        try (Fanfare fanfare = Fanfare.builder()
                .store(store)
                .hostExecutor(task -> {
                    if (fails.getAndSet(false)) {
                        throw new OutOfMemoryError("no thread to be had");
                    }
                    new Thread(task).start();
                })
                .build()) {
            CompletableFuture<PublishResult> first = fanfare.publish("a", "1").toCompletableFuture();
            CompletableFuture<PublishResult> second = fanfare.publish("a", "2").toCompletableFuture();

            gate.open();

            first.get(30, TimeUnit.SECONDS);
            second.get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void closingTwiceIsNothingNew() {
        Fanfare fanfare = open();
        fanfare.close();

        fanfare.close();

        assertThatThrownBy(() -> fanfare.publish("log:a", "1")).isInstanceOf(ClosedException.class);
    }

    @Test
    void aClosedOneTakesNobody() {
        Fanfare fanfare = open();
        fanfare.close();

        assertThatThrownBy(() -> fanfare.subscribe(CHANNEL, StartAt.live(), publication -> {}))
                .isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> fanfare.presence(CHANNEL)).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> RecordingOutlet.connect(fanfare, new ManualLoop(), new RecordingFormat(), ""))
                .isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> fanfare.connections().count()).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> fanfare.connections().list()).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> fanfare.connections().disconnect("ada", DisconnectReason.FORCE_DISCONNECT))
                .isInstanceOf(ClosedException.class);
    }

    @Test
    void closingFromACallbackIsRefused() throws Exception {
        CompletableFuture<Throwable> thrown = new CompletableFuture<>();
        try (Fanfare fanfare = open()) {
            Subscription unused = fanfare.subscribe(CHANNEL, StartAt.live(), new Subscriber() {
                @Override
                public void onReady(Resume resume) {
                    try {
                        fanfare.close();
                        thrown.complete(null);
                    } catch (IllegalStateException expected) {
                        thrown.complete(expected);
                    }
                }

                @Override
                public void onPublication(Publication publication) {}
            });

            Throwable failure = thrown.get(10, TimeUnit.SECONDS);

            assertThat(failure).isInstanceOf(IllegalStateException.class).hasMessageContaining("callback");
        }
    }

    @Test
    void closingFromACallbackIsRefusedAlsoWhenTheHostExecutorIsFull() throws Exception {
        CompletableFuture<Throwable> thrown = new CompletableFuture<>();
        Fanfare fanfare = Fanfare.builder()
                .hostExecutor(task -> {
                    throw new RejectedExecutionException("full");
                })
                .build();
        Subscription unused = fanfare.subscribe(ChannelId.of("a"), StartAt.live(), new Subscriber() {
            @Override
            public void onReady(Resume resume) {
                try {
                    fanfare.close();
                    thrown.complete(null);
                } catch (IllegalStateException expected) {
                    thrown.complete(expected);
                }
            }

            @Override
            public void onPublication(Publication publication) {}
        });

        Throwable failure = thrown.get(20, TimeUnit.SECONDS);

        assertThat(failure).isInstanceOf(IllegalStateException.class);
        fanfare.close();
    }

    @Test
    void closingFromAListenerIsRefused() {
        AtomicReference<Fanfare> self = new AtomicReference<>();
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        FanfareListener listener = new FanfareListener() {
            @Override
            public void onPublish(ChannelId channel, PublishResult result) {
                try {
                    self.get().close();
                } catch (IllegalStateException expected) {
                    thrown.set(expected);
                }
            }
        };
        try (Fanfare fanfare = Fanfare.builder().listener(listener).build()) {
            self.set(fanfare);

            fanfare.publish("a", "1");

            assertThat(thrown.get()).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void completionsNeverRunOnTheThreadThatBringsThemHoweverManyWait() throws Exception {
        ScriptedStore store = new ScriptedStore(new ManualTime());
        store.failsAppends = true;
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        Fanfare fanfare = Fanfare.builder()
                .store(store)
                .hostExecutor(task -> {
                    throw new RejectedExecutionException("full");
                })
                .build();
        Subscription unused = fanfare.subscribe("a", StartAt.live(), new Subscriber() {
            @Override
            public void onReady(Resume resume) {
                begun.countDown();
                awaitQuietly(mayGoOn);
            }

            @Override
            public void onPublication(Publication publication) {}
        });
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();

        List<CompletableFuture<?>> all = new ArrayList<>();
        for (int i = 0; i < 11_000; i++) {
            all.add(fanfare.publish("a", "1")
                    .handle((result, failure) -> threads.add(Thread.currentThread()))
                    .toCompletableFuture());
        }
        mayGoOn.countDown();
        CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get(20, TimeUnit.SECONDS);

        assertThat(threads).doesNotContain(Thread.currentThread());
        fanfare.close();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void closingFromACompletionIsRefused() throws Exception {
        FaultyStore store = FaultyStore.wrap(MemoryStore.create(), new ManualTime(), 1);
        Gate gate = store.appends().hold();
        try (Fanfare fanfare = Fanfare.builder().store(store).build()) {
            CompletableFuture<Void> closed =
                    fanfare.publish("a", "1").thenRun(fanfare::close).toCompletableFuture();

            gate.open();

            assertThatThrownBy(() -> closed.get(10, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("callback");
        }
    }

    @Test
    void theStoreStaysOpenForOthers() {
        MemoryStore store = MemoryStore.create();
        try (Fanfare first = Fanfare.builder()
                .store(store)
                .namespace("log", rules -> rules.retain(10, Duration.ofHours(1)))
                .build()) {
            first.publish("log:a", "1").toCompletableFuture().join();
        }

        try (Fanfare second = Fanfare.builder()
                .store(store)
                .namespace("log", rules -> rules.retain(10, Duration.ofHours(1)))
                .build()) {
            RecordingSubscriber subscriber = new RecordingSubscriber();
            Subscription unused = second.subscribe(CHANNEL, StartAt.latest(1), subscriber);

            subscriber.awaitReady();
            subscriber.assertNext("1");
        }
    }

    @Test
    void aClosedOneLeavesNoThreadBehind() throws Exception {
        Fanfare fanfare = open();
        RecordingSubscriber subscriber = new RecordingSubscriber();
        fanfare.subscribe(CHANNEL, StartAt.live(), subscriber)
                .ready()
                .toCompletableFuture()
                .join();
        CompletableFuture<Thread> host = new CompletableFuture<>();
        fanfare.gateway().hostExecutor().execute(() -> host.complete(Thread.currentThread()));

        fanfare.close();

        Thread thread = host.get(10, TimeUnit.SECONDS);
        thread.join(TimeUnit.SECONDS.toMillis(10));
        assertThat(thread.isAlive()).isFalse();
    }
}
