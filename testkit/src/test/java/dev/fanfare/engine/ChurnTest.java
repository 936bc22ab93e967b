package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.StartAt;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingFormat;
import dev.fanfare.testkit.RecordingOutlet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.extension.ExtendWith;

/** Clients that connect, subscribe, stall and vanish, by the thousand: nothing of them is left. */
@ExtendWith(Quiet.class)
class ChurnTest {

    private static final int ITERATIONS = Integer.getInteger("fanfare.stress.iterations", 1);
    private static final long SEED = Long.getLong("fanfare.stress.seed", System.nanoTime());
    private static final int LOOPS = 3;
    private static final int STEPS = 3000 * ITERATIONS;
    private static final int CHANNELS = 20;

    private final ManualTime time = new ManualTime();
    private final MemoryStore store = MemoryStore.create(time);
    private final AtomicInteger watches = new AtomicInteger();
    private final RecordingFormat format = new RecordingFormat();
    private final Map<String, Integer> joins = new ConcurrentHashMap<>();
    private final Fanfare fanfare = Fanfare.builder()
            .store(new CountingStore())
            .timeSource(time)
            .authorizer(Authorizer.allowAll())
            .namespace("room", rules -> rules.retain(50, Duration.ofHours(1)).presence())
            .namespace("plain", rules -> rules)
            .listener(new FanfareListener() {
                @Override
                public void onPresence(ChannelId channel, PresenceEvent event) {
                    int change = event.kind() == PresenceEvent.Kind.JOIN ? 1 : -1;
                    joins.merge(channel + " " + event.member().identity(), change, Integer::sum);
                }
            })
            .build();

    @RepeatedTest(2)
    void nothingIsLeftOfThoseThatAreGone() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(LOOPS + 1);
        List<Future<Churner>> churners = new ArrayList<>();
        for (int i = 0; i < LOOPS; i++) {
            Churner churner = new Churner(SEED + i);
            churners.add(threads.submit((Callable<Churner>) churner::churn));
        }
        Future<?> publisher = threads.submit(this::publish);
        publisher.get(60, TimeUnit.SECONDS);
        List<ManualLoop> loops = new ArrayList<>();
        for (Future<Churner> churner : churners) {
            loops.add(churner.get(60, TimeUnit.SECONDS).loop);
        }
        threads.shutdown();

        for (int second = 0; second < 60; second++) {
            time.advance(Duration.ofSeconds(1));
            loops.forEach(ManualLoop::runAll);
        }

        assertThat(fanfare.connections().count().toCompletableFuture().get(10, TimeUnit.SECONDS))
                .isZero();
        assertThat(watches).as("watched channels, seed %d", SEED).hasValue(0);
        assertThat(format.unreleased()).as("frames").isZero();
        assertThat(format.misused()).as("frames misused").isZero();
        assertThat(joins.values()).as("joins without leaves, seed %d", SEED).containsOnly(0);
        for (int i = 0; i < CHANNELS; i++) {
            assertThat(fanfare.presence(ChannelId.of("room:" + i))
                            .toCompletableFuture()
                            .get(10, TimeUnit.SECONDS)
                            .connections())
                    .isZero();
        }
        fanfare.close();
    }

    private void publish() {
        Random random = new Random(SEED - 1);
        for (int i = 0; i < STEPS; i++) {
            String namespace = random.nextBoolean() ? "room:" : "plain:";
            fanfare.publish(namespace + random.nextInt(CHANNELS), "x")
                    .toCompletableFuture()
                    .join();
            if (i % 10 == 0) {
                time.advance(Duration.ofMillis(random.nextInt(300)));
            }
        }
    }

    /** One event loop and its connections. */
    private final class Churner {
        final ManualLoop loop = new ManualLoop();
        private final Random random;
        private final List<RecordingOutlet> outlets = new ArrayList<>();

        Churner(long seed) {
            this.random = new Random(seed);
        }

        Churner churn() {
            for (int step = 0; step < STEPS; step++) {
                switch (random.nextInt(6)) {
                    case 0 -> {
                        if (outlets.size() < 50) {
                            outlets.add(RecordingOutlet.connect(fanfare, loop, format, "user" + random.nextInt(20)));
                        }
                    }
                    case 1 -> any(outlet -> outlet.subscribe(channel(), StartAt.latest(random.nextInt(20))));
                    case 2 -> any(outlet -> outlet.unsubscribe(channel()));
                    case 3 -> any(outlet -> outlet.drain(random.nextInt(5)));
                    case 4 -> {
                        if (random.nextInt(4) == 0) {
                            any(outlet -> {
                                outlet.vanish();
                                outlets.remove(outlet);
                            });
                        }
                    }
                    default -> loop.runOne();
                }
            }
            List.copyOf(outlets).forEach(RecordingOutlet::vanish);
            return this;
        }

        private void any(java.util.function.Consumer<RecordingOutlet> action) {
            if (!outlets.isEmpty()) {
                RecordingOutlet outlet = outlets.get(random.nextInt(outlets.size()));
                action.accept(outlet);
                outlet.takeEvents();
                assertThat(outlet.violations()).isEmpty();
            }
        }

        private String channel() {
            return (random.nextBoolean() ? "room:" : "plain:") + random.nextInt(CHANNELS);
        }
    }

    /** Counts the watches that are open. */
    private final class CountingStore implements Store {
        private final Bus bus = new Bus() {
            @Override
            public CompletionStage<Watch> watch(ChannelId channel, Watcher watcher) {
                watches.incrementAndGet();
                return store.bus().watch(channel, watcher).thenApply(watch -> () -> {
                    watches.decrementAndGet();
                    watch.close();
                });
            }

            @Override
            public CompletionStage<Void> announce(Announcement announcement) {
                return store.bus().announce(announcement);
            }
        };

        private final ChannelLog log = new ChannelLog() {
            @Override
            public CompletionStage<AppendResult> append(dev.fanfare.spi.AppendRequest request) {
                return store.log().append(request);
            }

            @Override
            public CompletionStage<LogPage> read(LogRead read) {
                return store.log().read(read);
            }

            @Override
            public CompletionStage<Void> clear(ChannelId channel) {
                return store.log().clear(channel);
            }

            @Override
            public boolean announcesOn(Bus other) {
                return other == bus && store.log().announcesOn(store.bus());
            }
        };

        @Override
        public ChannelLog log() {
            return log;
        }

        @Override
        public Bus bus() {
            return bus;
        }

        @Override
        public PresenceStore presence() {
            return store.presence();
        }

        @Override
        public ControlBus control() {
            return store.control();
        }

        @Override
        public LatestValues latestValues() {
            return store.latestValues();
        }
    }
}
