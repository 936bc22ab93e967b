package dev.fanfare.netty.sse;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.netty.connection.Beat;
import dev.fanfare.netty.connection.BufferFrame;
import dev.fanfare.netty.connection.ChannelOutlet;
import dev.fanfare.netty.connection.Heartbeats;
import dev.fanfare.netty.connection.Turn;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.MediaTypes;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Writes one event stream.
 *
 * <p><i>State.</i> Until all subscriptions of the connection are answered, nothing may be written, because
 * one of them may be refused and the answer then is an error; so what channels that are live already
 * send is held back, in order. {@link #start} writes the head; what each channel begins with, and then what
 * was held, follows as the client reads.
 *
 * <p><i>Bounds.</i> What is held is at most {@value #MAX_HELD_BYTES} bytes and one frame more: beyond it,
 * and while the beginnings are not all written, the outlet is not writable, and the core lets the channels
 * catch up later. Of the beginnings at most {@value #PIECE_BYTES} bytes and one event more are encoded over
 * what the channel's watermark allows.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class SseOutlet extends ChannelOutlet {

    private static final int MAX_HELD_BYTES = 64 * 1024;
    private static final int PIECE_BYTES = 64 * 1024;
    private static final Duration FAREWELL = Duration.ofSeconds(5);
    private static final int MIN_RETRY_MILLIS = 1000;
    private static final int MAX_RETRY_MILLIS = 3000;
    private static final ByteBuf COMMENT = Unpooled.unreleasableBuffer(
            Unpooled.directBuffer(3).writeBytes(new byte[] {':', '\n', '\n'}).asReadOnly());

    private final SseEncoder encoder;
    private final Heartbeats heartbeats;
    private final Duration heartbeat;
    private final Beat beat = new Comment();
    private final @Nullable Positions positions;
    private @Nullable SseOpening opening;
    private final Deque<Held> held = new ArrayDeque<>(0);
    private @Nullable Replay replay;
    private int heldBytes;
    private boolean isGoingOn;
    private int openChannels;
    private boolean hasWritten;

    SseOutlet(
            Channel channel,
            SseOpening opening,
            SseEncoder encoder,
            Heartbeats heartbeats,
            Duration heartbeat,
            Turn turn) {
        super(channel, turn);
        this.opening = opening;
        this.encoder = encoder;
        this.heartbeats = heartbeats;
        this.heartbeat = heartbeat;
        this.positions = encoder == SseEncoder.STAMPED ? null : new Positions();
    }

    @Override
    public FrameEncoder encoder() {
        return encoder;
    }

    @Override
    public boolean isWritable() {
        return super.isWritable() && replay == null && heldBytes <= MAX_HELD_BYTES;
    }

    // ---- the beginning

    /** Takes the channel over from HTTP and begins to stream. */
    void start(Exchange exchange, List<Beginning> beginnings, @Nullable Payload greeting) {
        opening = null;
        openChannels += beginnings.size();
        ByteBuf out = channel().alloc().ioBuffer(1024);
        writeHead(out, exchange);
        exchange.detach(new SseHandler(this));
        writeOpening(out, beginnings, greeting);
        Replay begun = new Replay(beginnings, encoder, positions);
        begun.writeTo(out, PIECE_BYTES);
        replay = begun.isOver() ? null : begun;
        writeOwn(out);
        writeWaiting();
        flush();
        heartbeats.scheduleFirst(beat, heartbeat);
        goOn();
    }

    /** Writes what waits as long as the client takes it, and lets the core go on after that. */
    void goOn() {
        if (isGoingOn) {
            return;
        }
        isGoingOn = true;
        while (isBehind() && super.isWritable()) {
            writeWaiting();
            flush();
        }
        isGoingOn = false;
        if (openChannels == 0 && opening == null && !isBehind()) {
            finish();
        }
        writabilityChanged();
    }

    private boolean isBehind() {
        return replay != null || heldBytes > 0;
    }

    private void writeWaiting() {
        while (isBehind() && super.isWritable()) {
            if (replay == null) {
                Held next = held.remove();
                heldBytes -= next.body.readableBytes();
                writeEvent(next.channel, next.body, next.position);
            } else if (replay.isOver()) {
                replay = null;
            } else {
                ByteBuf out = channel().alloc().ioBuffer(PIECE_BYTES);
                replay.writeTo(out, PIECE_BYTES);
                writeOwn(out);
            }
        }
    }

    private static void writeHead(ByteBuf out, Exchange exchange) {
        Exchange.writeStatus(out, 200);
        Exchange.writeHeader(out, "content-type", MediaTypes.EVENT_STREAM);
        Exchange.writeHeader(out, "cache-control", "no-store");
        Exchange.writeHeader(out, "x-accel-buffering", "no");
        Exchange.writeHeader(out, "connection", "close");
        exchange.writeOriginHeaders(out);
        JsonText.raw(out, "\r\n");
    }

    /** Writes how to come back, and from where, before there is anything to see. */
    private void writeOpening(ByteBuf out, List<Beginning> beginnings, @Nullable Payload greeting) {
        JsonText.raw(out, ":\nretry: ");
        JsonText.number(out, ThreadLocalRandom.current().nextInt(MIN_RETRY_MILLIS, MAX_RETRY_MILLIS + 1));
        out.writeByte('\n');
        for (Beginning beginning : beginnings) {
            Cursor before = beginning.before();
            if (before != null && positions != null) {
                positions.move(beginning.channel(), before);
            } else if (before != null) {
                SseText.id(out, before);
            }
        }
        if (positions != null) {
            positions.write(out);
        }
        out.writeByte('\n');
        if (greeting != null) {
            SseText.connect(out, greeting);
        }
    }

    // ---- what the core writes

    @Override
    public void write(ChannelId channel, Frame frame, Publication publication) {
        Cursor position = positions != null && publication.isLogged() ? publication.cursor() : null;
        emitShared(channel, frame, position);
    }

    @Override
    public void writePresence(ChannelId channel, Frame frame) {
        emitShared(channel, frame, null);
    }

    @Override
    public boolean reset(ChannelId channel, Resume.Reset reset) {
        ByteBuf out = channel().alloc().ioBuffer(256);
        Cursor position = reset.position().hasEpoch() ? reset.position() : null;
        if (positions == null && position != null) {
            SseText.id(out, position);
        }
        SseText.reset(out, channel, reset.reason(), position);
        emit(channel, out, reset.position());
        return true;
    }

    @Override
    public void skipped(ChannelId channel, long publications, long presence) {
        ByteBuf out = channel().alloc().ioBuffer(128);
        SseText.skipped(out, channel, publications, presence);
        emit(channel, out, null);
    }

    @Override
    public void ended(ChannelId channel, UnsubscribeReason reason) {
        ended(channel, reason, null);
    }

    @Override
    public void ended(ChannelId channel, HostCode code) {
        ended(channel, UnsubscribeReason.BY_HOST, code);
    }

    private void ended(ChannelId channel, UnsubscribeReason reason, @Nullable HostCode code) {
        ByteBuf out = channel().alloc().ioBuffer(128);
        SseText.ended(out, channel, reason, code);
        emit(channel, out, null);
        openChannels--;
        if (openChannels == 0 && opening == null && !isBehind()) {
            finish();
        }
    }

    private void emitShared(ChannelId channel, Frame frame, @Nullable Cursor position) {
        if (isGoing()) {
            writePosition(channel, position);
            writeShared(frame);
            hasWritten = true;
        } else {
            emit(channel, ((BufferFrame) frame).share(), position);
        }
    }

    /** Tells whether an event can be written as it comes, because nothing is held back. */
    private boolean isGoing() {
        return !isEnding() && opening == null && !isBehind();
    }

    /**
     * Writes an event, or holds it back.
     *
     * @param position where the client is when it has it; null if that does not change, or if the event says
     *     so itself
     */
    private void emit(ChannelId channel, ByteBuf event, @Nullable Cursor position) {
        if (isGoing()) {
            writeEvent(channel, event, position);
        } else if (isEnding()) {
            event.release();
        } else {
            held.add(new Held(channel, event, position));
            heldBytes += event.readableBytes();
        }
    }

    private void writeEvent(ChannelId channel, ByteBuf event, @Nullable Cursor position) {
        writePosition(channel, position);
        writeOwn(event);
        hasWritten = true;
    }

    private void writePosition(ChannelId channel, @Nullable Cursor position) {
        if (position != null && positions != null) {
            positions.move(channel, position);
            writeOwn(positions.line(channel().alloc()));
        }
    }

    // ---- the end

    /** Nothing more can come: every channel has ended, and the client knows. */
    private void finish() {
        disconnect(DisconnectReason.FORCE_DISCONNECT);
    }

    @Override
    protected void close(DisconnectReason reason) {
        dropWaiting();
        if (opening != null) {
            opening.disconnected(reason);
            return;
        }
        ByteBuf out = channel().alloc().ioBuffer(128);
        if (openChannels > 0) {
            SseText.disconnect(out, reason, hostCode());
        }
        channel().writeAndFlush(out).addListener(ChannelFutureListener.CLOSE);
        heartbeats.schedule(beat, FAREWELL);
    }

    /** Learns that the client is gone, or was refused. */
    void gone(DisconnectReason reason) {
        heartbeats.cancel(beat);
        lost(reason);
        dropWaiting();
    }

    private void dropWaiting() {
        replay = null;
        held.forEach(each -> each.body.release());
        held.clear();
        heldBytes = 0;
    }

    private record Held(
            ChannelId channel, ByteBuf body, @Nullable Cursor position) {}

    /** Keeps a quiet stream open, and cuts one that does not take its farewell. */
    private final class Comment extends Beat {
        @Override
        protected void due() {
            if (isEnding()) {
                channel().close();
                return;
            }
            if (!hasWritten && isWritable()) {
                writeOwn(COMMENT.duplicate());
                flush();
            }
            hasWritten = false;
            heartbeats.schedule(this, heartbeat);
        }
    }
}
