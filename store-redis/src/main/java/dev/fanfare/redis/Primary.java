package dev.fanfare.redis;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** One primary: the connection for commands, the one for pub/sub, and the probe that watches both. Thread-safe. */
final class Primary {

    final CommandLink commands;
    final EventLink events;
    /** For publishes here; of its own, as other servers may be well. */
    final Breaker breaker;

    private final Connector connector;
    private final Probe probe;

    /** What all primaries of a store have in common. */
    record Parts(
            Keys keys,
            Relay relay,
            Counters counters,
            boolean isEpochEndedByFailover,
            Duration probePause,
            Duration breakerPause) {}

    /**
     * Makes one.
     *
     * @param onStray as {@link EventLink} says
     */
    Primary(Connector connector, Parts parts, Consumer<Line> onStray) {
        this.connector = connector;
        this.breaker = new Breaker(connector.address(), parts.breakerPause);
        this.commands = new CommandLink(connector, parts.isEpochEndedByFailover, parts.counters, breaker);
        this.events = new EventLink(connector, parts.relay, parts.counters, onStray);
        this.probe = new Probe(parts.keys, commands, events, connector, parts.probePause);
    }

    /** Begins to connect; completes when both connections are there, or exceptionally if a first attempt failed. */
    CompletionStage<Void> start() {
        return commands.start()
                .runAfterBoth(events.start(), commands::warnIfEvicting)
                .whenComplete((ready, failure) -> probe.start());
    }

    /** Returns {@code host:port} of an address whose host may be left out, if it is that of this primary. */
    String addressOf(String address) {
        return address.startsWith(":") ? host() + address : address;
    }

    String host() {
        return connector.host();
    }

    /** Tells whether commands and announcements get through. */
    boolean isUp() {
        return commands.isUp() && events.isUp();
    }

    /** Closes for good, the connector too; completes when the connections are closed. */
    @CanIgnoreReturnValue
    CompletionStage<Void> close() {
        probe.close();
        return commands.close()
                .runAfterBoth(events.close(), () -> {})
                .whenComplete((done, failure) -> connector.close());
    }

    /** Closes them all. */
    static CompletionStage<Void> closeAll(Collection<Primary> primaries) {
        return CompletableFuture.allOf(primaries.stream()
                .map(primary -> primary.close().toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new));
    }
}
