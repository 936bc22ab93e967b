package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import org.jspecify.annotations.Nullable;

/** The "wire format" of in-process subscribers: they get the objects themselves. Immutable. */
record Unencoded(@Nullable PresenceEvent event, int bytes) implements Frame {

    /** Encodes nothing; publications need no object of their own. */
    static final FrameEncoder ENCODER = new FrameEncoder() {
        private final Frame nothing = new Unencoded(null, 0);

        @Override
        public Frame publication(ChannelId channel, Publication publication) {
            return nothing;
        }

        @Override
        public Frame presence(ChannelId channel, PresenceEvent event) {
            return new Unencoded(event, 0);
        }
    };

    @Override
    public void release() {}
}
