package dev.fanfare.spring;

import dev.fanfare.servers.PostgresServer;

class PostgresTransactionTest extends TransactionCases {

    PostgresTransactionTest() {
        super(PostgresServer.shared().url());
    }
}
