package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.HistoryResult;
import dev.fanfare.RefusedException;
import dev.fanfare.StateAt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Has the host load its own state once the position of a channel is known, in this order, on the host executor.
 *
 * <p><i>Threads.</i> Thread-safe.
 */
final class StateLoad<T> {

    private final ChannelId channel;
    private final Calls calls;
    private final CompletableFuture<StateAt<T>> loaded = new CompletableFuture<>();

    StateLoad(ChannelId channel, Calls calls) {
        this.channel = channel;
        this.calls = calls;
    }

    CompletionStage<StateAt<T>> begin(
            CompletionStage<HistoryResult> head, Supplier<? extends CompletionStage<T>> loader) {
        head.whenComplete((result, failure) -> {
            if (result instanceof HistoryResult.Page page) {
                calls.complete(() -> load(page.top(), loader));
            } else {
                loaded.completeExceptionally(failure(result, failure));
            }
        });
        return loaded.minimalCompletionStage();
    }

    private Throwable failure(@Nullable HistoryResult result, @Nullable Throwable failure) {
        return result instanceof HistoryResult.Refused refused
                ? new RefusedException(
                        channel + " has no position to follow from: " + refused.reason(), refused.reason())
                : Calls.unwrap(failure == null ? new IllegalStateException("No position: " + result) : failure);
    }

    private void load(Cursor position, Supplier<? extends CompletionStage<T>> loader) {
        try {
            loader.get().whenComplete((state, failure) -> {
                if (failure == null) {
                    loaded.complete(new StateAt<>(position, state));
                } else {
                    loaded.completeExceptionally(Calls.unwrap(failure));
                }
            });
        } catch (RuntimeException | Error failure) {
            loaded.completeExceptionally(failure);
        }
    }
}
