package dev.fanfare.redis;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** One primary has everything, be it alone, with replicas, or found through Sentinel. Thread-safe. */
final class Standalone implements Topology {

    private final Primary primary;

    Standalone(Connector connector, Primary.Parts parts) {
        this.primary = new Primary(connector, parts, line -> {});
    }

    @Override
    public PubSub pubSub() {
        return PubSub.PLAIN;
    }

    @Override
    public CompletionStage<Void> start() {
        return primary.start();
    }

    @Override
    public Primary of(byte[] key) {
        return primary;
    }

    @Override
    public <T> CompletionStage<T> run(Request<T> request) {
        return primary.commands.run(request, false);
    }

    @Override
    public CompletionStage<Void> want(Line line) {
        return primary.events.want(line, false);
    }

    @Override
    public boolean isHeard(Line line) {
        return primary.events.isHeard(line);
    }

    @Override
    public void unwant(Line line) {
        primary.events.unwant(line);
    }

    @Override
    public Collection<Primary> primaries() {
        return List.of(primary);
    }

    @Override
    public CompletionStage<Void> close() {
        return primary.close();
    }
}
