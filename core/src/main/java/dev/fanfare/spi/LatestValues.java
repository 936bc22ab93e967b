package dev.fanfare.spi;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the newest value per channel and key for a time, so that a newcomer starts with a full picture.
 *
 * <p><b>Threading:</b> thread-safe. No method blocks.
 *
 * @implSpec
 *     <ol>
 *       <li>A value replaces an older one of the same channel and key; between two logged publications
 *           of one epoch the higher offset wins, whatever the order of the calls.
 *       <li>A value is not returned after its time to live.
 *       <li>Keys of different channels never meet.
 *     </ol>
 */
public interface LatestValues {

    /** Keeps the value for a time. */
    CompletionStage<Void> put(ChannelId channel, String key, Publication value, Duration timeToLive);

    /** Returns one value, or null. */
    CompletionStage<@Nullable Publication> get(ChannelId channel, String key);

    /** Returns all values of a channel by key, at most {@code limit}. */
    CompletionStage<Map<String, Publication>> all(ChannelId channel, int limit);

    /** Forgets one value. */
    CompletionStage<Void> remove(ChannelId channel, String key);
}
