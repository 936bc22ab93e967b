package dev.fanfare.spring;

import dev.fanfare.jdbc.Databases;

class H2TransactionTest extends TransactionCases {

    H2TransactionTest() {
        super(Databases.h2Memory());
    }
}
