/** Channels, cursors, delivery and presence, with an in-memory store. */
module dev.fanfare {
    requires static transitive org.jspecify;
    requires static transitive com.google.errorprone.annotations;
    requires org.slf4j;

    exports dev.fanfare;
    exports dev.fanfare.memory;
    exports dev.fanfare.presence;
    exports dev.fanfare.spi;
}
