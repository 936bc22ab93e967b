package dev.fanfare.netty.api;

import dev.fanfare.Refusal;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call of the API on its way: what will come of it, and how that is written.
 *
 * @param stage what will come of it; completes on any thread
 * @param writer writes it as one whole reply, {@code {"result":…}} or {@code {"error":…}}
 */
record ApiCall<T>(CompletionStage<T> stage, Writer<T> writer) {

    private static final Logger LOG = LoggerFactory.getLogger(ApiCall.class);

    /** Is answered with the result as that writer has it, or with the error that came instead. */
    static <T> ApiCall<T> of(CompletionStage<T> stage, BiConsumer<ByteBuf, T> result) {
        return new ApiCall<>(stage, (out, value, failure) -> {
            if (value != null) {
                result.accept(out, value);
            } else {
                LOG.debug("An API call failed", failure);
                ApiReply.error(out, failure == null ? ApiError.of(Refusal.UNAVAILABLE) : ApiError.of(failure));
            }
        });
    }

    /** Is answered with an empty result when it is done. */
    static ApiCall<Void> done(CompletionStage<Void> stage) {
        return new ApiCall<>(stage, (out, nothing, failure) -> {
            if (failure == null) {
                ApiReply.done(out);
            } else {
                ApiReply.error(out, ApiError.of(failure));
            }
        });
    }

    /** Has somebody write the reply when it is there. */
    void whenDone(Outcome outcome) {
        stage.whenComplete((result, failure) -> outcome.there(out -> writer.write(out, result, failure), failure));
    }

    /** Writes what came of a call. */
    interface Writer<T> {
        void write(ByteBuf out, @Nullable T result, @Nullable Throwable failure);
    }

    /** Has what came of a call written. */
    interface Outcome {
        void there(Consumer<ByteBuf> reply, @Nullable Throwable failure);
    }
}
