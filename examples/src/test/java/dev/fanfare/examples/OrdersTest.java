package dev.fanfare.examples;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.Fanfare;
import dev.fanfare.StartAt;
import dev.fanfare.Subscriber;
import dev.fanfare.jdbc.JdbcStore;
import dev.fanfare.jdbc.Outbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.Test;

class OrdersTest {

    @Test
    void whatIsShippedIsPublishedAndWhatIsRolledBackIsNot() throws Exception {
        JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:orders", "sa", "");
        pool.setMaxConnections(20);
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE orders (id INT PRIMARY KEY, state VARCHAR(20))");
            statement.execute("INSERT INTO orders VALUES (1, 'new')");
            try (JdbcStore store = JdbcStore.of(pool).migrate();
                    Fanfare fanfare = Fanfare.builder()
                            .store(store)
                            .namespace("orders", rules -> rules.retain(100, Duration.ofHours(1)))
                            .build();
                    Outbox outbox = store.outbox(fanfare)) {
                BlockingQueue<String> seen = new LinkedBlockingQueue<>();
                for (int order = 1; order <= 2; order++) {
                    String channel = "orders:" + order;
                    Subscriber subscriber = publication ->
                            seen.add(channel + " " + publication.data().text());
                    fanfare.subscribe(channel, StartAt.live(), subscriber)
                            .ready()
                            .toCompletableFuture()
                            .get(10, SECONDS);
                }
                Orders orders = new Orders(pool, outbox);

                assertThatThrownBy(() -> orders.ship(2)).isInstanceOf(SQLException.class);
                orders.ship(1);

                assertThat(seen.poll(10, SECONDS)).isEqualTo("orders:1 {\"state\":\"shipped\"}");
                try (Connection another = pool.getConnection()) {
                    another.setAutoCommit(false);
                    outbox.publishIn(another, "orders:2", "third");
                    another.commit();
                }
                assertThat(seen.poll(10, SECONDS)).isEqualTo("orders:2 third");
            }
        } finally {
            pool.dispose();
        }
    }
}
