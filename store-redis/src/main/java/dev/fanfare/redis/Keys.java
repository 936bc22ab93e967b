package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import org.jspecify.annotations.Nullable;

/**
 * Names the keys: {@code <prefix>:1:<kind>:{<partition>}<channel>}, where 1 is the version of what is stored.
 *
 * <p>Channels are spread over {@value #PARTITIONS} partitions. What is in braces decides about the slot of a Redis Cluster,
 * so all of a partition is in one: the keys of a channel and its pub/sub channel, and what the channels of the partition
 * share. Two different channels, or pairs of channel and dedup key, never share a key. Immutable.
 */
final class Keys {

    static final int PARTITIONS = 1024;

    /** Period of the epochs of channels that were never written, as in {@code log.lua}. */
    private static final long PERIOD_MILLIS = 2_592_000_000L;

    private final String root;
    private final byte[] buses;
    private final byte[] heads;
    private final byte[] streams;
    private final byte[] dedups;
    private final byte[] queues;
    private final byte[] values;
    private final byte[] valueTimes;
    private final byte[][] geneses = new byte[PARTITIONS][];

    Keys(String prefix) {
        this.root = prefix + ":1:";
        this.buses = global("b:");
        this.heads = global("h:");
        this.streams = global("s:");
        this.dedups = global("d:");
        this.queues = global("q:");
        this.values = global("v:");
        this.valueTimes = global("w:");
        for (int i = 0; i < PARTITIONS; i++) {
            geneses[i] = global("genesis:{" + i + '}');
        }
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
        return named(channel).getBytes(UTF_8);
    }

    byte[] head(byte[] place) {
        return joined(heads, place);
    }

    byte[] stream(byte[] place) {
        return joined(streams, place);
    }

    byte[] dedup(byte[] place, String key) {
        return joined(dedups, place, within(key));
    }

    byte[] queue(byte[] place, String group) {
        return joined(queues, place, within(group));
    }

    byte[] values(byte[] place) {
        return joined(values, place);
    }

    byte[] valueTimes(byte[] place) {
        return joined(valueTimes, place);
    }

    /** Returns the key of what the epochs of a partition come from that were never written. */
    byte[] genesis(ChannelId channel) {
        return geneses[partition(channel)];
    }

    /** Returns the pub/sub channel of a channel. */
    String bus(ChannelId channel) {
        return root + "b:" + named(channel);
    }

    /** Returns the pub/sub channel of a channel as Redis has it. */
    byte[] bus(byte[] place) {
        return joined(buses, place);
    }

    /**
     * Returns the pattern, as Redis has them, of the pub/sub channels of those channels. It may match a few others, with a
     * closing brace in their names.
     */
    String bus(ChannelPattern pattern) {
        return root + "b:{*}" + pattern.value().replaceAll("[\\\\?\\[\\]^]", "\\\\$0");
    }

    /** Returns the channel of a pub/sub channel, or null if it is none. */
    @Nullable
    ChannelId channel(String bus) {
        int brace = bus.indexOf('}', root.length());
        String name = brace < 0 ? "" : bus.substring(brace + 1);
        return ChannelId.isValid(name) ? ChannelId.of(name) : null;
    }

    /** Returns when, within its period, the epochs of never-written channels change for this one. */
    static long phase(ChannelId channel) {
        int hash = channel.hashCode() * 0x9E3779B9;
        return ((hash & 0xffff_ffffL) * PERIOD_MILLIS) >>> 32;
    }

    private static int partition(ChannelId channel) {
        int hash = channel.value().hashCode() * 0x85EBCA6B;
        return (hash >>> 16) % PARTITIONS;
    }

    private static String named(ChannelId channel) {
        return "{" + partition(channel) + '}' + channel.value();
    }

    /** Writes what is within a channel; no channel's name holds a control character. */
    private static byte[] within(String name) {
        return ('\t' + name).getBytes(UTF_8);
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
