package dev.fanfare.jdbc;

import org.junit.jupiter.api.BeforeAll;

/** A real MariaDB keeps what stores promise. */
class MariaStoreTest extends StoreCases {

    @BeforeAll
    static void requireServer() {
        Databases.requireMaria();
    }

    MariaStoreTest() {
        super(Databases.maria());
    }
}
