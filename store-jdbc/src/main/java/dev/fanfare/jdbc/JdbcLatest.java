package dev.fanfare.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.spi.LatestValues;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Keeps the newest value per channel and key in a table; the trimmer deletes what is over. Thread-safe. */
final class JdbcLatest implements LatestValues {

    private static final int ROUNDS = 3;

    private final Database database;
    private final Malformed malformed;

    JdbcLatest(Database database, Malformed malformed) {
        this.database = database;
        this.malformed = malformed;
    }

    @Override
    public CompletionStage<Void> put(ChannelId channel, String key, Publication value, Duration timeToLive) {
        byte[] id = Keys.of(channel, requireNonNull(key, "key"));
        byte[] bytes = Wire.publication(requireNonNull(value, "value"));
        long millis = ChannelRow.millis(timeToLive);
        return database.<Boolean>query("keep a value of " + channel, connection -> {
                    for (int round = 0; round < ROUNDS; round++) {
                        // Neither takes place if the value that is there is the newer one.
                        if (update(connection, id, value, bytes, millis)
                                || insert(connection, channel, key, value, bytes, millis)) {
                            return true;
                        }
                    }
                    return false;
                })
                .thenAccept(kept -> {});
    }

    private boolean update(Connection connection, byte[] id, Publication value, byte[] bytes, long millis)
            throws SQLException {
        String now = database.now();
        try (PreparedStatement update = database.prepare(
                connection,
                "UPDATE " + database.tables().latest() + " SET epoch = ?, off = ?, publication = ?, put_at = " + now
                        + ", ends_at = " + now + " + ? WHERE id = ? AND (ends_at <= " + now
                        + " OR epoch <> ? OR off <= ? OR off = 0 OR ? = 0)")) {
            update.setString(1, value.epoch());
            update.setLong(2, value.offset());
            update.setBytes(3, bytes);
            update.setLong(4, millis);
            update.setBytes(5, id);
            update.setString(6, value.epoch());
            update.setLong(7, value.offset());
            update.setLong(8, value.offset());
            return update.executeUpdate() > 0;
        }
    }

    private boolean insert(
            Connection connection, ChannelId channel, String key, Publication value, byte[] bytes, long millis)
            throws SQLException {
        String now = database.now();
        try (PreparedStatement insert = database.prepare(
                connection,
                "INSERT INTO " + database.tables().latest()
                        + " (id, channel, value_key, epoch, off, publication, put_at, ends_at) VALUES (?, ?, ?, ?, ?, ?, "
                        + now + ", " + now + " + ?)" + database.dialect().orIgnore())) {
            insert.setBytes(1, Keys.of(channel, key));
            insert.setString(2, channel.value());
            insert.setBytes(3, key.getBytes(UTF_8));
            insert.setString(4, value.epoch());
            insert.setLong(5, value.offset());
            insert.setBytes(6, bytes);
            insert.setLong(7, millis);
            return database.dialect().insertIgnoring(insert);
        }
    }

    @Override
    public CompletionStage<@Nullable Publication> get(ChannelId channel, String key) {
        byte[] id = Keys.of(channel, key);
        return database.<Optional<Publication>>query("get a value of " + channel, connection -> {
                    try (PreparedStatement select = database.prepare(
                            connection,
                            "SELECT publication FROM " + database.tables().latest() + " WHERE id = ? AND ends_at > "
                                    + database.now())) {
                        select.setBytes(1, id);
                        try (ResultSet row = select.executeQuery()) {
                            return row.next() ? readable(channel, row.getBytes(1)) : Optional.empty();
                        }
                    }
                })
                .thenApply(JdbcLatest::orNull);
    }

    @Override
    public CompletionStage<Map<String, Publication>> all(ChannelId channel, int limit) {
        return database.query("get the values of " + channel, connection -> {
            Map<String, Publication> all = new LinkedHashMap<>();
            try (PreparedStatement select = database.prepare(
                    connection,
                    "SELECT value_key, publication FROM " + database.tables().latest()
                            + " WHERE channel = ? AND ends_at > " + database.now() + " ORDER BY put_at LIMIT ?")) {
                select.setString(1, channel.value());
                select.setInt(2, limit);
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        String key = new String(rows.getBytes(1), UTF_8);
                        readable(channel, rows.getBytes(2)).ifPresent(value -> all.put(key, value));
                    }
                }
            }
            return Collections.unmodifiableMap(all);
        });
    }

    @Override
    public CompletionStage<Void> remove(ChannelId channel, String key) {
        byte[] id = Keys.of(channel, key);
        return database.<Integer>query("remove a value of " + channel, connection -> {
                    try (PreparedStatement delete = database.prepare(
                            connection, "DELETE FROM " + database.tables().latest() + " WHERE id = ?")) {
                        delete.setBytes(1, id);
                        return delete.executeUpdate();
                    }
                })
                .thenAccept(removed -> {});
    }

    /** Passes over what cannot be read: the next value replaces it. */
    private Optional<Publication> readable(ChannelId channel, byte[] bytes) {
        try {
            return Optional.of(Wire.publication(bytes));
        } catch (RuntimeException unreadable) {
            malformed.value(channel, unreadable);
            return Optional.empty();
        }
    }

    @SuppressWarnings("NullAway") // stands where a nullable type argument does, which is not checked yet
    private static Publication orNull(Optional<Publication> found) {
        return found.orElse(null);
    }
}
