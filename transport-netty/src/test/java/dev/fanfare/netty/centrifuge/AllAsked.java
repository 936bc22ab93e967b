package dev.fanfare.netty.centrifuge;

import dev.fanfare.Action;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** Allows everything, but is asked for it on the host's threads, and counts how often. */
final class AllAsked implements Authorizer {

    final AtomicInteger asked = new AtomicInteger();

    @Override
    public boolean allows(String user, Action action, ChannelId channel) {
        throw new UnsupportedOperationException("asked later only");
    }

    @Override
    public CompletionStage<Boolean> allowsLater(String user, Action action, ChannelId channel) {
        asked.incrementAndGet();
        return CompletableFuture.completedFuture(true);
    }
}
