/** Applications to copy from, and the demo server. */
module dev.fanfare.examples {
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;
    requires dev.fanfare;
    requires dev.fanfare.netty;
    requires org.slf4j;
}
