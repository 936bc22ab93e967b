package dev.fanfare.spi;

import dev.fanfare.ChannelId;

/**
 * One channel as this node sees it at a moment; for operators.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param channel the channel
 * @param subscribers how many it has on this node
 * @param publications how many came by since this node watches the channel
 */
public record ChannelView(ChannelId channel, int subscribers, long publications) {}
