package dev.fanfare.spi;

import dev.fanfare.ChannelId;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Keeps who is present where. Entries belong to nodes and live as long as their node's lease, so that
 * refreshing costs one call per node and not one per entry.
 *
 * <p>Joins and leaves are counted by {@link Member#identity}: a user with several connections joins
 * once and leaves once.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks.
 *
 * @implSpec
 *     <ol>
 *       <li>{@link #enter} answers true exactly when the identity was not in the channel, neither
 *           connected nor in its grace period. Entering twice with one connection changes nothing.
 *       <li>{@link #leave} without grace answers true exactly when that was the identity's last
 *           connection; with grace it answers false and the departure falls due later.
 *       <li>A departure that fell due is handed to exactly one caller of {@link #sweep}.
 *       <li>Who comes back within its grace never left: no departure falls due.
 *       <li>The entries of a node whose lease ran out count as having left at that moment, with the grace
 *           of their entry; a node that comes back after that must enter its members again.
 *       <li>A snapshot holds who has joined and not left, those in their grace period included.
 *     </ol>
 */
public interface PresenceStore {

    /**
     * Takes or renews the lease of a node.
     *
     * @return true if the lease had not run out; false if it is new, so that nothing is entered under
     *     it
     */
    CompletionStage<Boolean> renew(String node, Duration timeToLive);

    /** Gives up a node's lease at once, at an orderly end; its entries leave with their grace. */
    CompletionStage<Void> retire(String node);

    /**
     * Enters a connection.
     *
     * @param grace how long its user may be gone before it has left, if the node dies
     * @return true if the user joined by this
     */
    CompletionStage<Boolean> enter(String node, ChannelId channel, Member member, Duration grace);

    /**
     * Takes a connection out.
     *
     * @param grace how long its user may be gone before it has left; zero for at once
     * @return true if the user left by this
     */
    CompletionStage<Boolean> leave(ChannelId channel, Member member, Duration grace);

    /** Returns departures that fell due, each handed out once, at most {@code limit}. */
    CompletionStage<List<Departure>> sweep(int limit);

    /** Returns who is there, at most {@code limit} members. */
    CompletionStage<PresenceSnapshot> snapshot(ChannelId channel, int limit);

    /**
     * A user that has left.
     *
     * @param channel which channel
     * @param member its last connection
     */
    record Departure(ChannelId channel, Member member) {}
}
