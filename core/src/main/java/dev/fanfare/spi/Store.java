package dev.fanfare.spi;

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
}
