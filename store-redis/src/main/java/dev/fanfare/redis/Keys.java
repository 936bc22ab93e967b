package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import org.jspecify.annotations.Nullable;

/**
 * Names the keys: {@code <prefix>:1:<kind>:<place>}, where 1 is the version of what is stored.
 *
 * <p>The place of a channel is its name in braces, so that all its keys are in one slot. What could be taken for a
 * brace in the name is escaped: two different channels, or pairs of channel and dedup key, never share a key. Immutable.
 */
final class Keys {

    /** Period of the epochs of channels that were never written, as in {@code log.lua}. */
    private static final long PERIOD_MILLIS = 2_592_000_000L;

    private final String root;
    private final byte[] heads;
    private final byte[] streams;
    private final byte[] dedups;
    private final byte[] queues;
    private final byte[] values;
    private final byte[] valueTimes;
    private final byte[] genesis;

    Keys(String prefix) {
        this.root = prefix + ":1:";
        this.heads = global("h:");
        this.streams = global("s:");
        this.dedups = global("d:");
        this.queues = global("q:");
        this.values = global("v:");
        this.valueTimes = global("w:");
        this.genesis = global("genesis");
    }

    /** Returns the name of something that there is one of. */
    byte[] global(String name) {
        return (root + name).getBytes(UTF_8);
    }

    /** Returns the name of a pub/sub channel that there is one of. */
    String globalBus(String name) {
        return root + name;
    }

    /** Returns the part of its keys that names the channel. */
    static byte[] place(ChannelId channel) {
        return ('{' + escaped(channel.value()) + '}').getBytes(UTF_8);
    }

    byte[] head(byte[] place) {
        return joined(heads, place);
    }

    byte[] stream(byte[] place) {
        return joined(streams, place);
    }

    byte[] dedup(byte[] place, String key) {
        return joined(dedups, place, key.getBytes(UTF_8));
    }

    byte[] queue(byte[] place, String group) {
        return joined(queues, place, group.getBytes(UTF_8));
    }

    byte[] values(byte[] place) {
        return joined(values, place);
    }

    byte[] valueTimes(byte[] place) {
        return joined(valueTimes, place);
    }

    byte[] genesis() {
        return genesis;
    }

    /** Returns the pub/sub channel of a channel. */
    String bus(ChannelId channel) {
        return root + "b:{" + escaped(channel.value()) + '}';
    }

    /**
     * Returns the pattern, as Redis has them, of the pub/sub channels of those channels; it may match a few others, whose
     * names need escaping.
     */
    String bus(ChannelPattern pattern) {
        String literal = escaped(pattern.value()).replaceAll("[\\\\?\\[\\]^]", "\\\\$0");
        return root + "b:{" + literal + '}';
    }

    /** Returns the channel of a pub/sub channel, or null if it is none. */
    @Nullable
    ChannelId channel(String bus) {
        int start = root.length() + 3;
        if (bus.length() <= start + 1 || bus.charAt(bus.length() - 1) != '}') {
            return null;
        }
        String name = bus.substring(start, bus.length() - 1).replace("%7D", "}").replace("%25", "%");
        return ChannelId.isValid(name) ? ChannelId.of(name) : null;
    }

    /** Returns when, within its period, the epochs of never-written channels change for this one. */
    static long phase(ChannelId channel) {
        int hash = channel.hashCode() * 0x9E3779B9;
        return ((hash & 0xffff_ffffL) * PERIOD_MILLIS) >>> 32;
    }

    private static String escaped(String name) {
        if (name.indexOf('}') < 0 && name.indexOf('%') < 0) {
            return name;
        }
        return name.replace("%", "%25").replace("}", "%7D");
    }

    private static byte[] joined(byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        byte[] key = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, key, at, part.length);
            at += part.length;
        }
        return key;
    }
}
