package dev.fanfare.netty.centrifuge;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.Publisher;
import dev.fanfare.netty.http.Utf8;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.presence.PresenceSnapshot;
import dev.fanfare.spi.LogLine;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes messages in JSON. Fields that are zero, empty or false are left out, but for the few that SDKs
 * read without looking.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class JsonMessages implements MessageEncoder {

    private static final LogLine NO_JSON = LogLine.warn(
            JsonMessages.class,
            "What the authenticator says of a client is no JSON; clients that read JSON are not told");
    private static final int SMALL = 128;
    private static final int PER_PUBLICATION = 64;

    @Override
    public MessageBuffer connected(long id, Welcome welcome) {
        JsonBuffer out = begin(id, "connect", SMALL);
        out.field("client", welcome.client());
        out.field("version", SERVER);
        field(out, "data", welcome.data());
        if (!welcome.subs().isEmpty()) {
            out.beginObject("subs");
            welcome.subs().forEach((channel, start) -> {
                out.beginEntry(channel);
                start(out, start);
                out.endObject();
            });
            out.endObject();
        }
        ttl(out, welcome.ttlSeconds());
        if (welcome.pingSeconds() > 0) {
            out.field("ping", welcome.pingSeconds());
            out.flag("pong", true);
        }
        Emulated emulated = welcome.emulated();
        if (emulated != null) {
            out.field("session", emulated.session());
            out.field("node", emulated.node());
        }
        return end(out);
    }

    @Override
    public MessageBuffer subscribed(long id, SubscriptionStart start) {
        JsonBuffer out = begin(id, "subscribe", SMALL + size(start.publications()));
        start(out, start);
        return end(out);
    }

    @Override
    public MessageBuffer unsubscribed(long id) {
        return end(begin(id, "unsubscribe", SMALL));
    }

    @Override
    public MessageBuffer refreshed(long id, String client, int ttlSeconds) {
        JsonBuffer out = begin(id, "refresh", SMALL);
        out.field("client", client);
        ttl(out, ttlSeconds);
        return end(out);
    }

    @Override
    public MessageBuffer subRefreshed(long id, int ttlSeconds) {
        JsonBuffer out = begin(id, "sub_refresh", SMALL);
        ttl(out, ttlSeconds);
        return end(out);
    }

    @Override
    public MessageBuffer published(long id) {
        return end(begin(id, "publish", SMALL));
    }

    @Override
    public MessageBuffer presence(long id, PresenceSnapshot snapshot) {
        JsonBuffer out = begin(id, "presence", SMALL * (1 + snapshot.members().size()));
        out.beginObject("presence");
        for (Member member : snapshot.members()) {
            out.beginEntry(member.connection());
            client(out, member.user(), member.connection(), member.info());
            out.endObject();
        }
        out.endObject();
        return end(out);
    }

    @Override
    public MessageBuffer presenceStats(long id, PresenceSnapshot snapshot) {
        JsonBuffer out = begin(id, "presence_stats", SMALL);
        out.field("num_clients", snapshot.connections());
        out.field("num_users", snapshot.users());
        return end(out);
    }

    @Override
    public MessageBuffer history(long id, List<Publication> publications, Cursor top) {
        JsonBuffer out = begin(id, "history", SMALL + size(publications));
        publications(out, publications);
        out.field("epoch", top.epoch());
        out.field("offset", top.offset());
        return end(out);
    }

    @Override
    public MessageBuffer answered(long id, Payload data) {
        JsonBuffer out = begin(id, "rpc", SMALL + data.size());
        field(out, "data", data);
        return end(out);
    }

    @Override
    public MessageBuffer error(long id, int code, String message, boolean isTemporary) {
        JsonBuffer out = begin(id, "error", SMALL);
        out.field("code", code);
        out.field("message", message);
        out.flag("temporary", isTemporary);
        return end(out);
    }

    @Override
    public MessageBuffer publicationPush(ChannelId channel, Publication publication) {
        JsonBuffer out = beginPush(channel, SMALL + publication.data().size());
        out.beginObject("pub");
        publication(out, publication);
        return endPush(out);
    }

    @Override
    public MessageBuffer deltaPush(ChannelId channel, Publication publication, @Nullable Publication previous) {
        JsonBuffer out = beginPush(channel, SMALL + publication.data().size());
        out.beginObject("pub");
        publication(out, publication, previous);
        return endPush(out);
    }

    @Override
    public MessageBuffer presencePush(ChannelId channel, PresenceEvent event) {
        JsonBuffer out = beginPush(channel, 2 * SMALL);
        out.beginObject(event.kind() == PresenceEvent.Kind.JOIN ? "join" : "leave");
        out.beginObject("info");
        Member member = event.member();
        client(out, member.user(), member.connection(), member.info());
        out.endObject();
        return endPush(out);
    }

    @Override
    public MessageBuffer subscribePush(ChannelId channel, Cursor position, boolean isRetained) {
        JsonBuffer out = beginPush(channel, SMALL);
        out.beginObject("subscribe");
        if (isRetained) {
            out.flag("recoverable", true);
            out.field("epoch", position.epoch());
            if (position.offset() != 0) {
                out.field("offset", position.offset());
            }
            out.flag("positioned", true);
        }
        return endPush(out);
    }

    @Override
    public MessageBuffer unsubscribePush(ChannelId channel, int code, String reason) {
        JsonBuffer out = beginPush(channel, SMALL);
        out.beginObject("unsubscribe");
        out.field("code", code);
        out.field("reason", reason);
        return endPush(out);
    }

    @Override
    public MessageBuffer messagePush(Payload data) {
        JsonBuffer out = new JsonBuffer(SMALL + data.size());
        out.beginObject();
        out.beginObject("push");
        out.beginObject("message");
        field(out, "data", data);
        return endPush(out);
    }

    @Override
    public MessageBuffer disconnectPush(int code, String reason, boolean isReconnect) {
        JsonBuffer out = new JsonBuffer(SMALL);
        out.beginObject();
        out.beginObject("push");
        out.beginObject("disconnect");
        out.field("code", code);
        out.field("reason", reason);
        out.flag("reconnect", isReconnect);
        return endPush(out);
    }

    @Override
    public MessageBuffer ping() {
        JsonBuffer out = new JsonBuffer(2);
        out.beginObject();
        out.endObject();
        return out;
    }

    private static JsonBuffer begin(long id, String result, int expected) {
        JsonBuffer out = new JsonBuffer(expected);
        out.beginObject();
        out.field("id", id);
        out.beginObject(result);
        return out;
    }

    private static JsonBuffer end(JsonBuffer out) {
        out.endObject();
        out.endObject();
        return out;
    }

    private static JsonBuffer beginPush(ChannelId channel, int expected) {
        JsonBuffer out = new JsonBuffer(expected + channel.value().length());
        out.beginObject();
        out.beginObject("push");
        out.field("channel", channel.value());
        return out;
    }

    private static JsonBuffer endPush(JsonBuffer out) {
        out.endObject();
        return end(out);
    }

    private static void ttl(JsonBuffer out, int seconds) {
        if (seconds > 0) {
            out.flag("expires", true);
            out.field("ttl", seconds);
        }
    }

    private static void start(JsonBuffer out, SubscriptionStart start) {
        ttl(out, start.ttlSeconds());
        out.flag("recoverable", start.isRecoverable());
        out.flag("positioned", start.isRecoverable());
        if (!start.epoch().isEmpty()) {
            out.field("epoch", start.epoch());
        }
        if (start.offset() != 0) {
            out.field("offset", start.offset());
        }
        out.flag("was_recovering", start.wasRecovering());
        out.flag("recovered", start.isRecovered());
        if (start.hasDeltas()) {
            out.flag("delta", true);
            deltas(out, start.publications());
        } else if (!start.publications().isEmpty()) {
            publications(out, start.publications());
        }
    }

    private static void publications(JsonBuffer out, List<Publication> publications) {
        out.beginArray("publications");
        for (Publication publication : publications) {
            out.beginObject();
            publication(out, publication);
            out.endObject();
        }
        out.endArray();
    }

    /** Writes the first one whole, and each of the others as the difference to the one before. */
    private static void deltas(JsonBuffer out, List<Publication> publications) {
        if (publications.isEmpty()) {
            return;
        }
        out.beginArray("publications");
        Publication previous = null;
        for (Publication publication : publications) {
            out.beginObject();
            publication(out, publication, previous);
            out.endObject();
            previous = publication;
        }
        out.endArray();
    }

    private static void publication(JsonBuffer out, Publication publication) {
        field(out, "data", publication.data());
        about(out, publication);
    }

    /** Writes one of a subscription with differences: whole or not, its data is a string. */
    private static void publication(JsonBuffer out, Publication publication, @Nullable Publication previous) {
        byte[] patch = previous == null ? null : patch(previous.data(), publication.data());
        if (patch != null) {
            out.flag("delta", true);
            out.text("data", patch);
        } else if (publication.data().size() > 0) {
            out.textOf("data", publication.data());
        }
        about(out, publication);
    }

    private static byte @Nullable [] patch(Payload previous, Payload data) {
        return Utf8.isText(previous.unsafeBytes()) && new JsonScanner(data.unsafeBytes()).isValue()
                ? FossilDelta.ofText(previous.unsafeBytes(), data.unsafeBytes())
                : null;
    }

    private static void about(JsonBuffer out, Publication publication) {
        Publisher publisher = publication.publisher();
        if (publisher != null) {
            out.beginObject("info");
            client(out, publisher.user(), publisher.connection(), publisher.info());
            out.endObject();
        }
        if (publication.offset() != 0) {
            out.field("offset", publication.offset());
        }
        if (!publication.headers().isEmpty()) {
            out.beginObject("tags");
            publication.headers().forEach(out::entry);
            out.endObject();
        }
        String key = publication.key();
        if (key != null) {
            out.field("key", key);
        }
        if (publication.offset() == 1) {
            out.field("epoch", publication.epoch());
        }
    }

    /** Writes who it is. An info that is no JSON is kept from those who read only that: they may not suffer for it. */
    private static void client(JsonBuffer out, String user, String connection, @Nullable Payload info) {
        out.field("user", user);
        out.field("client", connection);
        if (info != null && info.size() > 0 && !out.fieldIfJson("conn_info", info)) {
            NO_JSON.log("connection", connection, "bytes", info.size());
        }
    }

    /** Writes the field, unless there are no bytes. */
    private static void field(JsonBuffer out, String name, @Nullable Payload payload) {
        if (payload != null && payload.size() > 0) {
            out.field(name, payload);
        }
    }

    private static int size(List<Publication> publications) {
        int size = 0;
        for (Publication publication : publications) {
            size += PER_PUBLICATION + publication.data().size();
        }
        return size;
    }
}
