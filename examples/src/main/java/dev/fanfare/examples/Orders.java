package dev.fanfare.examples;

import dev.fanfare.jdbc.Outbox;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.sql.DataSource;

/** The sample that README quotes: publishing in the transaction that changes the data. */
final class Orders {

    private final DataSource dataSource;
    private final Outbox outbox;

    /** @param outbox {@code store.outbox(fanfare)}, of a store in the same database */
    Orders(DataSource dataSource, Outbox outbox) {
        this.dataSource = dataSource;
        this.outbox = outbox;
    }

    // README: begin
    void ship(int order) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
            outbox.publishIn(connection, "orders:" + order, "{\"state\":\"shipped\"}"); // a row of this transaction
            update(connection, order, "shipped");
            connection.commit(); // and only now it will appear
        }
    }
    // README: end

    private static void update(Connection connection, int order, String state) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement("UPDATE orders SET state = ? WHERE id = ?")) {
            update.setString(1, state);
            update.setInt(2, order);
            if (update.executeUpdate() != 1) {
                throw new SQLException("There is no order " + order);
            }
        }
    }
}
