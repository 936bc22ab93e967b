package dev.fanfare.jdbc;

import dev.fanfare.ChannelRules;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;

/**
 * A channel's row, locked by the transaction that appends.
 *
 * <p><b>Threading:</b> confined to the transaction's thread.
 */
final class ChannelRow {

    static final String COLUMNS = "name, id, epoch, next_epoch, top, tag, low, last_at, retained_count,"
            + " retained_millis, head_millis, trim_at";

    /** Longer durations count as this one, about 30,000 years, so that sums never overflow. */
    private static final long FOREVER_MILLIS = 1_000_000_000_000_000L;

    final String name;
    final long now;

    /** Which row it is; a new life gets a new id. */
    final long formerId;

    long id;
    String epoch;
    long top;
    long tag;
    private String nextEpoch;
    private long low;
    private long lastAt;
    private int retainedCount;
    private long retainedMillis;
    private long headMillis;
    private long trimAt;
    private boolean isChanged;
    private boolean hasOnlyMoved = true;
    private long trimUpTo;

    /** Reads {@link #COLUMNS} and then the time. */
    ChannelRow(ResultSet row) throws SQLException {
        this.name = row.getString(1);
        this.formerId = row.getLong(2);
        this.id = formerId;
        this.epoch = row.getString(3);
        this.nextEpoch = row.getString(4);
        this.top = row.getLong(5);
        this.tag = row.getLong(6);
        this.low = row.getLong(7);
        this.lastAt = row.getLong(8);
        this.retainedCount = row.getInt(9);
        this.retainedMillis = row.getLong(10);
        this.headMillis = row.getLong(11);
        this.trimAt = row.getLong(12);
        // Read before the lock was granted, perhaps: time does not go back within a channel.
        this.now = Math.max(row.getLong(13), lastAt);
        if (now - lastAt >= headMillis) {
            beginNewLife();
        }
    }

    private void beginNewLife() {
        id = Keys.newId();
        epoch = nextEpoch;
        nextEpoch = Keys.newEpoch();
        top = 0;
        tag = 0;
        low = 0;
        trimAt = Long.MAX_VALUE;
        hasOnlyMoved = false;
    }

    /** Gives the next offset to a publication with that tag. */
    void advance(long newTag, ChannelRules rules) {
        top++;
        tag = newTag;
        lastAt = now;
        adopt(rules.retainedCount(), millis(rules.retainedFor()), millis(rules.headTtl()));
        isChanged = true;
        trimUpTo = Math.max(trimUpTo, trimUpTo(top - 1, top, retainedCount));
    }

    /** Returns up to which offset rows should go when a channel moves so far; 0 if that can wait, as mostly it can. */
    static long trimUpTo(long from, long to, int retainedCount) {
        int step = Math.max(64, Math.min(retainedCount / 8, 4096));
        return to > retainedCount && to / step > from / step ? to - retainedCount : 0;
    }

    private void adopt(int count, long forMillis, long headTtl) {
        long due = Math.min(trimAt, now + forMillis);
        hasOnlyMoved &= count == retainedCount && forMillis == retainedMillis && headTtl == headMillis && due == trimAt;
        retainedCount = count;
        retainedMillis = forMillis;
        headMillis = headTtl;
        trimAt = due;
    }

    /** Tells whether nothing but top, tag and the time of the last publication has changed. */
    boolean hasOnlyMoved() {
        return hasOnlyMoved;
    }

    long lastAt() {
        return lastAt;
    }

    boolean isChanged() {
        return isChanged;
    }

    boolean isNewLife() {
        return id != formerId;
    }

    /** Returns up to which offset the rows should go now; 0 if that can wait. */
    long trimUpTo() {
        return trimUpTo;
    }

    /** Fills the parameters of {@link #update}. */
    void writeTo(PreparedStatement update) throws SQLException {
        Object[] values = values();
        for (int i = 0; i < values.length; i++) {
            update.setObject(i + 1, values[i]);
        }
    }

    /** Fills one row of columns in the order of {@link #update}. */
    void writeTo(Object[][] columns, int row) {
        Object[] values = values();
        for (int i = 0; i < values.length; i++) {
            columns[i][row] = values[i];
        }
    }

    private Object[] values() {
        return new Object[] {
            id,
            epoch,
            nextEpoch,
            top,
            tag,
            low,
            lastAt,
            (long) retainedCount,
            retainedMillis,
            headMillis,
            trimAt,
            formerId
        };
    }

    static String update(Tables tables) {
        return "UPDATE " + tables.channel() + " SET id = ?, epoch = ?, next_epoch = ?, top = ?, tag = ?, low = ?,"
                + " last_at = ?, retained_count = ?, retained_millis = ?, head_millis = ?, trim_at = ? WHERE id = ?";
    }

    static long millis(Duration duration) {
        return duration.compareTo(Duration.ofMillis(FOREVER_MILLIS)) < 0
                ? Math.max(1, duration.toMillis())
                : FOREVER_MILLIS;
    }
}
