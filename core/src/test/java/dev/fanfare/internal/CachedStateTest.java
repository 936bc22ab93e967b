package dev.fanfare.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.ClosedException;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.StateAt;
import dev.fanfare.StateCache.Source;
import dev.fanfare.memory.MemoryStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CachedStateTest {

    private final Engine engine = (Engine) Fanfare.builder()
            .namespace("batch", rules -> rules.retain(1, Duration.ofHours(1)))
            .build();
    private final List<Source> answers = new ArrayList<>();
    private final List<CachedState> ended = new ArrayList<>();

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void whoWaitsHearsThatTheChannelCouldNotBeSubscribedTo() {
        StateCacheBuilder wanted = new StateCacheBuilder(
                engine, "progress", channel -> CompletableFuture.completedFuture(Payload.of("1")));
        StateLoader loader = new StateLoader(
                engine.calls,
                engine.threads.time(),
                engine.hub.log,
                MemoryStore.create().latestValues(),
                wanted);
        CachedState state =
                new CachedState(ChannelId.of("batch:1"), loader, engine.threads.time(), answers::add, ended::add);
        List<CompletableFuture<StateAt<Payload>>> waiting = new ArrayList<>();

        state.begin(subscriber -> {
            waiting.add(state.latest().toCompletableFuture());
            throw new ClosedException("closed just now");
        });
        waiting.add(state.latest().toCompletableFuture());

        assertThat(waiting)
                .allSatisfy(
                        each -> assertThatThrownBy(() -> each.getNow(null)).hasCauseInstanceOf(ClosedException.class));
        assertThat(answers).containsExactly(Source.FAILED, Source.FAILED);
        assertThat(ended).containsExactly(state);
    }
}
