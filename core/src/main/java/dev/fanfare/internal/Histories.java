package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Reads history for hosts and clients. Thread-safe. */
final class Histories {

    private final ChannelLog channelLog;
    private final Calls calls;

    Histories(ChannelLog channelLog, Calls calls) {
        this.channelLog = channelLog;
        this.calls = calls;
    }

    /** Has the log forget a channel's publications, and returns up to where that was. */
    CompletionStage<Cursor> remove(ChannelId channel) {
        return calls.store("removal of the history of " + channel, () -> channelLog.clear(channel))
                .thenCompose(done -> calls.store("head of " + channel, () -> channelLog.read(LogRead.head(channel))))
                .thenApply(LogPage::head);
    }

    CompletionStage<HistoryResult> read(ChannelId channel, ChannelRules rules, HistoryQuery query) {
        if (!rules.isRetained()) {
            return CompletableFuture.completedFuture(new HistoryResult.Refused(Refusal.NOT_AVAILABLE));
        }
        Cursor since = query.since();
        if (since != null && since.offset() == 0 && query.isReverse()) {
            return CompletableFuture.completedFuture(new HistoryResult.Refused(Refusal.BAD_REQUEST));
        }
        long start = since != null ? since.offset() : query.isReverse() ? Long.MAX_VALUE : 0;
        LogRead read = new LogRead(channel, start, query.limit(), query.isReverse());
        return calls.store("history of " + channel, () -> channelLog.read(read))
                .thenApply(page -> resultOf(query, page));
    }

    private static HistoryResult resultOf(HistoryQuery query, LogPage page) {
        Cursor since = query.since();
        if (since != null
                && since.hasEpoch()
                && !since.epoch().equals(page.head().epoch())) {
            return new HistoryResult.Unrecoverable(ResetReason.EPOCH, page.head());
        }
        ResetReason broken = since == null ? null : judge(since, query, page);
        return broken == null
                ? new HistoryResult.Page(page.publications(), page.head())
                : new HistoryResult.Unrecoverable(broken, page.head());
    }

    /** Judges where there is a proof to ask for: forward reads of something, from a position with a tag. */
    private static @Nullable ResetReason judge(Cursor since, HistoryQuery query, LogPage page) {
        boolean isProvable = since.hasEpoch() && !Positions.hasUnknownTag(since);
        return isProvable && !query.isReverse() && query.limit() > 0 ? Positions.judge(since, page) : null;
    }
}
