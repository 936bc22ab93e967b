package dev.fanfare.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.FanfareListener;
import dev.fanfare.memory.MemoryStore;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HubTest {

    private final SystemTime time = new SystemTime();
    private final Calls calls = new Calls(Runnable::run, Runnable::run, time);
    private final Hub hub = new Hub(MemoryStore.create(), new FanfareListener() {}, time, calls, Runnable::run, 64);

    @AfterEach
    void close() {
        hub.close();
        time.close();
    }

    @Test
    void aLoopIsForgottenWhenItsLastConnectionIsGone() {
        Executor loop = Runnable::run;
        LoopQueue first = hub.queue(loop);
        LoopQueue second = hub.queue(loop);
        assertThat(second).isSameAs(first);

        hub.release(first);
        assertThat(hub.queue(loop)).isSameAs(first);
        hub.release(first);
        hub.release(first);

        assertThat(hub.queue(loop)).isNotSameAs(first);
    }
}
