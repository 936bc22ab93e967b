package dev.fanfare.spring;

class H2TransactionTest extends TransactionCases {

    H2TransactionTest() {
        super("jdbc:h2:mem:spring;DB_CLOSE_DELAY=-1");
    }
}
