package dev.fanfare.spring;

import dev.fanfare.jdbc.Databases;

class PostgresTransactionTest extends TransactionCases {

    PostgresTransactionTest() {
        super(Databases.postgres());
    }
}
