package dev.fanfare.jdbc;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Durability;
import dev.fanfare.Publication;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog.AppendResult;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Appends several publications, of whatever channels, in one transaction. */
final class AppendTransaction {

    /*
     * The channels' rows are locked first, in the order of their names, and held until the commit: so offsets are
     * given in the order of commits, and what is remembered of a dedup key cannot change between check and append.
     * The keys of channels that retain nothing have no such lock; there the unique key decides.
     *
     * Confined to one thread and one attempt.
     */

    private final Database database;
    private final Channels channels;
    private final Dedup dedup;
    private final List<AppendRequest> requests;

    private final Map<ByteBuffer, Dedup.Entry> known = new HashMap<>();
    private final List<LogRow> rows = new ArrayList<>();
    private final List<Dedup.Entry> fresh = new ArrayList<>();
    private final List<byte[]> over = new ArrayList<>();
    private Map<String, ChannelRow> locked = Map.of();

    AppendTransaction(Database database, Channels channels, Dedup dedup, List<AppendRequest> requests) {
        this.database = database;
        this.channels = channels;
        this.dedup = dedup;
        this.requests = requests;
    }

    Outcome run(Connection connection) throws SQLException {
        Map<ChannelId, ChannelRules> missing = lock(connection);
        if (!missing.isEmpty()) {
            return new Outcome(missing, List.of(), List.of());
        }
        findKeys(connection);
        long now = locked.values().stream().mapToLong(row -> row.now).max().orElse(0);
        List<AppendResult> results = new ArrayList<>(requests.size());
        for (AppendRequest request : requests) {
            results.add(request.rules().isRetained() ? append(request) : unlogged(request));
        }
        if (!over.isEmpty()) {
            dedup.forget(connection, over, now);
        }
        if (!fresh.isEmpty()) {
            dedup.insertAll(connection, fresh);
        }
        if (!rows.isEmpty()) {
            write(connection);
        }
        return new Outcome(
                Map.of(),
                results,
                locked.values().stream()
                        .filter(row -> row.trimUpTo() > 0)
                        .map(row -> new Trimmer.Trim(row.id, row.trimUpTo()))
                        .toList());
    }

    /** Returns the channels without a row. */
    private Map<ChannelId, ChannelRules> lock(Connection connection) throws SQLException {
        Map<ChannelId, ChannelRules> retained = new LinkedHashMap<>();
        Durability durability = Durability.ASYNC;
        for (AppendRequest request : requests) {
            if (request.rules().isRetained()) {
                retained.put(request.channel(), request.rules());
                durability = request.rules().durability() == Durability.SYNC ? Durability.SYNC : durability;
            }
        }
        if (!retained.isEmpty()) {
            locked = channels.lock(
                    connection, retained.keySet().stream().map(ChannelId::value).toList(), durability);
            locked.keySet().forEach(name -> retained.remove(ChannelId.of(name)));
        }
        return retained;
    }

    // ---- dedup keys

    private void findKeys(Connection connection) throws SQLException {
        List<byte[]> ids = new ArrayList<>();
        TreeSet<Dedup.Entry> unlogged = new TreeSet<>((a, b) -> a.id().compareTo(b.id()));
        for (AppendRequest request : requests) {
            byte[] id = keyOf(request);
            if (id != null) {
                ids.add(id);
                if (!request.rules().isRetained()) {
                    unlogged.add(entry(request, id, "", 0, 0));
                }
            }
        }
        if (!unlogged.isEmpty()) {
            insertUnlogged(connection, unlogged);
        }
        if (!ids.isEmpty()) {
            known.putAll(dedup.find(connection, ids));
        }
    }

    private void insertUnlogged(Connection connection, SortedSet<Dedup.Entry> unlogged) throws SQLException {
        long now = now(connection);
        dedup.forget(connection, unlogged.stream().map(Dedup.Entry::bytes).toList(), now);
        for (Dedup.Entry entry : unlogged) {
            dedup.insertIgnoring(
                    connection, new Dedup.Entry(entry.id(), entry.body(), "", 0, entry.tag(), now + entry.endsAt()));
        }
    }

    private long now(Connection connection) throws SQLException {
        try (PreparedStatement select = database.prepare(connection, "SELECT " + database.now());
                ResultSet row = select.executeQuery()) {
            row.next();
            return row.getLong(1);
        }
    }

    private static byte @Nullable [] keyOf(AppendRequest request) {
        String key = request.options().dedupKey();
        return key == null ? null : Keys.of(request.channel(), key);
    }

    private static Dedup.Entry entry(AppendRequest request, byte[] id, String epoch, long offset, long now) {
        return new Dedup.Entry(
                ByteBuffer.wrap(id),
                Keys.digest(request.data()),
                epoch,
                offset,
                request.tag(),
                now + ChannelRow.millis(request.rules().dedupWindow()));
    }

    // ---- appending

    private AppendResult append(AppendRequest request) {
        ChannelRow row = locked.get(request.channel().value());
        if (row == null) {
            throw new IllegalStateException("Not locked: " + request.channel());
        }
        byte[] id = keyOf(request);
        if (id != null) {
            Dedup.Entry entry = entry(request, id, row.epoch, row.top + 1, row.now);
            Dedup.Entry first = known.get(entry.id());
            if (first != null && !first.isOver(row.now)) {
                return first.answerTo(entry.body());
            }
            if (first != null) {
                over.add(id);
            }
            fresh.add(entry);
            known.put(entry.id(), entry);
        }
        long previousTag = row.tag;
        row.advance(request.tag(), request.rules());
        byte[] extra = Wire.extra(request.options(), request.publisher());
        byte[] data = request.data().unsafeBytes();
        rows.add(new LogRow(row.id, row.top, row.tag, previousTag, row.now, data, extra));
        return new AppendResult.Appended(publication(request, row.now)
                .position(row.epoch, row.top, row.tag, previousTag)
                .build());
    }

    private AppendResult unlogged(AppendRequest request) {
        byte[] id = keyOf(request);
        Dedup.Entry first = id == null ? null : known.get(ByteBuffer.wrap(id));
        if (first != null && first.tag() != request.tag()) {
            return first.answerTo(Keys.digest(request.data()));
        }
        return new AppendResult.Appended(
                publication(request, System.currentTimeMillis()).build());
    }

    private void write(Connection connection) throws SQLException {
        List<ChannelRow> changed =
                locked.values().stream().filter(ChannelRow::isChanged).toList();
        for (ChannelRow row : changed) {
            if (row.isNewLife()) {
                channels.bury(connection, row.formerId);
            }
        }
        database.dialect().write(connection, database.tables(), rows, changed);
    }

    static Publication.Builder publication(AppendRequest request, long millis) {
        return Publication.builder(request.data())
                .timeMillis(millis)
                .eventType(request.options().eventType())
                .key(request.options().key())
                .headers(request.options().headers())
                .publisher(request.publisher());
    }

    /**
     * What came of it.
     *
     * @param missing channels that must get a row first; then nothing was done
     * @param results in the order of the requests; null for one that must be tried again
     * @param trims what has become too much by it
     */
    record Outcome(
            Map<ChannelId, ChannelRules> missing, List<@Nullable AppendResult> results, List<Trimmer.Trim> trims) {}
}
