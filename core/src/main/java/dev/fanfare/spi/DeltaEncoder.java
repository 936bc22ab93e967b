package dev.fanfare.spi;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;

/**
 * An encoder that can also say only what is different from the publication before. A subscription that
 * wants that names it in its {@link Connection.SubscribeRequest}, and is then written to through it
 * instead of through its outlet's encoder.
 *
 * <p>The core sees to the base: it asks for a difference only for subscriptions on which the very
 * publication before was the last thing sent.
 *
 * <p><b>Threading:</b> thread-safe; called on event loops; does not block.
 */
public interface DeltaEncoder extends FrameEncoder {

    /**
     * Encodes a publication for those who have the one before it; as a whole, where that is smaller.
     * What it returned once is shared by all of them.
     */
    Frame difference(ChannelId channel, Publication publication, Publication previous);
}
