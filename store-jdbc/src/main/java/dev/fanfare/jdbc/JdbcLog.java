package dev.fanfare.jdbc;

import dev.fanfare.ChannelId;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog;
import java.sql.PreparedStatement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Keeps publications in the log table. The nodes announce for it. */
final class JdbcLog implements ChannelLog {

    private final Database database;
    private final Appender appender;
    private final LogReader reader;

    JdbcLog(Database database, Appender appender, LogReader reader) {
        this.database = database;
        this.appender = appender;
        this.reader = reader;
    }

    @Override
    public CompletionStage<AppendResult> append(AppendRequest request) {
        if (!request.rules().isRetained() && request.options().dedupKey() == null) {
            return CompletableFuture.completedStage(
                    new AppendResult.Appended(AppendTransaction.publication(request, System.currentTimeMillis())
                            .build()));
        }
        return appender.append(request);
    }

    @Override
    public boolean isDurable() {
        return true;
    }

    @Override
    public CompletionStage<LogPage> read(LogRead read) {
        if (read.limit() < 0) {
            throw new IllegalArgumentException("limit must not be negative: " + read.limit());
        }
        return database.query("read " + read.channel(), connection -> reader.read(connection, read));
    }

    @Override
    public CompletionStage<Void> clear(ChannelId channel) {
        return database.<Integer>query("clear " + channel, connection -> {
                    // Readers see nothing from now on; the trimmer deletes at its next round.
                    try (PreparedStatement update = database.prepare(
                            connection,
                            "UPDATE " + database.tables().channel()
                                    + " SET low = top, trim_at = 0 WHERE name = ? AND low < top")) {
                        update.setString(1, channel.value());
                        return update.executeUpdate();
                    }
                })
                .thenAccept(cleared -> {});
    }
}
