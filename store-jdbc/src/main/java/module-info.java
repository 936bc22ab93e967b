/** A durable log, bus and presence in a SQL database. */
module dev.fanfare.jdbc {
    requires static transitive org.jspecify;
    requires static transitive com.google.errorprone.annotations;
    requires transitive dev.fanfare;
    requires transitive java.sql;
    requires org.slf4j;

    exports dev.fanfare.jdbc;
}
