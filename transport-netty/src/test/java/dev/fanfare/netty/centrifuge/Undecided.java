package dev.fanfare.netty.centrifuge;

import dev.fanfare.Action;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** Says to all what the test decides, when it does. */
final class Undecided implements Authorizer {

    final AtomicInteger asked = new AtomicInteger();
    private final CompletableFuture<Boolean> verdict;

    Undecided(CompletableFuture<Boolean> verdict) {
        this.verdict = verdict;
    }

    @Override
    public boolean allows(String user, Action action, ChannelId channel) {
        throw new UnsupportedOperationException("asked later only");
    }

    @Override
    public CompletionStage<Boolean> allowsLater(String user, Action action, ChannelId channel) {
        asked.incrementAndGet();
        return verdict;
    }
}
