package dev.fanfare.redis;

import java.util.Collection;
import java.util.concurrent.CompletionStage;

/** Knows which primary has what, and gets there. Thread-safe. */
interface Topology {

    /** The kind of pub/sub that announcements go over. */
    PubSub pubSub();

    /** Begins to connect; completes when everything is connected, or exceptionally if a first attempt failed. */
    CompletionStage<Void> start();

    /** Returns the primary that has a key or pub/sub channel, as far as is known. */
    Primary of(byte[] key);

    /** Runs a command; fails with a {@link dev.fanfare.StoreException} and nothing else. */
    <T> CompletionStage<T> run(Request<T> request);

    /** Subscribes a line, as {@link EventLink#want} says. */
    CompletionStage<Void> want(Line line);

    /** Tells whether a line hears what is published, and was told of what it did not hear. */
    boolean isHeard(Line line);

    /** Gives up the subscription of a line, unless another line of the same name has taken it over. */
    void unwant(Line line);

    /** Returns all primaries that there are. */
    Collection<Primary> primaries();

    /** Closes for good; completes when all connections are closed. */
    CompletionStage<Void> close();
}
