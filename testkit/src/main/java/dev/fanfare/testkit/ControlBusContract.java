package dev.fanfare.testkit;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.ControlBus.Membership;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

/**
 * The contract of {@link ControlBus}, case by case.
 *
 * <p><b>Threading:</b> as JUnit says; one instance per test.
 */
public abstract class ControlBusContract extends StoreContract {

    private static final Duration UNTIL_LISTED_NO_MORE = Duration.ofSeconds(16);

    private final String nodeA = unique("node-a");
    private final String nodeB = unique("node-b");
    private final Inbox inboxA = new Inbox();
    private final Inbox inboxB = new Inbox();

    /** Makes the suite over that fixture. */
    protected ControlBusContract(StoreFixture fixture) {
        super(fixture);
    }

    @Test
    void clause1AMessageReachesEveryNodeAndItsSender() {
        ControlBus here = store().control();
        await(here.join(nodeA, inboxA::take));
        await(otherNode().control().join(nodeB, inboxB::take));

        await(here.send(unique("hello ü")));

        assertThat(inboxA.next()).isEqualTo(unique("hello ü"));
        assertThat(inboxB.next()).isEqualTo(unique("hello ü"));
    }

    @Test
    void clause1WhoHasNotJoinedMaySendAndHearsNothing() {
        await(store().control().join(nodeA, inboxA::take));

        await(otherNode().control().send(unique("a")));

        assertThat(inboxA.next()).isEqualTo(unique("a"));
        assertThat(inboxB.isEmpty()).isTrue();
    }

    @Test
    void clause1WhoLeftHearsNothingMore() {
        ControlBus there = otherNode().control();
        await(store().control().join(nodeA, inboxA::take));
        Membership membership = await(there.join(nodeB, inboxB::take));
        await(there.send(unique("a")));
        assertThat(inboxB.next()).isEqualTo(unique("a"));
        assertThat(inboxA.next()).isEqualTo(unique("a"));

        membership.close();
        await(store().control().send(unique("b")));

        assertThat(inboxA.next()).isEqualTo(unique("b"));
        assertThat(inboxB.isEmpty()).isTrue();
    }

    @Test
    void clause1TheLongestMessageArrivesWhole() {
        await(store().control().join(nodeA, inboxA::take));
        String start = unique("long");
        String message = start + "x".repeat(ControlBus.MAX_MESSAGE_LENGTH - start.length());

        await(store().control().send(message));

        assertThat(inboxA.next()).isEqualTo(message);
    }

    @Test
    void clause2MessagesOfOneSenderArriveInOrder() {
        ControlBus here = store().control();
        ControlBus there = otherNode().control();
        await(here.join(nodeA, inboxA::take));
        await(there.join(nodeB, inboxB::take));

        together(2, number -> {
            ControlBus sender = number == 0 ? here : there;
            for (int i = 0; i < 200; i++) {
                await(sender.send(unique(number + ":" + i)));
            }
        });

        for (Inbox inbox : List.of(inboxA, inboxB)) {
            int[] next = new int[2];
            for (int i = 0; i < 400; i++) {
                String[] parts = inbox.next().substring(unique("").length()).split(":", 2);
                int sender = Integer.parseInt(parts[0]);
                assertThat(Integer.parseInt(parts[1])).as("of " + sender).isEqualTo(next[sender]++);
            }
        }
    }

    @Test
    void clause3TheNodesThatJoinedAreListed() {
        await(store().control().join(nodeA, inboxA::take));
        await(otherNode().control().join(nodeB, inboxB::take));

        assertThat(nodes()).contains(nodeA, nodeB);
    }

    @Test
    void clause3WhoLeftIsListedNoMoreAfterFifteenSeconds() {
        await(store().control().join(nodeA, inboxA::take));
        Membership membership = await(otherNode().control().join(nodeB, inboxB::take));

        membership.close();
        passSeconds(UNTIL_LISTED_NO_MORE);

        assertThat(nodes()).contains(nodeA).doesNotContain(nodeB);
    }

    @Test
    void clause3ANodeMayJoinAgain() {
        await(store().control().join(nodeA, inboxA::take)).close();

        await(store().control().join(nodeA, inboxB::take));
        await(store().control().send(unique("a")));

        assertThat(inboxB.next()).isEqualTo(unique("a"));
        assertThat(inboxA.isEmpty()).isTrue();
        assertThat(nodes()).contains(nodeA);
    }

    private Set<String> nodes() {
        return await(store().control().nodes());
    }

    /** Collects the messages of this test; others may use the same bus. */
    private final class Inbox {
        private final BlockingQueue<String> messages = new LinkedBlockingQueue<>();

        void take(String message) {
            if (message.startsWith(unique(""))) {
                messages.add(message);
            }
        }

        boolean isEmpty() {
            return messages.isEmpty();
        }

        String next() {
            try {
                String next = messages.poll(PATIENCE.toSeconds(), SECONDS);
                if (next == null) {
                    throw new AssertionError("No message came within " + PATIENCE);
                }
                return next;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("Interrupted", e);
            }
        }
    }
}
