package dev.fanfare.jdbc;

/** A real PostgreSQL keeps what stores promise. */
class PostgresStoreTest extends StoreCases {

    PostgresStoreTest() {
        super(Databases.postgres());
    }
}
