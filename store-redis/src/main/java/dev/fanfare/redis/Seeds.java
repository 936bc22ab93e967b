package dev.fanfare.redis;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The addresses of a Redis Cluster that a store was given, each of which may say who has which slot. */
final class Seeds {

    /*
     * State: the last question to each address.
     *
     * Threads: asked by one thread after the other; answers complete on event loops.
     *
     * Bounds: one connection per address. One that is silent is not asked again before it was given up.
     */

    private final List<Connector> addresses;
    private final Map<Connector, CompletableFuture<SlotMap>> asked = new ConcurrentHashMap<>();

    Seeds(List<Connector> addresses) {
        this.addresses = addresses;
    }

    /**
     * Asks all at once, as some may say nothing for long. Completes with the first answer in which every slot has a server;
     * if there is none with any answer, when all have answered or were given up.
     */
    CompletionStage<SlotMap> ask() {
        CompletableFuture<SlotMap> best = new CompletableFuture<>();
        List<CompletableFuture<SlotMap>> answers =
                addresses.stream().map(this::ask).toList();
        for (CompletableFuture<SlotMap> answer : answers) {
            answer.thenAccept(found -> {
                if (found.isWhole()) {
                    best.complete(found);
                }
            });
        }
        CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new))
                .whenComplete((all, failure) -> settle(answers, failure, best));
        return best;
    }

    private static void settle(
            List<CompletableFuture<SlotMap>> answers, @Nullable Throwable failure, CompletableFuture<SlotMap> best) {
        answers.stream()
                .filter(answer -> !answer.isCompletedExceptionally())
                .map(CompletableFuture::join)
                .max(Comparator.comparing(SlotMap::isWhole))
                .ifPresentOrElse(best::complete, () -> best.completeExceptionally(failure));
    }

    private CompletableFuture<SlotMap> ask(Connector seed) {
        CompletableFuture<SlotMap> former = asked.get(seed);
        if (former != null && !former.isDone()) {
            return former;
        }
        CompletableFuture<SlotMap> answer = seed.connectCommands()
                .thenCompose(connection -> connection
                        .async()
                        .clusterSlots()
                        .toCompletableFuture()
                        .orTimeout(seed.timeout().toMillis(), TimeUnit.MILLISECONDS)
                        .whenComplete((slots, failure) -> connection.closeAsync()))
                .thenApply(slots -> SlotMap.of(slots, seed.host()))
                .toCompletableFuture()
                .exceptionallyCompose(
                        failure -> CompletableFuture.failedFuture(CommandLink.unreachable(seed, failure)));
        asked.put(seed, answer);
        return answer;
    }

    void close() {
        addresses.forEach(Connector::close);
    }
}
