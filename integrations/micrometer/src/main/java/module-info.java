/** Metrics by Micrometer. */
module dev.fanfare.micrometer {
    requires static transitive org.jspecify;
    requires static com.google.errorprone.annotations;
    requires transitive dev.fanfare;
    requires transitive micrometer.core;

    exports dev.fanfare.micrometer;
}
