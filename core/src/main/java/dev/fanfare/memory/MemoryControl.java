package dev.fanfare.memory;

import static java.util.Objects.requireNonNull;

import dev.fanfare.StoreException;
import dev.fanfare.spi.ControlBus;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Lets the Fanfares that share this store talk to each other. */
final class MemoryControl implements ControlBus {

    /*
     * State: the members, and one turnstile for all messages.
     *
     * Threads: thread-safe, without a lock. Handlers are called on the sending threads or the worker, one at a time.
     *
     * Ordering: one order of all messages, the same for all members.
     *
     * Bounds: as Turnstile says; a message that finds it full fails.
     */

    private final List<Member> members = new CopyOnWriteArrayList<>();
    private final Turnstile<String> turnstile;

    MemoryControl(Executor worker) {
        this.turnstile = new Turnstile<>(message -> 2 * message.length(), this::tell, worker);
    }

    @Override
    public CompletionStage<Membership> join(String node, Consumer<String> handler) {
        Member member = new Member(requireNonNull(node, "node"), requireNonNull(handler, "handler"));
        members.add(member);
        return CompletableFuture.completedStage(member);
    }

    @Override
    public CompletionStage<Void> send(String message) {
        if (message.length() > MAX_MESSAGE_LENGTH) {
            throw new IllegalArgumentException(
                    "A message has at most " + MAX_MESSAGE_LENGTH + " characters: " + message.length());
        }
        boolean entered = turnstile.enter(message);
        turnstile.drain();
        return entered
                ? CompletableFuture.completedStage(null)
                : CompletableFuture.failedStage(
                        new StoreException("The nodes are too slow for their control messages", null, true));
    }

    @Override
    public CompletionStage<Set<String>> nodes() {
        return CompletableFuture.completedStage(
                members.stream().map(member -> member.node).collect(Collectors.toUnmodifiableSet()));
    }

    private void tell(String message) {
        for (Member member : members) {
            member.handler.accept(message);
        }
    }

    private final class Member implements Membership {
        private final String node;
        private final Consumer<String> handler;

        Member(String node, Consumer<String> handler) {
            this.node = node;
            this.handler = handler;
        }

        @Override
        public void close() {
            members.remove(this);
        }
    }
}
