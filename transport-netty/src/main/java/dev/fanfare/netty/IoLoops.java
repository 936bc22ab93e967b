package dev.fanfare.netty;

import dev.fanfare.netty.connection.Wire;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.unix.Socket;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The event loops of one transport, and the kind of socket that fits them.
 *
 * @param group the loops
 * @param socket the class of listening sockets
 * @param name for the log
 */
record IoLoops(EventLoopGroup group, Class<? extends ServerChannel> socket, String name) {

    /** Starts loops on epoll if this machine has it and the library for it is there, else on NIO. */
    static IoLoops start(int threads) {
        return isNative() ? Native.start(threads) : onNio(threads);
    }

    /** Returns what finds the way to the sockets of such loops past the queues of their channels. */
    static Wire.Finder wires() {
        return isNative() ? Native::wireTo : Wire.Finder.NONE;
    }

    private static boolean isNative() {
        try {
            return Native.isAvailable();
        } catch (NoClassDefFoundError | UnsatisfiedLinkError absent) {
            return false;
        }
    }

    /** Ends the loops; what they still have to do gets that many seconds. */
    void stop(int seconds) {
        group.shutdownGracefully(0, seconds, TimeUnit.SECONDS).awaitUninterruptibly(seconds, TimeUnit.SECONDS);
    }

    /**
     * Sets the loops and what only their kind of socket has.
     *
     * @param unacknowledged how long a peer may leave bytes unacknowledged, or its window closed, before the kernel
     *     gives it up. Without that, so with NIO, a client that vanished from an event stream, which never answers
     *     anything, stays for a quarter of an hour
     */
    void configure(ServerBootstrap bootstrap, Duration unacknowledged) {
        bootstrap.group(group).channel(socket);
        if (name.equals(Native.NAME)) {
            Native.configure(bootstrap, Math.toIntExact(unacknowledged.toMillis()));
        }
    }

    private static IoLoops onNio(int threads) {
        return new IoLoops(group(threads, NioIoHandler.newFactory()), NioServerSocketChannel.class, "nio");
    }

    private static EventLoopGroup group(int threads, IoHandlerFactory handlers) {
        return new MultiThreadIoEventLoopGroup(threads, threads(), handlers);
    }

    private static ThreadFactory threads() {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new FastThreadLocalThread(task, "fanfare-io-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Names the classes that may be absent; loaded only when asked. */
    private static final class Native {
        static final String NAME = "epoll";

        static Wire wireTo(Channel channel) {
            if (channel instanceof EpollSocketChannel epoll && epoll.fd() instanceof Socket socket) {
                return buffer -> send(socket, buffer);
            }
            return Wire.NONE;
        }

        /** A closed socket is not sent to: its number may be somebody else's by now. */
        private static int send(Socket socket, ByteBuf buffer) throws IOException {
            return buffer.hasMemoryAddress() && socket.isOpen()
                    ? socket.sendAddress(buffer.memoryAddress(), buffer.readerIndex(), buffer.writerIndex())
                    : 0;
        }

        static boolean isAvailable() {
            return Epoll.isAvailable();
        }

        static IoLoops start(int threads) {
            return new IoLoops(group(threads, EpollIoHandler.newFactory()), EpollServerSocketChannel.class, NAME);
        }

        static void configure(ServerBootstrap bootstrap, int unacknowledgedMillis) {
            bootstrap.childOption(EpollChannelOption.TCP_USER_TIMEOUT, unacknowledgedMillis);
        }
    }
}
