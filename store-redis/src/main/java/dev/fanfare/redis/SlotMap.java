package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.ArrayOutput;
import io.lettuce.core.protocol.CommandType;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which server of a Redis Cluster has which slot, as one of them sees it. Immutable. */
final class SlotMap {

    private final @Nullable String[] addresses;

    private SlotMap(@Nullable String[] addresses) {
        this.addresses = addresses;
    }

    /** Returns {@code host:port} of the primary that has the slot; null if nobody has it. */
    @Nullable
    String addressOf(int slot) {
        return addresses[slot];
    }

    /** Tells whether every slot has a server. */
    boolean isWhole() {
        return !Arrays.asList(addresses).contains(null);
    }

    /** The command that asks for it; any server may be asked. */
    static Request<List<Object>> request() {
        return Request.of(
                CommandType.CLUSTER, "SLOTS".getBytes(US_ASCII), () -> new ArrayOutput<>(ByteArrayCodec.INSTANCE));
    }

    /**
     * Reads the answer: first slot, last slot, primary, replicas; a server is host, port and more.
     *
     * @param asked the host of the server that answered; it may leave out its own
     */
    static SlotMap of(List<?> answer, String asked) {
        @Nullable String[] addresses = new String[SlotHash.SLOT_COUNT];
        for (Object each : answer) {
            List<?> range = (List<?>) each;
            List<?> primary = (List<?>) range.get(2);
            String host = primary.get(0) instanceof byte[] name ? new String(name, UTF_8) : "";
            String address = (host.isEmpty() || host.equals("?") ? asked : host) + ':' + primary.get(1);
            for (int slot = number(range.get(0)); slot <= number(range.get(1)); slot++) {
                addresses[slot] = address;
            }
        }
        return new SlotMap(addresses);
    }

    private static int number(Object slot) {
        return ((Number) slot).intValue();
    }
}
