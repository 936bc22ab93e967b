/** WebSocket, server-sent events and HTTP, on Netty. */
module dev.fanfare.netty {
    requires static transitive org.jspecify;
    requires static com.google.errorprone.annotations;
    requires transitive dev.fanfare;
    requires com.fasterxml.jackson.core;
    requires io.netty.buffer;
    requires io.netty.codec;
    requires io.netty.codec.http;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;
    requires static io.netty.transport.classes.epoll;
    requires static io.netty.transport.unix.common;
    requires org.slf4j;

    exports dev.fanfare.netty;
}
