package dev.fanfare.netty.connection;

import static java.util.Objects.requireNonNull;

import dev.fanfare.spi.LogLine;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Sends what a turn of one event loop owes to its connections: shared among those that are owed the same,
 * and straight to the socket where nothing waits before it.
 *
 * <p>A lone publication leaves at once. A connection that was sent to less than {@link #GATHERING} ago is owed what
 * comes until then, and gets all of it in one piece: in a burst the system calls are what costs.
 *
 * <p><b>Threading:</b> confined to its event loop.
 */
public final class Turn {

    /** What a publication waits at most for others that go the same way. */
    static final Duration GATHERING = Duration.ofMillis(1);

    private static final LogLine BUG = LogLine.error(Turn.class, "An outlet could not send; this is a bug in Fanfare");

    private final EventLoop loop;
    private final Wire.Finder wires;
    private final Unsent unsent;
    private List<ChannelOutlet> gathered = new ArrayList<>(0);
    private List<ChannelOutlet> sending = new ArrayList<>(0);
    private @Nullable Owed newest;
    /** When {@link #newest} was new: as good as now for those who are owed it, for one look at the clock. */
    private long nanos;

    Turn(EventLoop loop, Wire.Finder wires, Unsent unsent) {
        this.unsent = requireNonNull(unsent, "unsent");
        this.loop = requireNonNull(loop, "loop");
        this.wires = requireNonNull(wires, "wires");
        this.nanos = loop.ticker().nanoTime();
    }

    /** Returns what waits for the clients of this event loop that do not read. */
    Unsent unsent() {
        return unsent;
    }

    /** Returns how to send to that channel: what a handler of it turns into something else must pass there. */
    Wire wireOf(Channel channel) {
        return channel.pipeline().get(SslHandler.class) == null ? wires.to(channel) : Wire.NONE;
    }

    /** Owes a frame to a connection that is owed something already, or nothing yet. */
    Owed add(@Nullable Owed owed, BufferFrame frame) {
        if (owed != null) {
            return owed.and(frame);
        }
        Owed known = newest;
        if (known == null || !known.isAlso(frame)) {
            known = Owed.of(frame);
            newest = known;
            nanos = loop.ticker().nanoTime();
        }
        return known;
    }

    /** Returns the time, see {@code System.nanoTime()}, at which the newest of what is owed came. */
    long nanos() {
        return nanos;
    }

    /** Has an outlet send what it owes in a while that began when it sent last. */
    void gather(ChannelOutlet outlet, long sentNanos) {
        gathered.add(outlet);
        if (gathered.size() == 1) {
            long wait = GATHERING.toNanos() - (nanos - sentNanos);
            loop.schedule(this::sendGathered, wait, TimeUnit.NANOSECONDS);
        }
    }

    private void sendGathered() {
        nanos = loop.ticker().nanoTime();
        List<ChannelOutlet> due = gathered;
        gathered = sending; // in case that one of them has something again
        sending = due;
        for (ChannelOutlet outlet : due) {
            sendOrLog(outlet);
        }
        due.clear();
    }

    /** One that cannot even be cut keeps nobody else waiting, nor those who come after. */
    private static void sendOrLog(ChannelOutlet outlet) {
        try {
            outlet.sendGathered();
        } catch (RuntimeException | Error failure) {
            BUG.logTrace(failure, "outlet", outlet);
        }
    }

    /** Puts what is owed into the channel's queue, before something else goes there. */
    static void enqueue(Channel channel, Owed owed) {
        try {
            enqueue(channel, owed.buffer(), 0);
        } finally {
            owed.release();
        }
    }

    /**
     * Sends what is owed: what the kernel does not take at once goes into the channel's queue.
     *
     * @return whether the kernel took all
     */
    static boolean send(Channel channel, Wire wire, Owed owed) {
        try {
            ByteBuf bytes = owed.buffer();
            int sent = trySend(wire, bytes);
            if (sent == bytes.readableBytes()) {
                return true;
            }
            enqueue(channel, bytes, sent);
            channel.flush();
            return false;
        } finally {
            owed.release();
        }
    }

    private static int trySend(Wire wire, ByteBuf bytes) {
        try {
            return wire.send(bytes);
        } catch (IOException broken) {
            return 0; // the channel will see it when it writes, and close
        }
    }

    private static void enqueue(Channel channel, ByteBuf bytes, int from) {
        int length = bytes.readableBytes() - from;
        channel.write(bytes.retainedSlice(bytes.readerIndex() + from, length), channel.voidPromise());
    }
}
