package dev.fanfare.jdbc;

/** H2 in memory keeps what stores promise. */
class H2MemoryStoreTest extends StoreCases {

    H2MemoryStoreTest() {
        super(Databases.h2Memory());
    }
}
