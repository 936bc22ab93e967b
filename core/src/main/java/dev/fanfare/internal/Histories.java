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

    /** So many bytes of payloads are enough for one answer. */
    private static final long MOST_BYTES = 8 * 1024 * 1024;

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
        return new Pages(read).next(read).thenApply(page -> resultOf(query, page));
    }

    /** Puts the pages of one query together, since a log may give fewer publications at a time than it is asked for. */
    private final class Pages {

        private final LogRead whole;
        private final List<Publication> publications = new ArrayList<>();
        private long bytes;
        private @Nullable Cursor head;

        Pages(LogRead whole) {
            this.whole = whole;
        }

        CompletionStage<LogPage> next(LogRead read) {
            return calls.store("history of " + whole.channel(), () -> channelLog.read(read))
                    .thenCompose(this::take);
        }

        private CompletionStage<LogPage> take(LogPage page) {
            Cursor known = head == null ? page.head() : head;
            head = known;
            if (page.head().epoch().equals(known.epoch())) {
                LogRead more = link(page) ? more(page, known) : null;
                if (more != null) {
                    return next(more);
                }
            }
            return CompletableFuture.completedStage(new LogPage(known, publications));
        }

        /** Adds a page; returns false if it does not link, so that nothing more may be added. */
        private boolean link(LogPage page) {
            boolean isHole = !publications.isEmpty()
                    && !page.publications().isEmpty()
                    && !follows(page.publications().get(0));
            if (isHole && whole.isReverse()) {
                return false;
            }
            if (isHole) { // what is before it has been trimmed meanwhile, or cannot be read
                publications.clear();
                bytes = 0;
            }
            publications.addAll(page.publications());
            page.publications().forEach(each -> bytes += each.data().size());
            return true;
        }

        private boolean follows(Publication next) {
            long last = publications.get(publications.size() - 1).offset();
            return next.offset() == (whole.isReverse() ? last - 1 : last + 1);
        }

        private @Nullable LogRead more(LogPage page, Cursor known) {
            int left = whole.limit() - publications.size();
            if (left <= 0 || page.publications().isEmpty() || bytes > MOST_BYTES) {
                return null;
            }
            long last = publications.get(publications.size() - 1).offset();
            boolean isAtEnd = whole.isReverse() ? last == 1 : last >= known.offset();
            return isAtEnd ? null : new LogRead(whole.channel(), last, left, whole.isReverse());
        }
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
