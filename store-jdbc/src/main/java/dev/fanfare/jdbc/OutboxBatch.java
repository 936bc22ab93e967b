package dev.fanfare.jdbc;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Durability;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.StoreException;
import dev.fanfare.jdbc.Trimmer.Trim;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog.AppendResult;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The oldest rows of one partition of the outbox. Confined to the thread that drains it. */
final class OutboxBatch {

    /** How many rows at a time. */
    static final int MOST = 512;

    private static final int MAX_REASON = 1000;

    private final Database database;
    private final AppendParts parts;
    private final Function<ChannelId, @Nullable ChannelRules> rules;
    private final int part;
    private List<Row> rows = List.of();
    private int careful;
    private boolean isElsewhere;
    private final List<Aside> asides = new ArrayList<>();

    OutboxBatch(Database database, AppendParts parts, Function<ChannelId, @Nullable ChannelRules> rules, int part) {
        this.database = database;
        this.parts = parts;
        this.rules = rules;
        this.part = part;
    }

    /** Returns the channels of the rows that were tried last. */
    Set<ChannelId> channels() {
        return rows.stream().map(row -> row.channel).filter(Objects::nonNull).collect(Collectors.toSet());
    }

    /** Returns what the last transaction set aside, and why; to be logged once it is committed. */
    List<Aside> asides() {
        return asides;
    }

    /** Tells whether another node was at this partition when this one wanted to be. */
    boolean isElsewhere() {
        return isElsewhere;
    }

    /** Takes rows one at a time for a while, after the database refused one of many. */
    void beCareful() {
        careful = Math.max(careful, MOST);
    }

    /** Returns how many rows to take next. */
    int nextLimit() {
        careful = Math.max(0, careful - 1);
        return careful > 0 ? 1 : MOST;
    }

    /** Moves the oldest rows into the log, unless another node is at it. */
    Moved move(Connection connection, int limit) throws SQLException {
        rows = List.of();
        asides.clear();
        isElsewhere = !lockPartition(connection);
        if (isElsewhere) {
            return Moved.NOTHING;
        }
        rows = select(connection, limit);
        if (rows.isEmpty()) {
            return Moved.NOTHING;
        }
        List<Row> good = new ArrayList<>();
        List<AppendRequest> requests = new ArrayList<>();
        for (Row row : rows) {
            AppendRequest request = requestOrSetAside(connection, row);
            if (request != null) {
                good.add(row);
                requests.add(request);
            }
        }
        AppendTransaction.Outcome outcome = parts.transaction(requests).run(connection);
        if (!outcome.missing().isEmpty()) {
            connection.rollback();
            asides.clear();
            return new Moved(0, outcome.missing(), List.of(), List.of());
        }
        List<Announcement> announcements = new ArrayList<>();
        for (int i = 0; i < good.size(); i++) {
            AppendResult result = outcome.results().get(i);
            if (result instanceof AppendResult.Appended appended) {
                announcements.add(new Announcement.Published(requests.get(i).channel(), appended.publication()));
            } else if (result == AppendResult.Conflict.OTHER_BODY) {
                setAside(connection, good.get(i), "Its dedup key was used with another body");
            }
        }
        delete(connection, rows);
        return new Moved(rows.size(), Map.of(), announcements, outcome.trims());
    }

    /** Returns what to append for a row; sets it aside if there is nothing to append. */
    private @Nullable AppendRequest requestOrSetAside(Connection connection, Row row) throws SQLException {
        ChannelRules known = row.channel == null ? null : rules.apply(row.channel);
        if (row.channel == null) {
            setAside(connection, row, "No channel can have its name");
        } else if (known == null) {
            setAside(connection, row, "Its namespace has no rules");
        } else if (row.data.size() > known.maxMessageBytes()) {
            setAside(connection, row, row.data.size() + " bytes are too many, of " + known.maxMessageBytes());
        } else {
            try {
                PublishOptions options = Wire.options(row.extra, row.dedupKey);
                return new AppendRequest(row.channel, row.data, options, null, known, row.tag);
            } catch (RuntimeException unreadable) {
                setAside(connection, row, "Its options cannot be read");
            }
        }
        return null;
    }

    /** Takes the oldest row out of the way, for the reason that the database gave. */
    boolean setFirstAside(Connection connection, StoreException reason) throws SQLException {
        asides.clear();
        if (!lockPartition(connection)) {
            return false;
        }
        List<Row> first = select(connection, 1);
        for (Row row : first) {
            setAside(connection, row, String.valueOf(reason.getMessage()));
            delete(connection, first);
            careful = 0;
        }
        return true;
    }

    private boolean lockPartition(Connection connection) throws SQLException {
        try (PreparedStatement lock = database.prepare(
                connection,
                "SELECT part" + database.dialect().settings(Durability.SYNC) + " FROM "
                        + database.tables().partition() + " WHERE part = ? FOR UPDATE SKIP LOCKED")) {
            lock.setInt(1, part);
            try (ResultSet row = lock.executeQuery()) {
                return row.next();
            }
        }
    }

    private List<Row> select(Connection connection, int limit) throws SQLException {
        List<Row> found = new ArrayList<>();
        try (PreparedStatement select = database.prepare(
                connection,
                "SELECT id, channel, tag, dedup_key, data, extra FROM "
                        + database.tables().outbox() + " WHERE part = ? ORDER BY id LIMIT ?")) {
            select.setInt(1, part);
            select.setInt(2, limit);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    found.add(new Row(row));
                }
            }
        }
        return found;
    }

    /** Deletes exactly these: one with a lower number may have been committed since. */
    private void delete(Connection connection, List<Row> moved) throws SQLException {
        database.dialect()
                .deleteFromOutbox(
                        connection,
                        database.tables(),
                        part,
                        moved.stream().map(row -> row.id).toList());
    }

    private void setAside(Connection connection, Row row, String reason) throws SQLException {
        try (PreparedStatement insert = database.prepare(
                connection,
                "INSERT INTO " + database.tables().outboxDead()
                        + " (id, channel, dedup_key, data, extra, reason, dead_at) VALUES (?, ?, ?, ?, ?, ?, "
                        + database.now() + ")")) {
            insert.setLong(1, row.id);
            insert.setString(2, row.name);
            insert.setString(3, row.dedupKey);
            insert.setBytes(4, row.data.unsafeBytes());
            insert.setBytes(5, row.extra);
            insert.setString(6, reason.length() > MAX_REASON ? reason.substring(0, MAX_REASON) : reason);
            insert.executeUpdate();
        }
        asides.add(new Aside(row.name, row.id, reason));
    }

    /** A row that cannot become a publication, and why. */
    record Aside(String channel, long id, String reason) {}

    /**
     * What became of the rows.
     *
     * @param count how many left the outbox
     * @param missing channels that must get a row first; then none did
     * @param announcements what to tell once it is committed
     * @param trims what the log may forget once it is committed, and not before
     */
    record Moved(int count, Map<ChannelId, ChannelRules> missing, List<Announcement> announcements, List<Trim> trims) {
        static final Moved NOTHING = new Moved(0, Map.of(), List.of(), List.of());
    }

    /** One row. */
    private static final class Row {
        private final long id;
        private final String name;
        private final @Nullable ChannelId channel;
        private final long tag;
        private final @Nullable String dedupKey;
        private final Payload data;
        private final byte @Nullable [] extra;

        Row(ResultSet row) throws SQLException {
            this.id = row.getLong(1);
            this.name = row.getString(2);
            this.channel = channel(name);
            this.tag = row.getLong(3);
            this.dedupKey = row.getString(4);
            this.data = Payload.wrap(row.getBytes(5));
            this.extra = row.getBytes(6);
        }

        private static @Nullable ChannelId channel(String name) {
            try {
                return ChannelId.of(name);
            } catch (IllegalArgumentException impossible) {
                return null;
            }
        }
    }
}
