package dev.fanfare.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TurnstileTest {

    private final List<String> handed = Collections.synchronizedList(new ArrayList<>());
    private final Turnstile<String> turnstile = new Turnstile<>(String::length, handed::add);

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
        self.add(new Turnstile<>(String::length, item -> {
            order.add("begin " + item);
            if (item.equals("a")) {
                assertThat(self.get(0).enter("b")).isTrue();
                self.get(0).drain();
            }
            order.add("end " + item);
        }));
        assertThat(self.get(0).enter("a")).isTrue();
        self.get(0).drain();

        assertThat(order).containsExactly("begin a", "end a", "begin b", "end b");
    }

    @Test
    void nothingStaysBehindAndNoTwoAreHandedOnAtOnce() throws InterruptedException {
        int threads = 4;
        int each = 5_000;
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger overlaps = new AtomicInteger();
        AtomicInteger count = new AtomicInteger();
        Turnstile<String> busy = new Turnstile<>(String::length, item -> {
            overlaps.addAndGet(inside.getAndIncrement());
            count.incrementAndGet();
            inside.decrementAndGet();
        });
        List<Thread> crowd = new ArrayList<>();
        CountDownLatch start = new CountDownLatch(threads);
        for (int i = 0; i < threads; i++) {
            crowd.add(new Thread(() -> {
                start.countDown();
                for (int n = 0; n < each; n++) {
                    if (!busy.enter("x")) {
                        overlaps.incrementAndGet();
                    }
                    busy.drain();
                }
            }));
        }
        crowd.forEach(Thread::start);
        for (Thread thread : crowd) {
            thread.join(20_000);
        }

        assertThat(count).hasValue(threads * each);
        assertThat(overlaps).hasValue(0);
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
