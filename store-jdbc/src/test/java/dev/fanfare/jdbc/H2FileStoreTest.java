package dev.fanfare.jdbc;

/** H2 in a file keeps what stores promise. */
class H2FileStoreTest extends StoreCases {

    H2FileStoreTest() {
        super(Databases.h2File());
    }
}
