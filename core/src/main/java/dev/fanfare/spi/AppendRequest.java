package dev.fanfare.spi;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.Publisher;
import org.jspecify.annotations.Nullable;

/**
 * Everything a log needs to append one publication.
 *
 * <p>Random parts come with the request, so that scripts of a store can be deterministic.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param channel where
 * @param data what
 * @param options dedup key, conflation key, event type and headers
 * @param publisher the publishing client; null if the host publishes
 * @param rules the namespace's retention and dedup window
 * @param tag the tag it gets, random and never 0
 */
public record AppendRequest(
        ChannelId channel,
        Payload data,
        PublishOptions options,
        @Nullable Publisher publisher,
        ChannelRules rules,
        long tag) {

    /** Checks the parts. */
    public AppendRequest {
        requireNonNull(channel, "channel");
        requireNonNull(data, "data");
        requireNonNull(options, "options");
        requireNonNull(rules, "rules");
        if (tag == 0) {
            throw new IllegalArgumentException("tag must not be 0");
        }
    }
}
