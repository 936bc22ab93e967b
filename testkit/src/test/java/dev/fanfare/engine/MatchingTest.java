package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.DropReason;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.FanfareListener;
import dev.fanfare.PatternSubscriber;
import dev.fanfare.PatternSubscription;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.Gate;
import dev.fanfare.testkit.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a subscriber to a pattern hears, whatever the bus does. */
@ExtendWith(Quiet.class)
class MatchingTest {

    private final ManualTime time = new ManualTime();
    private final MemoryStore memory = MemoryStore.create(time);
    private final FaultyStore store = FaultyStore.wrap(memory, time, 1);
    private final AtomicLong drops = new AtomicLong();
    private final ManualNode node = ManualNode.open(store, time, this::settings);
    private final Recorder recorder = new Recorder();

    private FanfareBuilder settings(FanfareBuilder builder) {
        return builder.namespace("metrics", rules -> rules.retain(500, Duration.ofHours(1)))
                .namespace("typing", rules -> rules)
                .listener(new FanfareListener() {
                    @Override
                    public void onDrop(ChannelId channel, DropReason reason, long count) {
                        drops.addAndGet(count);
                    }
                });
    }

    @AfterEach
    void close() {
        node.close();
    }

    /** Writes down what it hears. */
    private static class Recorder implements PatternSubscriber {
        final List<String> heard = new ArrayList<>();

        @Override
        public void onPublication(ChannelId channel, Publication publication) {
            heard.add(channel + "=" + publication.data().text());
        }

        @Override
        public void onMissed(ChannelId channel) {
            heard.add("missed " + channel);
        }

        @Override
        public void onInterrupted() {
            heard.add("interrupted");
        }

        @Override
        public void onEnded(UnsubscribeReason reason) {
            heard.add("ended " + reason);
        }

        List<String> take() {
            List<String> taken = List.copyOf(heard);
            heard.clear();
            return taken;
        }
    }

    /** Says of logged publications only that they are there, as a database does to other nodes. */
    private final class ByReference implements Store {
        private final Bus bus = new Bus() {
            @Override
            public CompletionStage<Watch> watch(ChannelId channel, Watcher watcher) {
                return store.bus().watch(channel, watcher);
            }

            @Override
            public CompletionStage<Watch> watchMatching(ChannelPattern pattern, Watcher watcher) {
                return store.bus().watchMatching(pattern, new Watcher() {
                    @Override
                    public void announced(Announcement announcement) {
                        Publication publication = ((Announcement.Published) announcement).publication();
                        watcher.announced(
                                publication.isLogged()
                                        ? new Announcement.Moved(announcement.channel(), publication.cursor())
                                        : announcement);
                    }

                    @Override
                    public void interrupted() {
                        watcher.interrupted();
                    }
                });
            }

            @Override
            public CompletionStage<Void> announce(Announcement announcement) {
                return store.bus().announce(announcement);
            }
        };

        @Override
        public ChannelLog log() {
            return store.log();
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

    private PatternSubscription subscribe(ManualNode on, String pattern, PatternSubscriber subscriber) {
        PatternSubscription subscription = on.fanfare.subscribeMatching(pattern, subscriber);
        on.endFirst(subscription::close);
        on.await(subscription.ready());
        return subscription;
    }

    @Test
    void everyMatchingChannelIsHeardInItsOrderFromNowOn() {
        node.publish("metrics:a", "before");
        subscribe(node, "metrics:*", recorder);

        node.publish("metrics:a", "1");
        node.publish("typing:a", "elsewhere");
        node.publish("metrics:new", "2");
        node.publish("metrics:a", "3");
        node.settle();

        assertThat(recorder.take()).containsExactly("metrics:a=1", "metrics:new=2", "metrics:a=3");
    }

    @Test
    void whatNoLogKeepsIsHeardToo() {
        subscribe(node, "*:a", recorder);

        node.publish("typing:a", "1");
        node.publish("metrics:a", "2");
        node.settle();

        assertThat(recorder.take()).containsExactly("typing:a=1", "metrics:a=2");
    }

    @Test
    void afterCloseNothingIsHeard() {
        PatternSubscription subscription = subscribe(node, "metrics:*", recorder);
        node.publish("metrics:a", "1");
        node.settle();

        subscription.close();
        subscription.close();
        node.settle();
        node.publish("metrics:a", "2");
        node.settle();

        assertThat(recorder.take()).containsExactly("metrics:a=1", "ended BY_SUBSCRIBER");
    }

    @Test
    void aHoleIsFilledFromTheLog() {
        subscribe(node, "metrics:*", recorder);
        node.publish("metrics:a", "1");
        store.bus().lose(1);
        node.publishMany("metrics:a", 2, 400);
        store.heal();

        node.publish("metrics:a", "401");
        node.settle();

        List<String> expected = new ArrayList<>();
        for (int i = 1; i <= 401; i++) {
            expected.add("metrics:a=" + i);
        }
        assertThat(recorder.take()).containsExactlyElementsOf(expected);
    }

    @Test
    void aHoleThatTheLogCannotFillIsTold() {
        subscribe(node, "metrics:*", recorder);
        node.publish("metrics:a", "1");
        store.bus().lose(1);
        node.publish("metrics:a", "2");
        node.await(node.fanfare.removeHistory(ChannelId.of("metrics:a")));
        store.heal();

        node.publish("metrics:a", "3");
        node.publish("metrics:a", "4");
        node.settle();

        assertThat(recorder.take()).containsExactly("metrics:a=1", "missed metrics:a", "metrics:a=3", "metrics:a=4");
    }

    @Test
    void aChannelThatIsForgottenWhileItsHoleIsFilledIsToldAsMissed() {
        subscribe(node, "metrics:*", recorder);
        node.publish("metrics:a", "1");
        store.bus().lose(1);
        node.publish("metrics:a", "2");
        store.heal();
        Gate read = store.reads().hold();
        node.publish("metrics:a", "3");
        recorder.take();

        for (int i = 1; i <= 10_000; i++) {
            node.publish("metrics:b" + i, "1");
        }
        store.heal();
        read.open();
        node.publish("metrics:a", "4");
        node.settle();

        assertThat(recorder.take())
                .filteredOn(heard -> heard.endsWith("metrics:a") || heard.startsWith("metrics:a="))
                .containsExactly("missed metrics:a", "metrics:a=4");
    }

    @Test
    void repeatedAndReorderedAnnouncementsAreHeardOnceInOrder() {
        subscribe(node, "metrics:*", recorder);
        store.bus().repeat(0.5).swap(0.3);
        node.publishMany("metrics:a", 1, 200);
        store.heal();
        node.publish("metrics:a", "201");
        node.settle();

        List<String> heard = recorder.take();
        int first = Integer.parseInt(heard.get(0).substring("metrics:a=".length()));
        List<String> expected = new ArrayList<>();
        for (int i = first; i <= 201; i++) {
            expected.add("metrics:a=" + i);
        }
        assertThat(heard).containsExactlyElementsOf(expected);
    }

    @Test
    void aFailoverToAStaleReplicaIsToldAsMissed() {
        subscribe(node, "metrics:*", recorder);
        node.publishMany("metrics:a", 1, 3);
        node.settle();
        recorder.take();

        node.await(store.failOver(ChannelId.of("metrics:a"), 1));
        node.publish("metrics:a", "other 2");
        node.publish("metrics:a", "other 3");
        node.publish("metrics:a", "other 4");
        node.settle();

        assertThat(recorder.take()).startsWith("missed metrics:a").endsWith("metrics:a=other 4");
    }

    @Test
    void whatIsAnnouncedByReferenceIsReadFromTheLog() {
        try (ManualNode apart = ManualNode.open(new ByReference(), time, this::settings)) {
            subscribe(apart, "metrics:*", recorder);

            node.publish("metrics:a", "1");
            apart.settle();
            node.publishMany("metrics:a", 2, 50);
            apart.settle();

            List<String> expected = new ArrayList<>();
            for (int i = 1; i <= 50; i++) {
                expected.add("metrics:a=" + i);
            }
            assertThat(recorder.take()).containsExactlyElementsOf(expected);
        }
    }

    @Test
    void whoHearsOfAChannelByReferenceFirstIsToldThatItMayHaveMissedSome() {
        node.publishMany("metrics:a", 1, 5);
        try (ManualNode apart = ManualNode.open(new ByReference(), time, this::settings)) {
            subscribe(apart, "metrics:*", recorder);

            node.publish("metrics:a", "6");
            apart.settle();

            assertThat(recorder.take()).containsExactly("missed metrics:a", "metrics:a=6");
        }
    }

    @Test
    void aLogThatCannotBeReadIsToldAsMissed() {
        try (ManualNode apart = ManualNode.open(new ByReference(), time, this::settings)) {
            subscribe(apart, "metrics:*", recorder);
            store.reads().fail(1);
            node.publish("metrics:a", "1");
            apart.settle();
            store.heal();

            node.publish("metrics:a", "2");
            apart.settle();

            assertThat(recorder.take()).containsExactly("missed metrics:a", "missed metrics:a", "metrics:a=2");
        }
    }

    @Test
    void anInterruptedBusIsTold() {
        subscribe(node, "metrics:*", recorder);

        store.bus().interrupt();
        node.settle();

        assertThat(recorder.take()).containsExactly("interrupted");
    }

    @Test
    void whoIsTooSlowIsToldAndGetsFromTheLogWhatItKeeps() {
        subscribe(node, "*", recorder);
        node.publish("metrics:a", "0");
        node.settle();
        recorder.take();
        for (int i = 0; i < 17_000; i++) {
            node.fanfare.publish("typing:a", Integer.toString(i));
        }
        node.fanfare.publish("metrics:a", "1");

        node.settle();
        node.publish("metrics:a", "2");
        node.settle();

        List<String> heard = recorder.take();
        assertThat(heard).contains("interrupted").endsWith("metrics:a=1", "metrics:a=2");
        long unlogged = heard.stream().filter(each -> each.startsWith("typing")).count();
        assertThat(drops).hasValue(17_000 - unlogged).hasPositiveValue();
    }

    @Test
    void whoThrowsIsEndedAndNobodyElse() {
        subscribe(node, "metrics:*", recorder);
        Recorder broken = new Recorder() {
            @Override
            public void onPublication(ChannelId channel, Publication publication) {
                super.onPublication(channel, publication);
                throw new IllegalStateException("on purpose");
            }
        };
        subscribe(node, "metrics:*", broken);

        node.publishMany("metrics:a", 1, 2);
        node.settle();

        assertThat(broken.take()).containsExactly("metrics:a=1", "ended SUBSCRIBER_FAILED");
        assertThat(recorder.take()).containsExactly("metrics:a=1", "metrics:a=2");
    }

    @Test
    void aPatternOfANamespaceWithoutRulesIsRefused() {
        PatternSubscription subscription = node.fanfare.subscribeMatching("metrisc:*", recorder);
        node.settle();

        assertThatThrownBy(() -> subscription.ready().toCompletableFuture().join())
                .hasCauseInstanceOf(RefusedException.class);
        assertThat(recorder.take()).containsExactly("ended NOT_STARTED");
    }

    @Test
    void aBusThatCannotWatchByPatternIsNoFaultThatPasses() {
        try (ManualNode apart = ManualNode.open(new ScriptedStore(time), time, this::settings)) {
            PatternSubscription subscription = apart.fanfare.subscribeMatching("metrics:*", recorder);
            apart.settle();

            assertThatThrownBy(() -> subscription.ready().toCompletableFuture().join())
                    .hasMessageContaining("cannot watch channels by pattern. Subscribe to the channels by name")
                    .cause()
                    .isInstanceOfSatisfying(RefusedException.class, refused -> {
                        assertThat(refused.reason()).isEqualTo(Refusal.NOT_AVAILABLE);
                        assertThat(refused.isRetryable()).isFalse();
                    });
        }
    }

    @Test
    void closingTheFanfareEndsIt() {
        ManualNode closing = ManualNode.open(store, time, this::settings);
        closing.await(closing.fanfare.subscribeMatching("metrics:*", recorder).ready());

        PatternSubscription late = closing.fanfare.subscribeMatching("metrics:*", recorder);
        late.close();
        closing.settle();
        recorder.take();
        Thread closer = new Thread(closing.fanfare::close, "closer");
        closer.start();
        while (closer.isAlive()) {
            closing.settle();
            Thread.onSpinWait();
        }

        assertThat(recorder.take()).containsExactly("ended SHUTDOWN");
    }
}
