package dev.fanfare.netty;

import dev.fanfare.netty.http.TransportClosing;
import io.netty.channel.Channel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The accepted channels that are still open.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class OpenChannels {

    private final ChannelGroup channels;
    private final int max;

    OpenChannels(EventExecutor executor, int max) {
        this.channels = new DefaultChannelGroup(executor, true);
        this.max = max;
    }

    /** Takes a channel in; false if there are too many. */
    boolean add(Channel channel) {
        return count() < max && channels.add(channel);
    }

    /** Returns how many are open. */
    int count() {
        return channels.size();
    }

    /** Lets every channel end by itself, and closes those that did not within the time. */
    void close(int seconds) {
        for (Channel channel : channels) {
            channel.eventLoop().execute(() -> channel.pipeline().fireUserEventTriggered(TransportClosing.NOW));
        }
        channels.newCloseFuture().awaitUninterruptibly(seconds, TimeUnit.SECONDS);
        channels.close().awaitUninterruptibly(seconds, TimeUnit.SECONDS);
    }
}
