package dev.fanfare.netty.centrifuge;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.Publisher;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.presence.PresenceSnapshot;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes messages in Protobuf. The numbers are the field numbers of the published schema.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class ProtobufMessages implements MessageEncoder {

    private static final int SMALL = 96;
    private static final int PER_PUBLICATION = 48;

    private static final int PUSH = 4;

    @Override
    public MessageBuffer connected(long id, Welcome welcome) {
        ProtobufBuffer out = reply(id, SMALL);
        int result = out.begin(5);
        out.field(1, welcome.client());
        out.field(2, SERVER);
        out.field(3, welcome.ttlSeconds() > 0);
        out.field(4, welcome.ttlSeconds());
        field(out, 5, welcome.data());
        welcome.subs().forEach((channel, start) -> {
            int entry = out.begin(6);
            out.field(1, channel);
            int value = out.begin(2);
            start(out, start);
            out.end(value);
            out.end(entry);
        });
        out.field(7, welcome.pingSeconds());
        out.field(8, welcome.pingSeconds() > 0);
        Emulated emulated = welcome.emulated();
        if (emulated != null) {
            out.field(9, emulated.session());
            out.field(10, emulated.node());
        }
        out.end(result);
        return out;
    }

    @Override
    public MessageBuffer subscribed(long id, SubscriptionStart start) {
        ProtobufBuffer out = reply(id, SMALL + size(start.publications()));
        int result = out.begin(6);
        start(out, start);
        out.end(result);
        return out;
    }

    @Override
    public MessageBuffer unsubscribed(long id) {
        return emptyResult(id, 7);
    }

    @Override
    public MessageBuffer refreshed(long id, String client, int ttlSeconds) {
        ProtobufBuffer out = reply(id, SMALL);
        int result = out.begin(14);
        out.field(1, client);
        out.field(3, ttlSeconds > 0);
        out.field(4, ttlSeconds);
        out.end(result);
        return out;
    }

    @Override
    public MessageBuffer subRefreshed(long id, int ttlSeconds) {
        ProtobufBuffer out = reply(id, SMALL);
        int result = out.begin(15);
        out.field(1, ttlSeconds > 0);
        out.field(2, ttlSeconds);
        out.end(result);
        return out;
    }

    @Override
    public MessageBuffer published(long id) {
        return emptyResult(id, 8);
    }

    @Override
    public MessageBuffer presence(long id, PresenceSnapshot snapshot) {
        ProtobufBuffer out = reply(id, SMALL * (1 + snapshot.members().size()));
        int result = out.begin(9);
        for (Member member : snapshot.members()) {
            int entry = out.begin(1);
            out.field(1, member.connection());
            client(out, 2, member.user(), member.connection(), member.info());
            out.end(entry);
        }
        out.end(result);
        return out;
    }

    @Override
    public MessageBuffer presenceStats(long id, PresenceSnapshot snapshot) {
        ProtobufBuffer out = reply(id, SMALL);
        int result = out.begin(10);
        out.field(1, snapshot.connections());
        out.field(2, snapshot.users());
        out.end(result);
        return out;
    }

    @Override
    public MessageBuffer history(long id, List<Publication> publications, Cursor top) {
        ProtobufBuffer out = reply(id, SMALL + size(publications));
        int result = out.begin(11);
        for (Publication publication : publications) {
            publication(out, 1, publication);
        }
        out.field(2, top.epoch());
        out.field(3, top.offset());
        out.end(result);
        return out;
    }

    @Override
    public MessageBuffer answered(long id, Payload data) {
        ProtobufBuffer out = reply(id, SMALL + data.size());
        int result = out.begin(13);
        out.field(1, data);
        out.end(result);
        return out;
    }

    @Override
    public MessageBuffer error(long id, int code, String message, boolean isTemporary) {
        ProtobufBuffer out = reply(id, SMALL);
        int error = out.begin(2);
        out.field(1, code);
        out.field(2, message);
        out.field(3, isTemporary);
        out.end(error);
        return out;
    }

    @Override
    public MessageBuffer publicationPush(ChannelId channel, Publication publication) {
        ProtobufBuffer out = new ProtobufBuffer(SMALL + channel.value().length() + size(publication));
        int push = out.begin(PUSH);
        out.field(2, channel.value());
        publication(out, 4, publication);
        out.end(push);
        return out;
    }

    @Override
    public MessageBuffer deltaPush(ChannelId channel, Publication publication, @Nullable Publication previous) {
        ProtobufBuffer out = new ProtobufBuffer(SMALL + channel.value().length() + size(publication));
        int push = out.begin(PUSH);
        out.field(2, channel.value());
        publication(out, 4, publication, previous);
        out.end(push);
        return out;
    }

    @Override
    public MessageBuffer presencePush(ChannelId channel, PresenceEvent event) {
        ProtobufBuffer out = new ProtobufBuffer(2 * SMALL);
        int push = out.begin(PUSH);
        out.field(2, channel.value());
        int change = out.begin(event.kind() == PresenceEvent.Kind.JOIN ? 5 : 6);
        Member member = event.member();
        client(out, 1, member.user(), member.connection(), member.info());
        out.end(change);
        out.end(push);
        return out;
    }

    @Override
    public MessageBuffer subscribePush(ChannelId channel, Cursor position, boolean isRetained) {
        ProtobufBuffer out = new ProtobufBuffer(SMALL);
        int push = out.begin(PUSH);
        out.field(2, channel.value());
        int subscribe = out.begin(9);
        out.field(1, isRetained);
        out.field(4, position.epoch());
        out.field(5, position.offset());
        out.field(6, isRetained);
        out.end(subscribe);
        out.end(push);
        return out;
    }

    @Override
    public MessageBuffer unsubscribePush(ChannelId channel, int code, String reason) {
        ProtobufBuffer out = new ProtobufBuffer(SMALL);
        int push = out.begin(PUSH);
        out.field(2, channel.value());
        int unsubscribe = out.begin(7);
        out.field(2, code);
        out.field(3, reason);
        out.end(unsubscribe);
        out.end(push);
        return out;
    }

    @Override
    public MessageBuffer messagePush(Payload data) {
        ProtobufBuffer out = new ProtobufBuffer(SMALL + data.size());
        int push = out.begin(PUSH);
        int message = out.begin(8);
        out.field(1, data);
        out.end(message);
        out.end(push);
        return out;
    }

    @Override
    public MessageBuffer disconnectPush(int code, String reason, boolean isReconnect) {
        ProtobufBuffer out = new ProtobufBuffer(SMALL);
        int push = out.begin(PUSH);
        int disconnect = out.begin(11);
        out.field(1, code);
        out.field(2, reason);
        out.field(3, isReconnect);
        out.end(disconnect);
        out.end(push);
        return out;
    }

    @Override
    public MessageBuffer ping() {
        return new ProtobufBuffer(0);
    }

    private static ProtobufBuffer reply(long id, int expected) {
        ProtobufBuffer out = new ProtobufBuffer(expected);
        out.field(1, id);
        return out;
    }

    private static ProtobufBuffer emptyResult(long id, int number) {
        ProtobufBuffer out = reply(id, SMALL);
        out.end(out.begin(number));
        return out;
    }

    private static void start(ProtobufBuffer out, SubscriptionStart start) {
        out.field(1, start.ttlSeconds() > 0);
        out.field(2, start.ttlSeconds());
        out.field(3, start.isRecoverable());
        out.field(6, start.epoch());
        Publication previous = null;
        for (Publication publication : start.publications()) {
            publication(out, 7, publication, previous);
            previous = start.hasDeltas() ? publication : null;
        }
        out.field(8, start.isRecovered());
        out.field(9, start.offset());
        out.field(10, start.isRecoverable());
        out.field(12, start.wasRecovering());
        out.field(13, start.hasDeltas());
    }

    private static void publication(ProtobufBuffer out, int number, Publication publication) {
        publication(out, number, publication, null);
    }

    /** Writes a publication, as the difference to the previous one if there is one and that is smaller. */
    private static void publication(
            ProtobufBuffer out, int number, Publication publication, @Nullable Publication previous) {
        int message = out.begin(number);
        Payload data = publication.data();
        byte[] patch =
                previous == null ? null : FossilDelta.ofBytes(previous.data().unsafeBytes(), data.unsafeBytes());
        out.field(4, patch == null ? data : Payload.wrap(patch));
        Publisher publisher = publication.publisher();
        if (publisher != null) {
            client(out, 5, publisher.user(), publisher.connection(), publisher.info());
        }
        out.field(6, publication.offset());
        publication.headers().forEach((name, value) -> {
            int entry = out.begin(7);
            out.field(1, name);
            out.field(2, value);
            out.end(entry);
        });
        out.field(8, patch != null);
        String key = publication.key();
        if (key != null) {
            out.field(11, key);
        }
        if (publication.offset() == 1) {
            out.field(14, publication.epoch());
        }
        out.end(message);
    }

    private static void client(ProtobufBuffer out, int number, String user, String connection, @Nullable Payload info) {
        int message = out.begin(number);
        out.field(1, user);
        out.field(2, connection);
        field(out, 3, info);
        out.end(message);
    }

    private static void field(ProtobufBuffer out, int number, @Nullable Payload payload) {
        if (payload != null) {
            out.field(number, payload);
        }
    }

    private static int size(List<Publication> publications) {
        int size = 0;
        for (Publication publication : publications) {
            size += size(publication);
        }
        return size;
    }

    private static int size(Publication publication) {
        return PER_PUBLICATION + publication.data().size();
    }
}
