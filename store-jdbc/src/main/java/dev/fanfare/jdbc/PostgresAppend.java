package dev.fanfare.jdbc;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelRules;
import dev.fanfare.Durability;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog.AppendResult;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Appends in one statement, on PostgreSQL, to channels that need nothing but to be moved on. */
final class PostgresAppend {

    /*
     * The statement locks the channels' rows in the order of their names, moves their counters, and inserts the
     * publications at the offsets that come of that. It passes over channels without a row, those whose head is over,
     * and those whose retention has changed: they go the long way, which looks first.
     *
     * Dedup keys are remembered by the same statement. What it sees may be older than its locks, so only the unique key
     * decides: if one of the keys is there already, all is rolled back and goes the long way.
     *
     * Confined to one thread and one attempt.
     */

    /**
     * While there are few channels the planner would rather scan their table, or all of the index, and lock them as they
     * come. Only locks can take long; that the server looks after them costs less than the driver's timer.
     */
    private static final String PLAN = "SELECT set_config('enable_seqscan', 'off', true),"
            + " set_config('enable_bitmapscan', 'off', true), set_config('lock_timeout', '{timeout}', true); ";

    private static final String MOVE = """
            WITH moved AS (
                UPDATE fanfare_channel AS c
                SET top = c.top + r.count, prev_tag = c.tag, tag = r.tag, last_at = greatest(c.last_at, r.now)
                FROM (
                    SELECT *, {now} AS now
                    FROM unnest(?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]{arrays})
                        WITH ORDINALITY AS n (name, count, tag, retained_count, retained_millis, head_millis{columns},
                            number)
                ) AS r
                WHERE c.name = ANY (?::text[]) AND c.name = r.name AND c.retained_count = r.retained_count
                    AND c.retained_millis = r.retained_millis AND c.head_millis = r.head_millis
                    AND c.last_at + c.head_millis > r.now AND c.trim_at <= r.now + r.retained_millis
                RETURNING r.number, c.id, c.epoch, c.top, c.tag, c.prev_tag, c.last_at, c.top - r.count AS start{columns}
            ), entries AS (""";

    /** Each channel has one publication, which came along with it: a join less. */
    private static final String ONE_EACH = """
            SELECT id AS life, epoch, top AS off, tag, prev_tag, last_at AS stored_at{columns} FROM moved
            )""";

    private static final String SEVERAL = """
            SELECT m.id AS life, m.epoch, m.start + e.nth AS off, e.tag,
                CASE e.nth WHEN 1 THEN m.prev_tag ELSE e.prev_tag END AS prev_tag, m.last_at AS stored_at{columns}
                FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]{arrays})
                    AS e (number, nth, tag, prev_tag{columns}) JOIN moved AS m ON m.number = e.number
            )""";

    private static final String ARRAYS = ", ?::bytea[], ?::bytea[]";
    private static final String COLUMNS = ", data, extra";
    private static final String KEYED_ARRAYS = ARRAYS + ", ?::bytea[], ?::bigint[], ?::bigint[]";
    private static final String KEYED_COLUMNS = COLUMNS + ", key, body, dedup_millis";

    private static final String LOG = """
            , logged AS (
                INSERT INTO fanfare_log (life, off, tag, prev_tag, stored_at, data, extra)
                SELECT life, off, tag, prev_tag, stored_at, data, extra FROM entries
            )""";

    private static final String REMEMBER = """
            , remembered AS (
                INSERT INTO fanfare_dedup (id, body, epoch, off, tag, ends_at)
                SELECT key, body, epoch, off, tag, stored_at + dedup_millis FROM entries WHERE key IS NOT NULL
                ON CONFLICT DO NOTHING
                RETURNING 1
            )""";

    private static final String RETURN = " SELECT number, id, epoch, top, prev_tag, last_at";

    private final Database database;
    private final Map<Form, String> forms;
    private final AppendResult[] results;
    private final Map<String, Run> byName = new TreeMap<>();
    private final List<Run> runs;
    private final List<Entry> entries = new ArrayList<>();
    private Durability durability = Durability.ASYNC;
    private boolean hasKeys;

    /** @param forms the texts of the statement, made when they are first needed */
    PostgresAppend(Database database, Map<Form, String> forms, List<AppendRequest> requests) {
        this.database = database;
        this.forms = forms;
        this.results = new AppendResult[requests.size()];
        for (int i = 0; i < results.length; i++) {
            if (requests.get(i).rules().isRetained()) {
                add(requests.get(i), i);
            }
        }
        this.runs = List.copyOf(byName.values());
        for (int i = 0; i < runs.size(); i++) {
            runs.get(i).number = i + 1;
        }
    }

    private void add(AppendRequest request, int index) {
        Entry entry = new Entry(
                request,
                index,
                byName.computeIfAbsent(request.channel().value(), name -> new Run(name, request.rules())));
        entries.add(entry);
        hasKeys |= entry.key != null;
        if (request.rules().durability() == Durability.SYNC) {
            durability = Durability.SYNC;
        }
    }

    /** Appends what it can; what it leaves has no result. */
    AppendTransaction.Outcome run(Connection connection) throws SQLException {
        List<Trimmer.Trim> trims = new ArrayList<>();
        if (!entries.isEmpty() && move(connection)) {
            entries.stream().filter(entry -> entry.run.isMoved).forEach(entry -> results[entry.index] = entry.result());
            runs.stream()
                    .filter(run -> run.trimUpTo() > 0)
                    .forEach(run -> trims.add(new Trimmer.Trim(run.life, run.trimUpTo())));
        }
        return new AppendTransaction.Outcome(Map.of(), Arrays.asList(results), trims);
    }

    /** Returns whether it stands; if not, it is rolled back. */
    private boolean move(Connection connection) throws SQLException {
        long remembered = 0;
        Form wanted = new Form(isOneEach(), hasKeys, durability, database.now());
        String sql = forms.computeIfAbsent(wanted, form -> sql(database, form));
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            fill(statement);
            statement.execute();
            statement.getMoreResults();
            try (ResultSet moved = statement.getResultSet()) {
                while (moved.next()) {
                    runs.get(moved.getInt(1) - 1).read(moved);
                    remembered = hasKeys ? moved.getLong(7) : 0;
                }
            }
        }
        long keys = entries.stream()
                .filter(entry -> entry.key != null && entry.run.isMoved)
                .count();
        if (remembered < keys) {
            connection.rollback();
            return false;
        }
        return true;
    }

    private boolean isOneEach() {
        return runs.size() == entries.size();
    }

    private static String sql(Database database, Form form) {
        String arrays = form.hasKeys ? KEYED_ARRAYS : ARRAYS;
        String columns = form.hasKeys ? KEYED_COLUMNS : COLUMNS;
        String append = form.isOneEach
                ? with(MOVE + ONE_EACH, arrays, columns)
                : with(MOVE, "", "") + with(SEVERAL, arrays, columns);
        String sql = PLAN + append + LOG + (form.hasKeys ? REMEMBER : "") + RETURN
                + (form.hasKeys ? ", (SELECT count(*) FROM remembered)" : "")
                + database.dialect().settings(form.durability) + " FROM moved";
        return sql.replace("{now}", form.now)
                .replace("{timeout}", Long.toString(database.statementTimeout().toMillis()))
                .replace(Tables.DEFAULT_PREFIX, database.tables().prefix());
    }

    private static String with(String part, String arrays, String columns) {
        return part.replace("{arrays}", arrays).replace("{columns}", columns);
    }

    private void fill(PreparedStatement statement) throws SQLException {
        int next = new PostgresArrays<>(statement, 1, runs)
                .texts(run -> run.name)
                .longs(run -> run.count)
                .longs(run -> run.tag)
                .longs(run -> run.rules.retainedCount())
                .longs(run -> ChannelRow.millis(run.rules.retainedFor()))
                .longs(run -> ChannelRow.millis(run.rules.headTtl()))
                .next();
        if (isOneEach()) {
            List<Entry> asRuns = entries.stream()
                    .sorted(Comparator.comparingInt(entry -> entry.run.number))
                    .toList();
            next = fillContents(new PostgresArrays<>(statement, next, asRuns));
        }
        next = new PostgresArrays<>(statement, next, runs)
                .texts(run -> run.name)
                .next();
        if (!isOneEach()) {
            fillContents(new PostgresArrays<>(statement, next, entries)
                    .longs(entry -> entry.run.number)
                    .longs(entry -> entry.nth)
                    .longs(entry -> entry.request.tag())
                    .longs(entry -> entry.previousTag));
        }
    }

    /** Returns the number of the next parameter. */
    @CanIgnoreReturnValue
    private int fillContents(PostgresArrays<Entry> columns) throws SQLException {
        columns.bytes(entry -> entry.request.data().unsafeBytes())
                .bytes(entry -> Wire.extra(entry.request.options(), entry.request.publisher()));
        if (hasKeys) {
            columns.bytes(entry -> entry.key)
                    .longs(entry -> entry.key == null ? 0 : Keys.digest(entry.request.data()))
                    .longs(entry -> ChannelRow.millis(entry.request.rules().dedupWindow()));
        }
        return columns.next();
    }

    /** What the text of the statement depends on. The expression for the time is one, except in tests. */
    record Form(boolean isOneEach, boolean hasKeys, Durability durability, String now) {}

    /** One publication. */
    private static final class Entry {
        private final AppendRequest request;
        private final int index;
        private final Run run;
        private final int nth;
        private final long previousTag;
        private final byte @Nullable [] key;

        /** Comes after those that its run has. */
        Entry(AppendRequest request, int index, Run run) {
            this.request = request;
            this.index = index;
            this.run = run;
            this.previousTag = run.tag;
            this.nth = ++run.count;
            run.tag = request.tag();
            run.rules = request.rules();
            String name = request.options().dedupKey();
            this.key = name == null ? null : Keys.of(request.channel(), name);
        }

        AppendResult result() {
            return new AppendResult.Appended(AppendTransaction.publication(request, run.storedAt)
                    .position(
                            run.epoch,
                            run.top - run.count + nth,
                            request.tag(),
                            nth == 1 ? run.previousTag : previousTag)
                    .build());
        }
    }

    /** What one channel gets, and then what the database says of it. */
    private static final class Run {
        private final String name;
        private int number;
        private ChannelRules rules;
        private int count;
        private long tag;

        private boolean isMoved;
        private long life;
        private String epoch = "";
        private long top;
        private long previousTag;
        private long storedAt;

        Run(String name, ChannelRules rules) {
            this.name = name;
            this.rules = rules;
        }

        void read(ResultSet row) throws SQLException {
            isMoved = true;
            life = row.getLong(2);
            epoch = row.getString(3);
            top = row.getLong(4);
            previousTag = row.getLong(5);
            storedAt = row.getLong(6);
        }

        /** Returns up to which offset the rows should go now; 0 if that can wait. */
        long trimUpTo() {
            return isMoved ? ChannelRow.trimUpTo(top - count, top, rules.retainedCount()) : 0;
        }
    }
}
