package dev.fanfare.redis;

import io.lettuce.core.internal.ExceptionFactory;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CancellationException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One command and its reply, whose outcome is told once. Lettuce's own {@code AsyncCommand} is a future, and whoever
 * follows one makes more of them: a good part of what a publish costs.
 *
 * <p><i>Threads.</i> Thread-safe. The outcome is told on the event loop, or by whoever sends on a connection that is closed.
 *
 * @param <T> what is replied
 */
final class Exchange<T> extends Command<byte[], byte[], T> {

    private static final VarHandle IS_OVER;

    static {
        try {
            IS_OVER = MethodHandles.lookup().findVarHandle(Exchange.class, "isOver", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Whether it is for a slot that the server is about to get. */
    final boolean isAsking;

    private final BiConsumer<? super @Nullable T, ? super @Nullable Throwable> outcome;

    @SuppressWarnings("unused") // by its handle
    private volatile boolean isOver;

    /**
     * Makes one.
     *
     * @param outcome told the reply, which may well be null, or the failure; returns soon and does not throw
     */
    Exchange(
            CommandType type,
            CommandOutput<byte[], byte[], T> output,
            @Nullable CommandArgs<byte[], byte[]> args,
            boolean isAsking,
            BiConsumer<? super @Nullable T, ? super @Nullable Throwable> outcome) {
        super(type, output, args);
        this.isAsking = isAsking;
        this.outcome = outcome;
    }

    @Override
    public void complete() {
        super.complete();
        CommandOutput<byte[], byte[], T> reply = getOutput();
        if (!IS_OVER.compareAndSet(this, false, true)) {
            return;
        }
        if (reply.hasError()) {
            outcome.accept(null, ExceptionFactory.createExecutionException(reply.getError()));
        } else {
            outcome.accept(reply.get(), null);
        }
    }

    @Override
    public boolean completeExceptionally(Throwable failure) {
        super.completeExceptionally(failure);
        boolean isFirst = IS_OVER.compareAndSet(this, false, true);
        if (isFirst) {
            outcome.accept(null, failure);
        }
        return isFirst;
    }

    @Override
    public void cancel() {
        super.cancel();
        if (IS_OVER.compareAndSet(this, false, true)) {
            outcome.accept(null, new CancellationException("The connection was closed"));
        }
    }
}
