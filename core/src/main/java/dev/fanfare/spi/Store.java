package dev.fanfare.spi;

import dev.fanfare.Health;

/**
 * Bundles what one store offers. A store may be shared by several Fanfares, which are then nodes of
 * one cluster.
 *
 * <p><b>Threading:</b> thread-safe, as are the parts; none of their methods may block.
 */
public interface Store {

    /** Returns the log of publications, the truth. */
    ChannelLog log();

    /** Returns the bus that wakes nodes. */
    Bus bus();

    /** Returns who is present. */
    PresenceStore presence();

    /** Returns the way for nodes to talk to each other. */
    ControlBus control();

    /** Returns the newest value per channel and key. */
    LatestValues latestValues();

    /**
     * Tells how the store is, as it last knew; {@code GET /health/ready} shows it, and load balancers ask every few
     * seconds. By default it is what the log and the bus say, which is right for a store that lives in this process.
     *
     * @implSpec
     * <ol>
     *   <li>It returns at once: no I/O, no lock that is held during I/O. A store that has to look does so by a
     *       probe of its own, and this tells what the last one found; a probe that is overdue counts as failed.
     *   <li>It is down while most calls would fail: the database or broker cannot be reached, its pool is
     *       exhausted for seconds, it is read-only, full, or the schema is missing. One failed call is not enough;
     *       no call at all is no reason.
     *   <li>It is down too while this node is deaf, because the bus is gone, although the log works.
     *   <li>It is up again by itself within seconds of the trouble's end.
     *   <li>A store made of several answers for each of them: {@code one.health().and(other.health())}.
     *   <li>A reason is one short clause that begins with the store's name, and holds no credentials.
     * </ol>
     */
    default Health health() {
        return log().health().and(bus().health());
    }
}
