/** Contract suites and fixtures for tests. */
module dev.fanfare.testkit {
    requires static transitive org.jspecify;
    requires static com.google.errorprone.annotations;
    requires transitive dev.fanfare;
    requires transitive org.assertj.core;
    requires transitive org.junit.jupiter.api;
    requires org.slf4j;

    exports dev.fanfare.testkit;
}
