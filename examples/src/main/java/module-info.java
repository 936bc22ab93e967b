/** Applications to copy from, and the demo server. */
module dev.fanfare.examples {
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;
    requires dev.fanfare;
    requires dev.fanfare.jdbc;
    requires dev.fanfare.jwt;
    requires dev.fanfare.micrometer;
    requires dev.fanfare.netty;
    requires dev.fanfare.redis;
    requires com.zaxxer.hikari;
    requires com.fasterxml.jackson.core;
    requires com.fasterxml.jackson.databind;
    requires info.picocli;
    requires micrometer.registry.prometheus;
    requires io.netty.buffer;
    requires org.slf4j;

    opens dev.fanfare.examples to
            info.picocli;
}
