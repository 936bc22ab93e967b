package dev.fanfare.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.FanfareBuilder;
import dev.fanfare.StoreException;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.Mailboxes;
import dev.fanfare.spi.Mailboxes.Delivery;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import dev.fanfare.testkit.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Bytes for a mailbox reach it from every node, in order, and whoever sent them learns what became of them. */
class MailTest {

    private static final String ADDRESS = "unguessable";

    private final ManualTime time = new ManualTime();
    private final MemoryStore store = MemoryStore.create(time);
    private final ManualNode one = ManualNode.open(store, time, UnaryOperator.<FanfareBuilder>identity());
    private final AtomicInteger looks = new AtomicInteger();
    private CompletableFuture<Void> look = CompletableFuture.completedFuture(null);
    private final ManualNode two = ManualNode.open(new WatchedStore(), time, UnaryOperator.<FanfareBuilder>identity());
    private final List<String> received = new ArrayList<>();

    @AfterEach
    void close() {
        one.close();
        two.close();
    }

    @Test
    void aPostReachesAMailboxOfTheSameNode() {
        Mailboxes.Mailbox mailbox = open();

        assertThat(post(one, "a")).isEqualTo(Delivery.DELIVERED);

        mailbox.close();
        assertThat(post(one, "b")).isEqualTo(Delivery.NO_MAILBOX);
        assertThat(received).containsExactly("a");
    }

    @Test
    void postsFromAnotherNodeArriveInTheirOrder() {
        open();

        List<CompletionStage<Delivery>> posts = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            posts.add(send(two, Integer.toString(i)));
        }
        settle();

        assertThat(posts).allSatisfy(post -> assertThat(post).isCompletedWithValue(Delivery.DELIVERED));
        assertThat(received).hasSize(100).startsWith("0", "1", "2").endsWith("99");
        assertThat(received).isSortedAccordingTo((a, b) -> Integer.parseInt(a) - Integer.parseInt(b));
    }

    @Test
    void bytesOfEveryKindArriveAsTheyWere() {
        byte[] bytes = new byte[256];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        List<byte[]> seen = new ArrayList<>();
        one.fanfare.gateway().mailboxes().open(ADDRESS, seen::add);

        CompletionStage<Delivery> sent =
                two.fanfare.gateway().mailboxes().post(one.fanfare.gateway().node(), ADDRESS, bytes.clone());
        settle();

        assertThat(sent).isCompletedWithValue(Delivery.DELIVERED);
        assertThat(seen).singleElement().isEqualTo(bytes);
    }

    @Test
    void whoCannotTakeItSaysSoToOtherNodes() {
        one.fanfare.gateway().mailboxes().open(ADDRESS, bytes -> false);

        assertThat(post(two, "a")).isEqualTo(Delivery.REFUSED);
    }

    @Test
    void anUnknownAddressOfAnotherNodeIsToldApartFromAnUnknownNode() {
        assertThat(post(two, "a")).isEqualTo(Delivery.NO_MAILBOX);
        assertThat(two.await(two.fanfare.gateway().mailboxes().post("nowhere", ADDRESS, new byte[1])))
                .isEqualTo(Delivery.NO_NODE);
    }

    @Test
    void whatIsTooLargeForTheBusIsNotSent() {
        open();

        assertThat(post(two, "x".repeat(Mailboxes.MAX_REMOTE_BYTES + 1))).isEqualTo(Delivery.TOO_LARGE);
        assertThat(post(two, "x".repeat(Mailboxes.MAX_REMOTE_BYTES))).isEqualTo(Delivery.DELIVERED);
        assertThat(post(one, "x".repeat(Mailboxes.MAX_REMOTE_BYTES + 1))).isEqualTo(Delivery.DELIVERED);
    }

    @Test
    void aNodeThatDoesNotAnswerIsNotWaitedForForEver() {
        store.control().join("silent", message -> {});

        CompletionStage<Delivery> sent = two.fanfare.gateway().mailboxes().post("silent", ADDRESS, new byte[1]);
        two.pass(Duration.ofSeconds(3));

        assertThatThrownBy(() -> two.await(sent)).hasCauseInstanceOf(StoreException.class);
    }

    @Test
    void onlySoManyPostsWaitForOtherNodesAtATime() {
        store.control().join("silent", message -> {});

        List<CompletionStage<Delivery>> sent = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            sent.add(two.fanfare.gateway().mailboxes().post("silent", ADDRESS, new byte[1]));
        }

        assertThat(sent.subList(256, 300)).allSatisfy(each -> assertThat(each).isCompletedWithValue(Delivery.TOO_MANY));
        two.pass(Duration.ofSeconds(3));
        assertThat(sent.subList(0, 256))
                .as("those that nobody answered")
                .allSatisfy(each -> assertThat(each).isCompletedExceptionally());
    }

    @Test
    void nodesThatAreMadeUpAreAskedForOnlySoOften() {
        List<String> heard = new ArrayList<>();
        store.control().join("watcher", heard::add);
        post(two, "a"); // now it knows who is there

        List<CompletionStage<Delivery>> sent = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            sent.add(two.fanfare.gateway().mailboxes().post("made-up-" + i, ADDRESS, new byte[1]));
            settle();
        }

        assertThat(sent.subList(0, 100)).allSatisfy(each -> assertThat(each).isCompletedWithValue(Delivery.NO_NODE));
        assertThat(sent.subList(100, 1000))
                .allSatisfy(each -> assertThat(each).isCompletedWithValue(Delivery.TOO_MANY));
        assertThat(heard).filteredOn(message -> message.contains("made-up-")).hasSize(100);
        open();
        assertThat(post(two, "a")).as("to a node that is there").isEqualTo(Delivery.DELIVERED);
    }

    @Test
    void aNodeThatHasJustStartedTakesPostsForAllOthers() {
        open();
        look = new CompletableFuture<>();

        List<CompletionStage<Delivery>> sent = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            sent.add(send(two, Integer.toString(i)));
        }
        settle();

        assertThat(sent).allSatisfy(each -> assertThat(each).isCompletedWithValue(Delivery.DELIVERED));
    }

    @Test
    void postsThatComeTogetherLookOnceWhoIsThere() {
        open();
        post(two, "a");
        two.pass(Duration.ofSeconds(2));
        long before = looks.get();
        look = new CompletableFuture<>();

        List<CompletionStage<Delivery>> sent = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            sent.add(send(two, Integer.toString(i)));
        }
        settle();

        assertThat(sent).allSatisfy(each -> assertThat(each).isCompletedWithValue(Delivery.DELIVERED));
        assertThat(looks.get() - before).isEqualTo(1);
    }

    @Test
    void anAddressIsTakenOnlyOnce() {
        open();

        assertThatThrownBy(this::open).isInstanceOf(IllegalArgumentException.class);
    }

    private Mailboxes.Mailbox open() {
        return one.fanfare.gateway().mailboxes().open(ADDRESS, bytes -> received.add(new String(bytes, UTF_8)));
    }

    private Delivery post(ManualNode from, String text) {
        CompletionStage<Delivery> sent = send(from, text);
        settle();
        return from.await(sent);
    }

    private CompletionStage<Delivery> send(ManualNode from, String text) {
        return from.fanfare.gateway().mailboxes().post(one.fanfare.gateway().node(), ADDRESS, text.getBytes(UTF_8));
    }

    private void settle() {
        one.settle();
        two.settle();
    }

    /** Counts how often node two looks which nodes there are. */
    private final class WatchedStore implements Store, ControlBus {
        @Override
        public ChannelLog log() {
            return store.log();
        }

        @Override
        public Bus bus() {
            return store.bus();
        }

        @Override
        public PresenceStore presence() {
            return store.presence();
        }

        @Override
        public ControlBus control() {
            return this;
        }

        @Override
        public LatestValues latestValues() {
            return store.latestValues();
        }

        @Override
        public CompletionStage<Membership> join(String node, Consumer<String> handler) {
            return store.control().join(node, handler);
        }

        @Override
        public CompletionStage<Void> send(String message) {
            return store.control().send(message);
        }

        @Override
        public CompletionStage<Set<String>> nodes() {
            looks.incrementAndGet();
            return look.thenCompose(open -> store.control().nodes());
        }
    }
}
