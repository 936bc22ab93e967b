package dev.fanfare.bench.load;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One connection that reads one channel.
 *
 * <p><b>Threading:</b> confined to the event loop.
 */
abstract class Reader<M> extends SimpleChannelInboundHandler<M> {

    private final Consumer<@Nullable String> opened;
    private final IntConsumer received;
    private final Marks marks = new Marks();
    private boolean isOpen;
    private @Nullable Channel channel;

    /**
     * Makes a reader.
     *
     * @param opened hears once that it reads, with null, or of the fault that it does not
     * @param received hears of each publication
     */
    Reader(Class<M> message, Consumer<@Nullable String> opened, IntConsumer received) {
        super(message);
        this.opened = opened;
        this.received = received;
    }

    /** Adds what is needed to a fresh connection. */
    abstract void addTo(ChannelPipeline pipeline);

    /** Stops reading from the socket, or goes on. */
    final void stall(boolean isStalled) {
        Channel open = channel;
        if (open != null) {
            open.config().setAutoRead(!isStalled);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        channel = ctx.channel();
        ctx.fireChannelActive();
    }

    /** Tells whether it reads the channel. */
    final boolean isOpen() {
        return isOpen;
    }

    /** Takes note that it reads the channel from now on. */
    final void open() {
        if (!isOpen) {
            isOpen = true;
            opened.accept(null);
        }
    }

    /** Takes note that the server does not do what it ought to. */
    final void fail(ChannelHandlerContext ctx, String fault) {
        opened.accept(fault);
        ctx.close();
    }

    /** Looks for publications in what came. */
    final void scan(ByteBuf piece) {
        marks.scan(piece, received);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        opened.accept("closed by the server");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(ctx, cause.toString());
    }
}
