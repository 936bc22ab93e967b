/** Publishing in the surrounding Spring transaction. */
module dev.fanfare.spring {
    requires static transitive org.jspecify;
    requires static transitive com.google.errorprone.annotations;
    requires transitive dev.fanfare;
    requires transitive dev.fanfare.jdbc;
    requires spring.core;
    requires spring.jdbc;
    requires spring.tx;

    exports dev.fanfare.spring;
}
