/** Log, bus, presence, control and latest values on Redis. */
module dev.fanfare.redis {
    requires static transitive org.jspecify;
    requires static com.google.errorprone.annotations;
    requires transitive dev.fanfare;
    requires io.github.resilience4j.circuitbreaker;
    requires io.github.resilience4j.core;
    requires lettuce.core;
    requires org.slf4j;
    // Lettuce is an automatic module: it does not say itself which modules of Netty it needs.
    requires io.netty.buffer;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.resolver.dns;
    requires io.netty.transport;

    exports dev.fanfare.redis;
}
