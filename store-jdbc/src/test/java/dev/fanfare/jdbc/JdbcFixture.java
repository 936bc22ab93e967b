package dev.fanfare.jdbc;

import dev.fanfare.spi.Store;
import dev.fanfare.testkit.StoreFixture;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;

/** Gives each node of a test a store of its own over one database, and moves the database's clock as they see it. */
class JdbcFixture implements StoreFixture {

    private static final long STEP_MILLIS = 4000;

    private final DataSource dataSource;
    private final AtomicLong shiftMillis = new AtomicLong();
    private final List<JdbcStore> stores = new CopyOnWriteArrayList<>();

    JdbcFixture(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @Override
    public Store store() {
        JdbcStore store =
                JdbcStore.builder(dataSource).clockShift(shiftMillis::get).build();
        if (stores.isEmpty()) {
            store.migrate();
        }
        stores.add(store);
        return store;
    }

    @Override
    public void pass(Duration duration) {
        // Nodes that live beat every few seconds; time that jumps must not make them look dead.
        for (long left = duration.toMillis(); left > 0; left -= STEP_MILLIS) {
            shiftMillis.addAndGet(Math.min(left, STEP_MILLIS));
            stores.forEach(JdbcStore::beat);
        }
    }

    @Override
    public void close() {
        stores.forEach(JdbcStore::close);
    }
}
