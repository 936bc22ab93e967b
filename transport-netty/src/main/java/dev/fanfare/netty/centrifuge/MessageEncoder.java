package dev.fanfare.netty.centrifuge;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.presence.PresenceSnapshot;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes what clients get: replies, which carry the id of their command, and pushes. Messages come
 * without whatever separates them on the wire.
 *
 * <p>Each method throws {@link UnencodableException} if a payload cannot be sent in this encoding.
 *
 * <p><b>Threading:</b> thread-safe.
 */
interface MessageEncoder {

    /** What clients are told of the server; the release is nobody's business. */
    String SERVER = "Fanfare";

    MessageBuffer connected(long id, Welcome welcome);

    MessageBuffer subscribed(long id, SubscriptionStart start);

    MessageBuffer unsubscribed(long id);

    MessageBuffer refreshed(long id, String client, int ttlSeconds);

    MessageBuffer subRefreshed(long id, int ttlSeconds);

    MessageBuffer published(long id);

    MessageBuffer presence(long id, PresenceSnapshot snapshot);

    MessageBuffer presenceStats(long id, PresenceSnapshot snapshot);

    MessageBuffer history(long id, List<Publication> publications, Cursor top);

    MessageBuffer answered(long id, Payload data);

    MessageBuffer error(long id, int code, String message, boolean isTemporary);

    MessageBuffer publicationPush(ChannelId channel, Publication publication);

    /**
     * Writes a publication for a subscription with differences: as the difference to the previous one, or whole if
     * there is none, or if that is smaller.
     */
    MessageBuffer deltaPush(ChannelId channel, Publication publication, @Nullable Publication previous);

    MessageBuffer presencePush(ChannelId channel, PresenceEvent event);

    MessageBuffer subscribePush(ChannelId channel, Cursor position, boolean isRetained);

    MessageBuffer unsubscribePush(ChannelId channel, int code, String reason);

    /** Tells the client something that belongs to no subscription; SDKs hand it to the application as it is. */
    MessageBuffer messagePush(Payload data);

    /** Tells that the connection ends, where the transport has no other word for it. */
    MessageBuffer disconnectPush(int code, String reason, boolean isReconnect);

    MessageBuffer ping();
}
