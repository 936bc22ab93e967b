package dev.fanfare.netty.centrifuge;

import dev.fanfare.Authenticator;
import dev.fanfare.Fanfare;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.netty.connection.TransportSettings;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpServerCodec;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/** Upgrades every request on a port of its own. */
final class WireServer implements AutoCloseable {

    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final Channel listening;

    WireServer(Fanfare fanfare, Authenticator authenticator) {
        this(fanfare, authenticator, TransportSettings.defaults());
    }

    WireServer(Fanfare fanfare, Authenticator authenticator, TransportSettings settings) {
        CentrifugeUpgrade upgrade =
                new CentrifugeUpgrade(new TransportContext(fanfare.gateway(), authenticator, settings));
        listening = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new HttpServerCodec(), new Router(upgrade));
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .syncUninterruptibly()
                .channel();
    }

    int port() {
        return ((InetSocketAddress) listening.localAddress()).getPort();
    }

    @Override
    public void close() {
        listening.close().syncUninterruptibly();
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private static final class Router extends SimpleChannelInboundHandler<HttpRequest> {
        private final CentrifugeUpgrade upgrade;

        Router(CentrifugeUpgrade upgrade) {
            this.upgrade = upgrade;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, HttpRequest request) {
            upgrade.upgrade(ctx, request);
        }
    }
}
