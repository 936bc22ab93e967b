package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ClosedException;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Health;
import dev.fanfare.StartAt;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Disconnected;
import dev.fanfare.testkit.RecordingOutlet.Presence;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How a node sends its clients away. */
class DrainTest {

    private static final Duration WINDOW = Duration.ofSeconds(10);

    private final ManualTime time = new ManualTime();
    private final MemoryStore store = MemoryStore.create(time);

    private ManualNode node() {
        return ManualNode.open(
                store,
                time,
                builder -> builder.namespace(
                        "log", rules -> rules.retain(100, Duration.ofHours(1)).presence()));
    }

    private static List<RecordingOutlet> connect(ManualNode node, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> node.connect("user-" + i))
                .toList();
    }

    private static boolean isSentAway(RecordingOutlet outlet) {
        return outlet.events().contains(new Disconnected(DisconnectReason.SHUTDOWN));
    }

    private static List<Integer> sentAway(List<RecordingOutlet> outlets) {
        return IntStream.range(0, outlets.size())
                .filter(i -> isSentAway(outlets.get(i)))
                .boxed()
                .toList();
    }

    @Test
    void clientsAreSentAwayEvenlyAndInRandomOrder() {
        try (ManualNode node = node()) {
            List<RecordingOutlet> clients = connect(node, 200);

            CompletableFuture<Void> drained = node.fanfare.drain(WINDOW).toCompletableFuture();
            assertThat(sentAway(clients)).isEmpty();
            List<Integer> perSecond = new ArrayList<>();
            for (int second = 1; second <= 9; second++) {
                int before = sentAway(clients).size();
                node.pass(Duration.ofSeconds(1));
                perSecond.add(sentAway(clients).size() - before);
            }
            List<Integer> gone = sentAway(clients);
            assertThat(perSecond).allSatisfy(count -> assertThat(count).isBetween(18, 22));
            assertThat(gone)
                    .as("not those who came first")
                    .isNotEqualTo(IntStream.range(0, gone.size()).boxed().toList());
            assertThat(drained).isNotDone();
            node.pass(Duration.ofSeconds(2));
            assertThat(sentAway(clients)).hasSize(200);
            assertThat(drained).isDone();
        }
    }

    @Test
    void whoIsNotSentAwayYetIsServed() {
        try (ManualNode node = node()) {
            RecordingOutlet client = node.subscribed("log:a", StartAt.live());
            node.fanfare.drain(WINDOW);

            node.publish("log:a", "still here");
            node.settle();

            assertThat(client.texts("log:a")).containsExactly("still here");
        }
    }

    @Test
    void aDrainingNodeIsNotReadyAndTakesNobodyIn() {
        try (ManualNode node = node()) {
            assertThat(node.fanfare.health()).isEqualTo(Health.up());
            node.fanfare.drain(WINDOW);

            assertThat(node.fanfare.health()).isEqualTo(Health.down("draining"));
            assertThat(node.fanfare.gateway().isAccepting()).isFalse();
            assertThat(node.fanfare.gateway().isOpen()).isTrue();
            assertThatThrownBy(() -> node.connect("late")).isInstanceOf(ClosedException.class);
        }
    }

    @Test
    void aWindowOfZeroSendsEverybodyAwayAtOnce() {
        try (ManualNode node = node()) {
            List<RecordingOutlet> clients = connect(node, 20);

            node.fanfare.drain(Duration.ZERO);
            node.settle();

            assertThat(sentAway(clients)).hasSize(20);
        }
    }

    @Test
    void withoutClientsItIsOverAtOnceAndASecondCallAgrees() {
        try (ManualNode node = node()) {
            CompletableFuture<Void> first = node.fanfare.drain(Duration.ZERO).toCompletableFuture();
            CompletableFuture<Void> second = node.fanfare.drain(WINDOW).toCompletableFuture();
            node.settle();

            assertThat(first).isCompleted();
            assertThat(second).isCompleted();
        }
    }

    @Test
    void clientsThatDoNotCloseAreNotWaitedForForEver() {
        try (ManualNode node = node()) {
            node.connect("stuck", new ManualLoop(), node.format); // nobody runs that loop
            CompletableFuture<Void> drained =
                    node.fanfare.drain(Duration.ofSeconds(1)).toCompletableFuture();

            node.pass(Duration.ofSeconds(5));
            assertThat(drained).isNotDone();
            node.pass(Duration.ofSeconds(10));
            assertThat(drained).isDone();
        }
    }

    @Test
    void whoIsBackOnAnotherNodeWithinTheGraceNeverLeft() {
        try (ManualNode leaving = node();
                ManualNode other = node()) {
            RecordingOutlet witness = other.connect("witness").subscribe("log:a", StartAt.live());
            RecordingOutlet client = leaving.connect("ada").subscribe("log:a", StartAt.live());
            leaving.settle();
            other.settle();
            witness.takeEvents();

            leaving.fanfare.drain(Duration.ofSeconds(1));
            leaving.pass(Duration.ofSeconds(2));
            client.vanish();
            leaving.settle();
            other.connect("ada").subscribe("log:a", StartAt.live());
            other.settle();
            leaving.close();
            other.pass(Duration.ofSeconds(60));

            assertThat(witness.takeEvents()).noneMatch(Presence.class::isInstance);
        }
    }
}
