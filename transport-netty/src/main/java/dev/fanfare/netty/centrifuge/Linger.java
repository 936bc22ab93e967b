package dev.fanfare.netty.centrifuge;

import dev.fanfare.netty.connection.Beat;
import io.netty.channel.Channel;
import java.time.Duration;

/**
 * Gives the other side time to answer a Close frame, then closes the channel.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class Linger extends Beat {

    static final Duration TIME = Duration.ofSeconds(5);

    private final Channel channel;

    Linger(Channel channel) {
        this.channel = channel;
    }

    @Override
    protected void due() {
        channel.close();
    }
}
