package dev.fanfare.netty.centrifuge;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.netty.connection.BufferFrame;
import dev.fanfare.netty.connection.ChannelOutlet;
import dev.fanfare.netty.connection.ErrorCode;
import dev.fanfare.netty.connection.Heartbeats;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.spi.DeltaEncoder;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import dev.fanfare.spi.Gateway;
import dev.fanfare.spi.TokenBucket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelPromise;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes to one client: replies, pushes and the farewell.
 *
 * <p><i>State.</i> Corked until the reply to the connect command is out, because no push may come before
 * it; then open; then, once the farewell is written, ending. While corked, pushes of the subscriptions
 * that the server makes wait here.
 *
 * <p><i>Bounds.</i> At most {@value #MAX_CORKED} pushes wait, and {@value #MAX_CORKED_BYTES} bytes and one push
 * more; from then on the outlet says that it is not
 * writable, and the core catches up later.
 *
 * <p>That publications were left out, as some delivery classes allow, is told by a message of this connection alone,
 * before the publication that follows the hole: the frames of publications are everybody's, and stay as they are.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class ClientOutlet extends ChannelOutlet {

    private static final int MAX_CORKED = 256;
    private static final int MAX_CORKED_BYTES = 64 * 1024;
    private static final int MAX_BATCH = 16;
    private static final int MAX_BATCH_BYTES = 16 * 1024;
    private static final int SKIPPED_BYTES = 64;
    private static final int UNSUBSCRIBED_BY_SERVER = 2000;
    private static final int INSUFFICIENT_STATE = 2500;
    private static final int SUBSCRIPTION_EXPIRED = 2501;

    private final WireFormat format;
    private final Heartbeats heartbeats;
    private final Gateway gateway;
    private @Nullable TokenBucket errors;
    private @Nullable Deque<ByteBuf> corked = new ArrayDeque<>(2);
    private int corkedBytes;
    private Set<ChannelId> serverSide = Set.of();
    private @Nullable ByteBuf lastWords;
    private final List<MessageBuffer> batch = new ArrayList<>(0);
    private int batchBytes;
    private boolean isReading;
    private boolean isFlushDue;

    ClientOutlet(Channel channel, WireFormat format, TransportContext context) {
        super(channel, context.turn(channel.eventLoop()));
        this.format = format;
        this.heartbeats = context.heartbeats(channel.eventLoop());
        this.gateway = context.gateway();
    }

    MessageEncoder messages() {
        return format.messages();
    }

    @Override
    public FrameEncoder encoder() {
        return format.frames();
    }

    /** Returns the encoder of subscriptions with differences. */
    DeltaEncoder deltas() {
        return format.deltas();
    }

    // ---- before and after the connect reply

    /** Names the channels to which the server subscribes the client. */
    void serverSide(Set<ChannelId> channels) {
        serverSide = channels.isEmpty() ? Set.of() : new HashSet<>(channels);
    }

    /** Takes note that the client gave up a subscription, whoever made it. */
    void forgetServerSide(ChannelId channel) {
        if (!serverSide.isEmpty()) {
            serverSide.remove(channel);
        }
    }

    /** Lets pushes through: the reply to the connect command is written. */
    void uncork() {
        writeBatch();
        Deque<ByteBuf> waiting = corked;
        corked = null;
        if (waiting != null) {
            waiting.forEach(this::writeOwn);
        }
    }

    /** Forgets the pushes that wait; for connections that end before they began. */
    void dropCorked() {
        if (corked != null) {
            corked.forEach(ByteBuf::release);
            corked.clear();
        }
    }

    @Override
    public boolean isWritable() {
        return super.isWritable()
                && (corked == null || (corked.size() < MAX_CORKED && corkedBytes <= MAX_CORKED_BYTES));
    }

    @Override
    public void write(ChannelId id, Frame frame, Publication publication) {
        push(frame);
    }

    @Override
    public void writePresence(ChannelId id, Frame frame) {
        push(frame);
    }

    private void push(Frame frame) {
        if (corked == null) {
            writeBatch();
            writeShared(frame);
        } else if (!isEnding()) {
            cork(corked, ((BufferFrame) frame).share());
        }
    }

    // ---- replies

    /** Sends a message of this connection alone; several within one read go out as one piece. */
    void reply(MessageBuffer message) {
        if (isEnding()) {
            return;
        }
        batch.add(message);
        batchBytes += message.size();
        if (!isReading || batch.size() == MAX_BATCH || batchBytes >= MAX_BATCH_BYTES) {
            writeBatch();
        }
        flushSoon();
    }

    private void writeBatch() {
        if (batchBytes > 0) {
            writeOwn(takeBatch());
        }
    }

    private ByteBuf takeBatch() {
        ByteBuf piece = format.framing().frame(channel().alloc(), batch);
        batch.clear();
        batchBytes = 0;
        return piece;
    }

    void error(long id, ErrorCode error) {
        error(id, error, error.text());
    }

    private void error(long id, ErrorCode error, String text) {
        reply(messages().error(id, error.code(), text, error.isTemporary()));
        if (error != ErrorCode.INTERNAL && !mayErrAgain()) {
            disconnect(
                    error == ErrorCode.TOO_MANY_REQUESTS
                            ? DisconnectReason.TOO_MANY_REQUESTS
                            : DisconnectReason.TOO_MANY_ERRORS);
        }
    }

    /** Refuses what the core was not asked for because it makes no sense, and counts it as the core would. */
    void refuse(long id, ConnectionInfo connection, Refusal reason) {
        noted(connection, null, reason);
        error(id, ErrorCode.of(reason));
    }

    /** Refuses what makes no sense, and says what would. */
    void refuseAsBad(long id, ConnectionInfo connection, String detail) {
        noted(connection, null, Refusal.BAD_REQUEST);
        badRequest(id, detail);
    }

    /** Answers with what was bad about a request that somebody else has counted. */
    void badRequest(long id, String detail) {
        error(id, ErrorCode.BAD_REQUEST, ErrorCode.BAD_REQUEST.text() + ": " + detail);
    }

    /** Counts a refusal that is not the core's. */
    void noted(ConnectionInfo connection, @Nullable ChannelId channel, Refusal reason) {
        gateway.listener().onRefuse(connection, channel, reason);
    }

    /** Tells whether the client has not made too many errors yet; our own do not count. */
    private boolean mayErrAgain() {
        if (errors == null) {
            errors = new TokenBucket(gateway.limits().errors());
        }
        return errors.tryTake(gateway.time().nanos());
    }

    /** Sends a ping; the returned promise succeeds when it has left for the network. */
    ChannelPromise ping() {
        return ping(format.framing().frame(channel().alloc(), messages().ping()));
    }

    /** Sends a ping of WebSocket itself, with the same promise. */
    ChannelPromise pingFrame() {
        return ping(WebSocketFraming.ping(channel().alloc()));
    }

    private ChannelPromise ping(ByteBuf piece) {
        ChannelPromise promise = channel().newPromise();
        writeBatch();
        writeOwn(piece, promise);
        flush();
        return promise;
    }

    /** Sends what the transport itself answers, unless the client reads so little that it can hardly mean it. */
    void answer(ByteBuf piece) {
        if (isWritable()) {
            writeBatch();
            writeOwn(piece);
            flushSoon();
        } else {
            piece.release();
        }
    }

    private void flushSoon() {
        if (isReading) {
            isFlushDue = true;
        } else {
            flush();
        }
    }

    /** Holds flushes back, because more replies may come of what is being read. */
    void beginRead() {
        isReading = true;
    }

    /** Makes up for flushes that were held back. */
    void endRead() {
        isReading = false;
        if (isFlushDue) {
            isFlushDue = false;
            writeBatch();
            flush();
        }
    }

    // ---- what the core tells

    @Override
    public boolean reset(ChannelId channel, Resume.Reset reset) {
        if (serverSide.contains(channel)) {
            disconnect(DisconnectReason.INSUFFICIENT_STATE);
        } else {
            pushUnsubscribe(channel, INSUFFICIENT_STATE, "insufficient state");
        }
        return false;
    }

    @Override
    public void skipped(ChannelId channel, long publications, long presence) {
        JsonBuffer data = new JsonBuffer(SKIPPED_BYTES);
        data.beginObject();
        data.beginObject("skipped");
        data.field("channel", channel.value());
        data.field("count", publications);
        if (presence > 0) {
            data.field("presence", presence);
        }
        data.endObject();
        data.endObject();
        enqueue(messages().messagePush(data.toPayload()));
    }

    @Override
    public boolean subscribed(ChannelId channel, SubscribeResult.Subscribed how) {
        if (serverSide.isEmpty()) {
            serverSide = new HashSet<>();
        }
        serverSide.add(channel);
        push(messages().subscribePush(channel, how.position(), how.isRetained()));
        return true;
    }

    @Override
    public void ended(ChannelId channel, UnsubscribeReason reason) {
        if (reason == UnsubscribeReason.BY_HOST) {
            forgetServerSide(channel);
            pushUnsubscribe(channel, UNSUBSCRIBED_BY_SERVER, "server unsubscribe");
        } else if (reason == UnsubscribeReason.EXPIRED && serverSide.contains(channel)) {
            disconnect(DisconnectReason.SUBSCRIPTION_EXPIRED);
        } else if (reason == UnsubscribeReason.EXPIRED) {
            pushUnsubscribe(channel, SUBSCRIPTION_EXPIRED, "subscription expired");
        }
    }

    @Override
    public void ended(ChannelId channel, HostCode code) {
        forgetServerSide(channel);
        pushUnsubscribe(channel, code.code(), code.text());
    }

    private void pushUnsubscribe(ChannelId channel, int code, String reason) {
        push(messages().unsubscribePush(channel, code, reason));
    }

    private void push(MessageBuffer message) {
        enqueue(message);
        flushSoon();
    }

    /** Writes a push of this connection alone, which goes out with the next flush. */
    private void enqueue(MessageBuffer message) {
        if (isEnding()) {
            return;
        }
        ByteBuf piece = format.framing().frame(channel().alloc(), message);
        if (corked == null) {
            writeBatch();
            writeOwn(piece);
        } else {
            cork(corked, piece);
        }
    }

    private void cork(Deque<ByteBuf> waiting, ByteBuf push) {
        waiting.add(push);
        corkedBytes += push.readableBytes();
    }

    // ---- the end

    /** Closes because the client broke the rules of the transport itself, which has its own last words for that. */
    void violated(ByteBuf lastWords) {
        if (isEnding()) {
            lastWords.release();
        } else {
            this.lastWords = lastWords;
            disconnect(DisconnectReason.BAD_REQUEST);
        }
    }

    @Override
    protected void close(DisconnectReason reason) {
        dropCorked();
        // The client's answer to the farewell is still to be read.
        channel().config().setAutoRead(true);
        if (reason == DisconnectReason.BY_CLIENT) {
            channel().close();
            return;
        }
        if (!batch.isEmpty()) {
            channel().write(takeBatch(), channel().voidPromise());
        }
        Framing framing = format.framing();
        ByteBuf farewell = lastWords;
        if (farewell == null) {
            farewell = framing.farewell(channel().alloc(), format.messages(), reason, hostCode());
        }
        ChannelFuture written = channel().writeAndFlush(farewell);
        if (!framing.isFarewellAnswered()) {
            written.addListener(ChannelFutureListener.CLOSE);
        }
        heartbeats.schedule(new Linger(channel()), Linger.TIME);
    }

    /** Learns that the client itself said farewell; answers it and closes. */
    void farewellCame(ByteBuf answer) {
        if (isEnding()) {
            answer.release();
            channel().close();
        } else {
            lost(DisconnectReason.BY_CLIENT);
            channel().writeAndFlush(answer).addListener(ChannelFutureListener.CLOSE);
            heartbeats.schedule(new Linger(channel()), Linger.TIME); // it may not read what is before the echo
        }
    }
}
