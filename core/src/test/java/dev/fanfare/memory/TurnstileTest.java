package dev.fanfare.memory;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TurnstileTest {

    private final List<String> handed = Collections.synchronizedList(new ArrayList<>());
    private final Queue<Runnable> leftToWorker = new ConcurrentLinkedQueue<>();
    private final Turnstile<String> turnstile = new Turnstile<>(String::length, handed::add, leftToWorker::add);

    @Test
    void itemsAreHandedOnInTheOrderInWhichTheyEntered() {
        assertThat(turnstile.enter("a")).isTrue();
        assertThat(turnstile.enter("b")).isTrue();
        assertThat(handed).isEmpty();

        turnstile.drain();

        assertThat(handed).containsExactly("a", "b");
    }

    @Test
    void whatEntersInsideTheHandlerComesAfterwards() {
        List<String> order = new ArrayList<>();
        List<Turnstile<String>> self = new ArrayList<>();
        self.add(new Turnstile<>(
                String::length,
                item -> {
                    order.add("begin " + item);
                    if (item.equals("a")) {
                        assertThat(self.get(0).enter("b")).isTrue();
                        self.get(0).drain();
                    }
                    order.add("end " + item);
                },
                leftToWorker::add));
        assertThat(self.get(0).enter("a")).isTrue();
        self.get(0).drain();

        assertThat(order).containsExactly("begin a", "end a", "begin b", "end b");
    }

    /** Each round ends with an empty turnstile, whoever drained it: one that stays behind shows at once. */
    @Test
    void nothingStaysBehindAndNoTwoAreHandedOnAtOnce() throws InterruptedException {
        int rounds = 2_000;
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger overlaps = new AtomicInteger();
        AtomicInteger count = new AtomicInteger();
        AtomicInteger leftBehind = new AtomicInteger();
        Turnstile<String> busy = new Turnstile<>(
                String::length,
                item -> {
                    overlaps.addAndGet(inside.getAndIncrement());
                    count.incrementAndGet();
                    inside.decrementAndGet();
                },
                leftToWorker::add);
        CyclicBarrier ends = new CyclicBarrier(2, () -> leftBehind.addAndGet(busy.isEmpty() ? 0 : 1));
        List<Thread> crowd = List.of(passing(busy, ends, rounds), passing(busy, ends, rounds));
        crowd.forEach(Thread::start);
        for (Thread thread : crowd) {
            thread.join(20_000);
        }

        assertThat(leftBehind).hasValue(0);
        assertThat(count).hasValue(2 * 3 * rounds);
        assertThat(overlaps).hasValue(0);
    }

    private static Thread passing(Turnstile<String> turnstile, CyclicBarrier ends, int rounds) {
        return new Thread(() -> {
            for (int round = 0; round < rounds; round++) {
                for (int n = 0; n < 3; n++) {
                    assertThat(turnstile.enter("x")).isTrue();
                    turnstile.drain();
                }
                try {
                    ends.await(20, SECONDS);
                } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
                    throw new AssertionError(e);
                }
            }
        });
    }

    @Test
    void nobodyIsCapturedByWhatOthersBring() {
        for (int n = 0; n < 300; n++) {
            assertThat(turnstile.enter(Integer.toString(n))).isTrue();
        }

        turnstile.drain();

        assertThat(handed).hasSize(128);
        assertThat(leftToWorker).hasSize(1);
        leftToWorker.remove().run();
        assertThat(handed).hasSize(256);
        leftToWorker.remove().run();
        assertThat(handed).hasSize(300).startsWith("0", "1").endsWith("299");
        assertThat(leftToWorker).isEmpty();
    }

    @Test
    void aFullOneLetsNothingInUntilItIsDrained() {
        String megabyte = "x".repeat(1 << 20);
        int entered = 0;
        while (turnstile.enter(megabyte)) {
            entered++;
        }

        assertThat(entered).isBetween(63, 65);
        assertThat(turnstile.isFull()).isTrue();
        turnstile.drain();
        assertThat(handed).hasSize(entered);
        assertThat(turnstile.isFull()).isFalse();
    }
}
