package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.Connections;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Selection;
import dev.fanfare.StoreException;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.testkit.FaultyStore;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Disconnected;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What hosts and clients see of a control bus that fails. */
@ExtendWith(Quiet.class)
class ControlFaultTest {

    private static final String ODD = " %-9zu\0\uffff";

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

    /** What nodes of every kind of message say, spoiled at random, as a broken or newer node might. */
    @Test
    void whatCannotBeUnderstoodIsPassedOver() {
        ManualNode here = open();
        RecordingOutlet ann = here.connect("ann");
        List<String> said = new ArrayList<>();
        store.control().join("listener", said::add);
        sayEverything(here);
        Random random = new Random(20_261_129);

        for (String line : List.copyOf(said)) {
            for (int i = 0; i < 500; i++) {
                store.control().send(spoiled(line, random));
            }
            here.settle();
        }

        assertThat(said).as("that much was said").hasSizeGreaterThan(8 * 500);
        assertThat(ann.events()).isEmpty();
        here.fanfare.connections().disconnect("ann", DisconnectReason.FORCE_DISCONNECT);
        here.settle();
        assertThat(ann.events()).containsExactly(new Disconnected(DisconnectReason.FORCE_DISCONNECT));
    }

    private static void sayEverything(ManualNode here) {
        Connections connections = here.fanfare.connections();
        Selection nobody = Selection.ofUser("nobody").except(Set.of("c1", "c2"));
        ChannelId channel = ChannelId.of("a");
        connections.disconnect(nobody, DisconnectReason.FORCE_DISCONNECT);
        connections.refresh(nobody, Instant.ofEpochSecond(99));
        connections.subscribe(nobody, channel, null);
        connections.unsubscribe(nobody, channel);
        connections.count();
        connections.channels("*");
        here.fanfare.gateway().mailboxes().post("listener", "an address", new byte[100]);
        here.settle();
    }

    /** Cuts, doubles, swaps or overwrites a few characters. */
    private static String spoiled(String line, Random random) {
        StringBuilder text = new StringBuilder(line);
        for (int changes = 1 + random.nextInt(3); changes > 0 && text.length() > 1; changes--) {
            int at = random.nextInt(text.length());
            switch (random.nextInt(4)) {
                case 0 -> text.setLength(at);
                case 1 -> text.insert(at, text.substring(at));
                case 2 -> text.setCharAt(at, ODD.charAt(random.nextInt(ODD.length())));
                default -> text.deleteCharAt(at);
            }
        }
        return text.toString();
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
