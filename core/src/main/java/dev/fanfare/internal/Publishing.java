package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Publisher;
import dev.fanfare.Refusal;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.Store;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The way of a publication from the publisher to the log and the bus. Thread-safe.
 *
 * <p>The append decides: once the log has it, it is accepted, whether or not the announcement gets
 * through, because nodes find it in the log. What no log keeps is accepted once it is announced.
 */
final class Publishing {

    private final Settings settings;
    private final ChannelLog channelLog;
    private final boolean isAnnouncedByLog;
    private final Announcements announcements;
    private final Calls calls;
    private final TimeSource time;
    private final FanfareListener listener;
    private final EventLog log;

    Publishing(Settings settings, Store store, Calls calls, TimeSource time, FanfareListener listener, EventLog log) {
        this.settings = settings;
        this.channelLog = store.log();
        this.isAnnouncedByLog = channelLog.announcesOn(store.bus());
        this.announcements = new Announcements(store.bus(), calls, time, listener, log);
        this.calls = calls;
        this.time = time;
        this.listener = listener;
        this.log = log;
    }

    /** Publishes; completes on any thread, exceptionally only with a {@code StoreException}. */
    CompletionStage<PublishResult> publish(
            ChannelId channel, Payload data, PublishOptions options, @Nullable Publisher publisher) {
        ChannelRules rules = settings.rules(channel);
        if (rules == null) {
            return refused(channel, Refusal.UNKNOWN_NAMESPACE, publisher);
        }
        if (data.size() > rules.maxMessageBytes()) {
            return refused(channel, Refusal.TOO_LARGE, publisher);
        }
        AppendRequest request = new AppendRequest(channel, data, options, publisher, rules, newTag());
        long begun = time.nanos();
        CompletionStage<AppendResult> accepted = calls.store("publish to " + channel, () -> append(request));
        return accepted.handle((result, failure) -> {
            if (failure != null) {
                Throwable cause = Calls.unwrap(failure);
                log.publishFailed(channel, cause);
                listener.onPublishFailed(channel, cause);
                throw new CompletionException(cause);
            }
            listener.onAppend(channel, time.nanos() - begun);
            return finish(channel, result);
        });
    }

    /** Appends, and announces what was appended, also when nobody waits for it any more. */
    private CompletionStage<AppendResult> append(AppendRequest request) {
        CompletionStage<AppendResult> appended = channelLog.append(request);
        return isAnnouncedByLog ? appended : appended.thenCompose(result -> announced(request.channel(), result));
    }

    private PublishResult finish(ChannelId channel, AppendResult appended) {
        PublishResult result = resultOf(appended);
        listener.onPublish(channel, result);
        return result;
    }

    private PublishResult resultOf(AppendResult appended) {
        if (appended instanceof AppendResult.Appended fresh) {
            Publication publication = fresh.publication();
            return publication.isLogged() ? new PublishResult.Stored(publication.cursor()) : new PublishResult.Sent();
        } else if (appended instanceof AppendResult.Repeated repeated) {
            return new PublishResult.Duplicate(repeated.first());
        } else if (appended instanceof AppendResult.Full full) {
            return new PublishResult.Refused(Refusal.UNAVAILABLE, Duration.ofMillis(full.retryAfterMillis()));
        }
        return new PublishResult.Refused(Refusal.DEDUP_CONFLICT);
    }

    /** Announces what was appended; waits for it only where there is no log to find it in. */
    private CompletionStage<AppendResult> announced(ChannelId channel, AppendResult appended) {
        CompletableFuture<AppendResult> accepted = CompletableFuture.completedFuture(appended);
        if (!(appended instanceof AppendResult.Appended fresh)) {
            return accepted;
        }
        Publication publication = fresh.publication();
        CompletionStage<Void> announced = announcements.announce(channel, publication);
        return publication.isLogged() ? accepted : announced.thenApply(done -> appended);
    }

    /** Returns how many channels the bus has not heard of yet. */
    int overdueAnnouncements() {
        return announcements.overdue();
    }

    /** Gives up announcing what the bus has not taken yet. */
    void close() {
        announcements.close();
    }

    private CompletionStage<PublishResult> refused(ChannelId channel, Refusal reason, @Nullable Publisher publisher) {
        if (publisher == null) {
            log.publishRefused(channel, reason); // nobody may be waiting for the result
        }
        PublishResult result = new PublishResult.Refused(reason);
        listener.onPublish(channel, result);
        return CompletableFuture.completedFuture(result);
    }

    /** Returns a tag; it tells histories apart and is no secret. */
    private static long newTag() {
        long tag = ThreadLocalRandom.current().nextLong();
        return tag == 0 ? 1 : tag;
    }
}
