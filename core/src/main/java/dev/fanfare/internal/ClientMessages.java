package dev.fanfare.internal;

import dev.fanfare.ConnectionInfo;
import dev.fanfare.Payload;
import dev.fanfare.RpcHandler;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Hands the messages of one client to the host's handler.
 *
 * <p><i>Threads.</i> Confined to the loop of the connection; the handler runs on the host executor.
 *
 * <p><i>Bounds.</i> {@link #MOST} messages with the handler.
 */
final class ClientMessages {

    private static final int MOST = 64;

    private final Engine engine;
    private final ConnectionInfo info;
    private final LoopQueue queue;
    private int underWay;

    ClientMessages(Engine engine, ConnectionInfo info, LoopQueue queue) {
        this.engine = engine;
        this.info = info;
        this.queue = queue;
    }

    /** Hands one over; false if there are too many already. */
    boolean hand(RpcHandler.MessageHandler handler, Payload data) {
        if (underWay == MOST) {
            return false;
        }
        underWay++;
        AtomicBoolean isUnderWay = new AtomicBoolean(true);
        engine.calls
                .host(() -> {
                    try {
                        handler.message(info, data);
                    } finally {
                        handled(isUnderWay);
                    }
                    return CompletableFuture.completedFuture(true);
                })
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        engine.hub.log.hostFailed("message handler", failure);
                    }
                    if (failure instanceof RejectedExecutionException) {
                        handled(isUnderWay); // it never came to the handler
                    }
                });
        return true;
    }

    private void handled(AtomicBoolean isUnderWay) {
        if (isUnderWay.getAndSet(false)) {
            queue.add(() -> underWay--);
        }
    }
}
