package dev.fanfare.jdbc;

import org.junit.jupiter.api.condition.EnabledIf;

/** A real MySQL keeps what stores promise; with the profile "mysql". */
@EnabledIf("dev.fanfare.servers.MysqlServer#isThere")
class MysqlStoreTest extends StoreCases {

    MysqlStoreTest() {
        super(Databases.mysql());
    }
}
