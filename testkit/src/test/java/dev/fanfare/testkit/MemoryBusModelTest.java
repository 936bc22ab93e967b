package dev.fanfare.testkit;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog.LogRead;
import dev.fanfare.spi.Store;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * Who watches and then reads has missed nothing: whatever the read did not have is announced, once and in order.
 * Holds for every interleaving that the model checker tries; the windows are too small for a race to hit. It
 * tries ten times as many with {@code -Pstress}.
 */
public class MemoryBusModelTest {

    private static final ChannelId ROOM = ChannelId.of("room");
    private static final ChannelRules RULES =
            ChannelRules.builder().retain(10, Duration.ofHours(1)).build();

    private final Store store = MemoryStore.create(new StandingTime());
    private final long[] heard = new long[10];
    private int heardCount;
    private long readUpTo = -1;

    @Operation
    public void append() {
        AppendRequest request = new AppendRequest(ROOM, Payload.EMPTY, PublishOptions.none(), null, RULES, 1);
        CompletionStage<?> unused = store.log().append(request);
    }

    @Operation(runOnce = true)
    public void watchAndRead() {
        CompletionStage<?> unused = store.bus().watch(ROOM, new Bus.Watcher() {
            @Override
            public void announced(Announcement announcement) {
                heard[heardCount++] =
                        ((Announcement.Published) announcement).publication().offset();
            }

            @Override
            public void interrupted() {}
        });
        readUpTo = top();
    }

    @Validate
    public void nothingIsMissed() {
        long top = top();
        long next = readUpTo + 1;
        for (int i = 0; i < heardCount; i++) {
            if (heard[i] == next) {
                next++;
            } else if (heard[i] > readUpTo) {
                throw new IllegalStateException("Heard " + heard[i] + " instead of " + next);
            }
        }
        if (readUpTo >= 0 && next <= top) {
            throw new IllegalStateException("Read up to " + readUpTo + " and did not hear " + next);
        }
    }

    @Test
    void whoWatchesWhileOthersAppendMissesNothing() throws NoSuchMethodException {
        check(List.of(), List.of(actor("watchAndRead")), List.of(actor("append")));
    }

    @Test
    void whoWatchesHearsOfConcurrentAppendsInOrder() throws NoSuchMethodException {
        check(List.of(actor("watchAndRead")), List.of(actor("append")), List.of(actor("append")));
    }

    private static void check(List<Actor> before, List<Actor> here, List<Actor> there) throws NoSuchMethodException {
        new ModelCheckingOptions()
                .addCustomScenario(
                        new ExecutionScenario(before, List.of(here, there), List.of(), actor("nothingIsMissed")))
                .iterations(0)
                .invocationsPerIteration(StoreContract.iterations() > 1 ? 200 : 20)
                .minimizeFailedScenario(false)
                .check(MemoryBusModelTest.class);
    }

    private static Actor actor(String method) throws NoSuchMethodException {
        return new Actor(MemoryBusModelTest.class.getMethod(method), List.of());
    }

    private long top() {
        return store.log()
                .read(LogRead.head(ROOM))
                .toCompletableFuture()
                .join()
                .head()
                .offset();
    }

    /** Does not move, so that the checker sees the same run every time. */
    private static final class StandingTime implements TimeSource {
        @Override
        public long millis() {
            return 0;
        }

        @Override
        public long nanos() {
            return 0;
        }

        @Override
        public Timer schedule(Duration delay, Runnable task) {
            throw new UnsupportedOperationException();
        }
    }
}
