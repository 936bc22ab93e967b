package dev.fanfare.netty.connection;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import dev.fanfare.Publication;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.Outlet;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Writes to a Netty channel for the core, and keeps the end of the connection in order: whoever ends it
 * first gives the reason, nothing is written after that, and the core hears of it once.
 *
 * <p>The handler that owns the channel passes three events on: {@link #opened} when the core knows the
 * connection, {@link #writabilityChanged}, and {@link #lost} when the channel is gone.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
public abstract class ChannelOutlet implements Outlet {

    /** So many bytes of shared frames wait for the end of the turn, and one frame more. */
    private static final int MAX_OWED_BYTES = 32 * 1024;

    private static final long GATHERING_NANOS = Turn.GATHERING.toNanos();
    private static final LogLine CUT =
            LogLine.warn(ChannelOutlet.class, "A connection is cut, since what is due to it cannot be written");

    private final Channel channel;
    private final Turn turn;
    private final Wire wire;
    private @Nullable Owed owed;
    /** When what was owed was sent last. */
    private long sentNanos;

    private boolean isGathering;
    /** Whether something may be in the channel's queue, which is looked at only then: it is far away in memory. */
    private boolean mayHaveQueued = true;
    /** There is one while the channel is full. */
    private Unsent.@Nullable Stall stall;

    private @Nullable Connection connection;
    private @Nullable DisconnectReason ending;
    private @Nullable HostCode hostCode;

    /** Writes to that channel, in the turns of its event loop. */
    protected ChannelOutlet(Channel channel, Turn turn) {
        this.channel = requireNonNull(channel, "channel");
        this.turn = requireNonNull(turn, "turn");
        this.wire = turn.wireOf(channel);
        this.sentNanos = turn.nanos() - GATHERING_NANOS;
    }

    /** Returns the channel. */
    protected final Channel channel() {
        return channel;
    }

    @Override
    public final Executor loop() {
        return channel.eventLoop();
    }

    @Override
    public boolean isWritable() {
        return ending == null && (!mayHaveQueued || channel.isWritable());
    }

    @Override
    public void write(ChannelId id, Frame frame, Publication publication) {
        writeShared(frame);
    }

    @Override
    public void writePresence(ChannelId id, Frame frame) {
        writeShared(frame);
    }

    @Override
    public void flush() {
        if (owed == null) {
            channel.flush();
        } else if (turn.nanos() - sentNanos >= GATHERING_NANOS) {
            sendOwed(owed);
        } else if (!isGathering) {
            isGathering = true;
            turn.gather(this, sentNanos);
        }
    }

    private void sendOwed(Owed due) {
        owed = null;
        sentNanos = turn.nanos();
        try {
            mayHaveQueued = !Turn.send(channel, hasQueued() ? Wire.NONE : wire, due);
        } catch (RuntimeException | Error broken) {
            cut(broken);
        }
    }

    private boolean hasQueued() {
        if (!mayHaveQueued) {
            return false;
        }
        ChannelOutboundBuffer queue = channel.unsafe().outboundBuffer();
        return queue == null || queue.totalPendingWriteBytes() > 0;
    }

    /** What was owed cannot be sent: without the connection, the client comes back and asks for it. */
    private void cut(Throwable why) {
        CUT.log("failure", why);
        channel.close();
        if (ending == null) {
            ending = DisconnectReason.WRITE_ERROR;
            channel.eventLoop().execute(this::tellCore);
        }
    }

    /** Sends what is owed since it was sent last, unless that went another way. */
    final void sendGathered() {
        isGathering = false;
        if (owed != null) {
            sendOwed(owed);
        }
    }

    /** Closes the connection, unless it is ending already; the core hears of it after this call. */
    @Override
    public final void disconnect(DisconnectReason reason) {
        if (ending == null) {
            ending = reason;
            settle();
            close(reason);
            channel.eventLoop().execute(this::tellCore);
        }
    }

    /** Closes the connection in the host's own words, unless it is ending already. */
    @Override
    public final void disconnect(HostCode code) {
        if (ending == null) {
            hostCode = code;
            disconnect(code.reason());
        }
    }

    /** Returns the host's own words for the end; null if there are none. */
    protected final @Nullable HostCode hostCode() {
        return hostCode;
    }

    /**
     * Says farewell in the protocol's way and closes the channel; called once. Write to {@link
     * #channel} directly: the methods of this class write nothing any more.
     */
    protected abstract void close(DisconnectReason reason);

    /** Learns which connection of the core this is. */
    public final void opened(Connection connection) {
        this.connection = connection;
        if (ending != null) {
            tellCore();
        }
    }

    /** Learns that the channel became writable, or ceased to be. */
    public final void writabilityChanged() {
        Unsent.Stall present = stall;
        if (channel.isWritable() && present != null) {
            endStall(present);
        } else if (!channel.isWritable() && present == null && ending == null) {
            stall = turn.unsent().begin(this, channel);
        }
        if (connection != null && isWritable()) {
            connection.writable();
        }
    }

    private void endStall(Unsent.Stall present) {
        stall = null;
        present.end();
    }

    /** Learns that the channel is gone, or is being closed by the other side. */
    public final void lost(DisconnectReason reason) {
        if (ending == null) {
            ending = reason;
        }
        if (owed != null) {
            owed.release();
            owed = null;
        }
        if (stall != null) {
            endStall(stall);
        }
        tellCore();
    }

    /** Returns why the connection ended; null if it did not. */
    public final @Nullable DisconnectReason endedBy() {
        return ending;
    }

    /** Tells whether the end has begun, so that nothing is written any more. */
    public final boolean isEnding() {
        return ending != null;
    }

    /** Writes a frame that others write too. */
    protected final void writeShared(Frame frame) {
        if (ending == null) {
            owed = turn.add(owed, (BufferFrame) frame);
            if (owed.bytes() > MAX_OWED_BYTES) {
                sendOwed(owed);
            }
        }
    }

    /** Writes a buffer of this connection alone, and releases it. */
    protected final void writeOwn(ByteBuf buffer) {
        writeOwn(buffer, channel.voidPromise());
    }

    /** Writes a buffer of this connection alone, and releases it; the promise hears when it has left. */
    protected final void writeOwn(ByteBuf buffer, ChannelPromise promise) {
        if (ending == null) {
            settle();
            mayHaveQueued = true;
            channel.write(buffer, promise);
        } else {
            buffer.release();
        }
    }

    /** Puts what is owed into the channel's queue, so that what comes next comes after it. */
    private void settle() {
        Owed due = owed;
        if (due != null) {
            owed = null;
            mayHaveQueued = true;
            try {
                Turn.enqueue(channel, due);
            } catch (RuntimeException | Error broken) {
                cut(broken);
            }
        }
    }

    private void tellCore() {
        Connection told = connection;
        if (told != null && ending != null) {
            connection = null;
            told.closed(ending);
        }
    }
}
