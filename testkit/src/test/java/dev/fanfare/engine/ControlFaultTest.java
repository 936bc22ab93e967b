package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.DisconnectReason;
import dev.fanfare.StoreException;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Disconnected;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What hosts and clients see of a control bus that fails. */
@ExtendWith(Quiet.class)
class ControlFaultTest {

    private final ManualTime time = new ManualTime();
    private final FaultyStore store = FaultyStore.wrap(MemoryStore.create(time), time, 1);
    private @Nullable ManualNode node;

    private ManualNode open() {
        ManualNode opened = ManualNode.open(store, time, builder -> builder);
        node = opened;
        return opened;
    }

    @AfterEach
    void close() {
        store.heal();
        if (node != null) {
            node.close();
        }
    }

    @Test
    void anOrderThatCannotBeSentFailsAndMayBeTriedAgain() {
        ManualNode here = open();
        RecordingOutlet ann = here.connect("ann");
        store.controlCalls().fail(1);

        CompletableFuture<Void> ordered = here.fanfare
                .connections()
                .disconnect("ann", DisconnectReason.FORCE_DISCONNECT)
                .toCompletableFuture();
        here.settle();

        assertThatThrownBy(ordered::join)
                .cause()
                .isInstanceOfSatisfying(
                        StoreException.class,
                        failure -> assertThat(failure.isRetryable()).isTrue());
        assertThat(ann.events()).isEmpty();
    }

    @Test
    void aNodeThatCouldNotJoinJoinsLater() {
        store.controlCalls().fail(1);
        ManualNode here = open();
        RecordingOutlet ann = here.connect("ann");
        store.heal();
        here.pass(Duration.ofSeconds(5));

        here.fanfare.connections().disconnect("ann", DisconnectReason.FORCE_DISCONNECT);
        here.settle();

        assertThat(ann.events()).containsExactly(new Disconnected(DisconnectReason.FORCE_DISCONNECT));
    }

    @Test
    void aQuestionToAClusterThatDoesNotAnswerIsGivenUp() {
        ManualNode here = open();
        store.controlCalls().hold();

        CompletableFuture<Integer> count = here.fanfare.connections().count().toCompletableFuture();
        here.pass(Duration.ofSeconds(10));

        assertThat(count).isDone();
    }
}
