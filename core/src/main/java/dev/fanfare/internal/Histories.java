package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.util.ArrayList;
import java.util.List;
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

    /** Reads what a host asks for. */
    CompletionStage<HistoryResult> read(ChannelId channel, ChannelRules rules, HistoryQuery query) {
        return read(channel, rules, query, HistoryQuery.ENOUGH_BYTES);
    }

    /** Reads on until there are that many publications or bytes of payloads. */
    CompletionStage<HistoryResult> read(ChannelId channel, ChannelRules rules, HistoryQuery query, long enoughBytes) {
        if (!rules.isRetained()) {
            return CompletableFuture.completedFuture(new HistoryResult.Refused(Refusal.NOT_AVAILABLE));
        }
        Cursor since = query.since();
        if (since != null && since.offset() == 0 && query.isReverse()) {
            return CompletableFuture.completedFuture(new HistoryResult.Refused(Refusal.BAD_REQUEST));
        }
        long start = since != null ? since.offset() : query.isReverse() ? Long.MAX_VALUE : 0;
        return new Pages(channel, query, enoughBytes).next(start);
    }

    /**
     * Puts the pages of one query together, since a log may give fewer publications at a time than it is asked for.
     * Between two reads it may be trimmed, or replaced by another history; so each page must link to what is there.
     */
    private final class Pages {

        private final ChannelId channel;
        private final HistoryQuery query;
        private final long enoughBytes;
        private final List<Publication> publications = new ArrayList<>();
        private long bytes;
        private @Nullable Cursor top;

        Pages(ChannelId channel, HistoryQuery query, long enoughBytes) {
            this.channel = channel;
            this.query = query;
            this.enoughBytes = enoughBytes;
        }

        CompletionStage<HistoryResult> next(long start) {
            LogRead read = new LogRead(channel, start, query.limit() - publications.size(), query.isReverse());
            return calls.store("history of " + channel, () -> channelLog.read(read))
                    .thenCompose(this::take);
        }

        private CompletionStage<HistoryResult> take(LogPage page) {
            ResetReason broken = publications.isEmpty() ? judgeStart(query, page) : judgeNext(page);
            if (broken != null) {
                return CompletableFuture.completedStage(new HistoryResult.Unrecoverable(broken, page.head()));
            }
            Cursor newest = topBy(page);
            top = newest;
            publications.addAll(page.publications());
            page.publications().forEach(each -> bytes += each.data().size());
            return isEnough(page, newest)
                    ? CompletableFuture.completedStage(new HistoryResult.Page(publications, newest))
                    : next(last().offset());
        }

        private @Nullable ResetReason judgeNext(LogPage page) {
            return query.isReverse() ? Positions.judgeBefore(last(), page) : Positions.judge(last().cursor(), page);
        }

        /** What is read backwards begins at the top of the first page; forwards, what came meanwhile is read too. */
        private Cursor topBy(LogPage page) {
            return top != null && query.isReverse() ? top : page.head();
        }

        private boolean isEnough(LogPage page, Cursor newest) {
            if (page.publications().isEmpty() || publications.size() >= query.limit() || bytes >= enoughBytes) {
                return true;
            }
            return query.isReverse() ? last().offset() == 1 : last().offset() >= newest.offset();
        }

        private Publication last() {
            return publications.get(publications.size() - 1);
        }
    }

    /** Judges where there is a proof to ask for: forward reads of something, from a position with a tag. */
    private static @Nullable ResetReason judgeStart(HistoryQuery query, LogPage page) {
        Cursor since = query.since();
        if (since == null || !since.hasEpoch()) {
            return null;
        }
        if (!since.epoch().equals(page.head().epoch())) {
            return ResetReason.EPOCH;
        }
        boolean isProvable = !Positions.hasUnknownTag(since) && !query.isReverse() && query.limit() > 0;
        return isProvable ? Positions.judge(since, page) : null;
    }
}
