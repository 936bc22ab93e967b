package dev.fanfare.netty.centrifuge;

import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What differs between the transports of the protocol, for all that is said to a client: how a message goes
 * over the wire, and how the end is told.
 *
 * <p><b>Threading:</b> immutable.
 */
interface Framing {

    /** Returns the messages, one at least, as one piece that is never divided, in a direct buffer of just that size. */
    ByteBuf frame(ByteBufAllocator allocator, List<MessageBuffer> messages);

    /** Returns one message, as {@link #frame(ByteBufAllocator, List)} does. */
    default ByteBuf frame(ByteBufAllocator allocator, MessageBuffer message) {
        return frame(allocator, List.of(message));
    }

    /**
     * Returns the last bytes that the client gets.
     *
     * @param hostCode what the host wants to be said instead of the reason's own code and words
     */
    ByteBuf farewell(
            ByteBufAllocator allocator, MessageEncoder messages, DisconnectReason reason, @Nullable HostCode hostCode);

    /** Tells whether the client answers the farewell and closes, so that it is given the time to. */
    boolean isFarewellAnswered();

    /** Tells whether commands come over the same channel, so that not to read it makes a client wait that sends too many. */
    boolean isTwoWay();
}
