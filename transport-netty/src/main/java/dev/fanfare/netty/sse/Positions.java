package dev.fanfare.netty.sse;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where one connection is in each of its channels, ready to be written as an event id.
 *
 * <p><b>Threading:</b> confined to the connection's event loop.
 */
final class Positions {

    private static final byte[] ID = "id: ".getBytes(US_ASCII);
    private static final byte[] SEPARATOR = {';'};

    private final Map<ChannelId, Entry> entries = new LinkedHashMap<>(4);
    private int length;

    /**
     * Moves to a position; the channel appears in ids from then on. With a position that has no epoch
     * nobody could come back, so such a channel does not.
     */
    void move(ChannelId channel, Cursor position) {
        if (!position.hasEpoch()) {
            forget(channel);
            return;
        }
        Entry entry = entries.get(channel);
        if (entry == null) {
            entry = new Entry((CursorVector.encoded(channel) + '=').getBytes(US_ASCII));
            entries.put(channel, entry);
            length += entry.name.length + 1;
        }
        length -= entry.cursor.length;
        entry.cursor = position.toString().getBytes(US_ASCII);
        length += entry.cursor.length;
    }

    private void forget(ChannelId channel) {
        Entry entry = entries.remove(channel);
        if (entry != null) {
            length -= entry.name.length + 1 + entry.cursor.length;
        }
    }

    /** Returns the line that says so, or an empty buffer if no channel has positions. */
    ByteBuf line(ByteBufAllocator alloc) {
        ByteBuf out = alloc.ioBuffer(length + ID.length + 1);
        write(out);
        return out;
    }

    void write(ByteBuf out) {
        if (entries.isEmpty()) {
            return;
        }
        byte[] separator = ID;
        for (Entry entry : entries.values()) {
            out.writeBytes(separator).writeBytes(entry.name).writeBytes(entry.cursor);
            separator = SEPARATOR;
        }
        out.writeByte('\n');
    }

    private static final class Entry {
        final byte[] name;
        byte[] cursor = {};

        Entry(byte[] name) {
            this.name = name;
        }
    }
}
