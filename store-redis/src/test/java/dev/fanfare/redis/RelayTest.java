package dev.fanfare.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.faults.CausesFault;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What comes too fast is dropped, counted and announced, and order is kept. */
class RelayTest {

    private final Counters counters = new Counters();
    private final Relay relay = new Relay(2, counters);

    @AfterEach
    void close() {
        relay.close();
    }

    private static class RecordingLine extends Line {
        final List<Integer> heard = new ArrayList<>();
        final AtomicInteger interruptions = new AtomicInteger();
        final CountDownLatch gate;

        RecordingLine(String name, CountDownLatch gate) {
            super(PubSub.PLAIN, name);
            this.gate = gate;
        }

        @Override
        void message(byte[] bytes) {
            try {
                gate.await();
            } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
            }
            synchronized (heard) {
                heard.add((bytes[0] & 0xff) << 16 | (bytes[1] & 0xff) << 8 | bytes[2] & 0xff);
            }
        }

        @Override
        void interrupted() {
            interruptions.incrementAndGet();
        }

        int count() {
            synchronized (heard) {
                return heard.size();
            }
        }
    }

    private static byte[] number(int i) {
        return new byte[] {(byte) (i >> 16), (byte) (i >> 8), (byte) i};
    }

    @Test
    void messagesOfALineArriveInOrder() {
        RecordingLine line = new RecordingLine("a", new CountDownLatch(0));
        for (int i = 0; i < 10_000; i++) {
            relay.message(line, number(i));
        }

        await().until(() -> line.count() == 10_000);
        assertThat(line.heard).isSorted().doesNotHaveDuplicates();
        assertThat(line.interruptions).hasValue(0);
        assertThat(counters.overflows.sum()).isZero();
    }

    @Test
    void whatOverflowsIsCountedAndTheLineIsToldOnce() {
        CountDownLatch gate = new CountDownLatch(1);
        RecordingLine line = new RecordingLine("a", gate);
        for (int i = 0; i < 40_000; i++) {
            relay.message(line, number(i));
        }
        long dropped = counters.overflows.sum();
        assertThat(dropped).isGreaterThan(20_000);
        gate.countDown();

        await().until(() -> line.count() == 40_000 - dropped && line.interruptions.get() > 0);
        assertThat(line.heard).isSorted();
        assertThat(line.interruptions).hasValue(1);
        assertThat(counters.interruptions.sum()).isEqualTo(1);
    }

    @Test
    void largeMessagesAreBoundedByTheirBytes() {
        CountDownLatch gate = new CountDownLatch(1);
        RecordingLine line = new RecordingLine("a", gate);
        for (int i = 0; i < 100; i++) {
            relay.message(line, new byte[1 << 20]);
        }

        assertThat(counters.overflows.sum()).isBetween(60L, 70L);
        gate.countDown();
        await().until(() -> line.interruptions.get() == 1);
    }

    @Test
    @CausesFault("A watcher of the Redis store threw")
    void aLineThatThrowsDoesNotStopTheOthers() {
        Line broken = new Line(PubSub.PLAIN, "b") {
            @Override
            void message(byte[] bytes) {
                throw new IllegalStateException("on purpose");
            }

            @Override
            void interrupted() {
                throw new IllegalStateException("on purpose");
            }
        };
        RecordingLine line = new RecordingLine("b", new CountDownLatch(0));
        relay.message(broken, number(1));
        relay.interrupt(broken);
        relay.message(line, number(2));

        await().until(() -> line.count() == 1);
    }
}
