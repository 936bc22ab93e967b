package dev.fanfare.netty.sse;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.Publisher;
import dev.fanfare.ResetReason;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * Writes events. Whatever the data is, it cannot break out of its event: every line break in it, of
 * whichever kind, begins a new {@code data:} line, which the client joins again with a line feed.
 */
final class SseText {

    private static final byte[] DATA = "data: ".getBytes(US_ASCII);

    private SseText() {}

    /** Writes the publication's data as it is. */
    static void plain(ByteBuf out, Publication publication) {
        String type = publication.eventType();
        if (type != null) {
            field(out, "event", type);
        }
        data(out, publication.data());
    }

    /** Writes the publication with all that is known of it, as one JSON object. */
    static void envelope(ByteBuf out, ChannelId channel, Publication publication) {
        out.writeBytes(DATA);
        JsonText.raw(out, "{\"channel\":");
        JsonText.string(out, channel.value());
        out.writeByte(',');
        jsonData(out, publication.data());
        if (publication.isLogged()) {
            JsonText.raw(out, ",\"offset\":");
            JsonText.number(out, publication.offset());
        }
        optional(out, "event", publication.eventType());
        optional(out, "key", publication.key());
        if (!publication.headers().isEmpty()) {
            JsonText.raw(out, ",\"headers\":");
            JsonText.strings(out, publication.headers());
        }
        publisher(out, publication.publisher());
        JsonText.raw(out, "}\n\n");
    }

    private static void jsonData(ByteBuf out, Payload data) {
        byte[] bytes = data.unsafeBytes();
        if (JsonText.isJson(bytes)) {
            JsonText.raw(out, "\"data\":");
            lines(out, bytes);
        } else {
            JsonText.raw(out, "\"b64data\":\"");
            out.writeBytes(Base64.getEncoder().encode(bytes));
            out.writeByte('"');
        }
    }

    private static void publisher(ByteBuf out, @Nullable Publisher publisher) {
        if (publisher != null) {
            JsonText.raw(out, ",\"publisher\":{");
            user(out, publisher.user(), publisher.connection());
            out.writeByte('}');
        }
    }

    static void presence(ByteBuf out, ChannelId channel, PresenceEvent event) {
        Member member = event.member();
        begin(out, event.kind() == PresenceEvent.Kind.JOIN ? "join" : "leave", channel);
        out.writeByte(',');
        user(out, member.user(), member.connection());
        end(out);
    }

    /** Writes that a channel begins anew; without a position if there is none to come back with. */
    static void reset(ByteBuf out, ChannelId channel, ResetReason reason, @Nullable Cursor position) {
        begin(out, "reset", channel);
        JsonText.raw(out, ",\"reason\":\"");
        JsonText.raw(out, reason.name());
        out.writeByte('"');
        if (position != null) {
            JsonText.raw(out, ",\"cursor\":\"");
            JsonText.raw(out, position.toString());
            out.writeByte('"');
        }
        end(out);
    }

    /** Writes the line that says where the client is when it has the event that follows. */
    static void id(ByteBuf out, Cursor position) {
        JsonText.raw(out, "id: ");
        JsonText.raw(out, position.toString());
        out.writeByte('\n');
    }

    static void skipped(ByteBuf out, ChannelId channel, long publications, long presence) {
        begin(out, "skipped", channel);
        JsonText.raw(out, ",\"count\":");
        JsonText.number(out, publications);
        if (presence > 0) {
            JsonText.raw(out, ",\"presence\":");
            JsonText.number(out, presence);
        }
        end(out);
    }

    static void ended(ByteBuf out, ChannelId channel, UnsubscribeReason reason, @Nullable HostCode code) {
        begin(out, "ended", channel);
        JsonText.raw(out, ",\"reason\":\"");
        JsonText.raw(out, reason.name());
        out.writeByte('"');
        if (code != null) {
            JsonText.raw(out, ",\"code\":");
            JsonText.number(out, code.code());
            JsonText.raw(out, ",\"text\":");
            JsonText.string(out, code.text());
        }
        end(out);
    }

    static void disconnect(ByteBuf out, DisconnectReason reason, @Nullable HostCode code) {
        JsonText.raw(out, "event: disconnect\ndata: {\"code\":");
        JsonText.number(out, code == null ? reason.code() : code.code());
        JsonText.raw(out, ",\"reason\":");
        JsonText.string(out, code == null ? reason.text() : code.text());
        JsonText.raw(out, reason.isReconnect() ? ",\"reconnect\":true" : ",\"reconnect\":false");
        end(out);
    }

    /** Writes what the host says to a client that it lets in. */
    static void connect(ByteBuf out, Payload data) {
        JsonText.raw(out, "event: connect\n");
        data(out, data);
    }

    private static void begin(ByteBuf out, String event, ChannelId channel) {
        JsonText.raw(out, "event: ");
        JsonText.raw(out, event);
        JsonText.raw(out, "\ndata: {\"channel\":");
        JsonText.string(out, channel.value());
    }

    private static void end(ByteBuf out) {
        JsonText.raw(out, "}\n\n");
    }

    private static void user(ByteBuf out, String user, String connection) {
        JsonText.raw(out, "\"user\":");
        JsonText.string(out, user);
        JsonText.raw(out, ",\"client\":");
        JsonText.string(out, connection);
    }

    private static void optional(ByteBuf out, String name, @Nullable String value) {
        if (value != null) {
            JsonText.raw(out, ",\"");
            JsonText.raw(out, name);
            JsonText.raw(out, "\":");
            JsonText.string(out, value);
        }
    }

    /** Writes a field whose value may come from a store, and so is not trusted to be one line. */
    private static void field(ByteBuf out, String name, String value) {
        JsonText.raw(out, name);
        JsonText.raw(out, ": ");
        ByteBufUtil.writeUtf8(out, value.replace('\n', ' ').replace('\r', ' '));
        out.writeByte('\n');
    }

    private static void data(ByteBuf out, Payload data) {
        out.writeBytes(DATA);
        lines(out, data.unsafeBytes());
        out.writeShort('\n' << 8 | '\n');
    }

    /** Writes bytes inside a data line that is begun already. */
    private static void lines(ByteBuf out, byte[] bytes) {
        int begun = 0;
        for (int i = 0; i < bytes.length; i++) {
            byte b = bytes[i];
            if (b != '\n' && b != '\r') {
                continue;
            }
            out.writeBytes(bytes, begun, i - begun);
            out.writeByte('\n');
            out.writeBytes(DATA);
            if (b == '\r' && i + 1 < bytes.length && bytes[i + 1] == '\n') {
                i++;
            }
            begun = i + 1;
        }
        out.writeBytes(bytes, begun, bytes.length - begun);
    }
}
