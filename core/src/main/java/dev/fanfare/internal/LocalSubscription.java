package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.Subscriber;
import dev.fanfare.Subscription;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.Outlet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * An in-process subscription: a connection with one reader, whose write side calls the subscriber.
 *
 * <p>It is always writable. A subscriber that takes long holds up its loop, whose queue is bounded; what
 * does not fit there is caught up from the log, as for any other reader that lags.
 *
 * <p><i>Threads.</i> Confined to its loop, a serial view of the host executor, except for what {@link
 * Subscription} offers to everybody.
 */
final class LocalSubscription extends Port implements Subscription, Outlet {

    private static final LogLine THREW =
            LogLine.warn(LocalSubscription.class, "A subscriber threw; its subscription ends");
    private static final LogLine THREW_AT_END = LogLine.warn(LocalSubscription.class, "A subscriber threw in onEnded");

    private final Engine engine;
    private final ChannelId channel;
    private final Subscriber subscriber;
    private final Executor loop;
    private final CompletableFuture<Resume> ready = new CompletableFuture<>();
    private volatile Cursor base;
    private volatile @Nullable Publication last;
    private @Nullable Reader reader;
    private boolean hasFailed;

    LocalSubscription(Engine engine, ChannelId channel, StartAt start, Subscriber subscriber, Executor loop) {
        super(engine.hub.queue(loop));
        this.engine = engine;
        this.channel = channel;
        this.subscriber = subscriber;
        this.loop = loop;
        this.base = start instanceof StartAt.After after ? after.cursor() : Cursor.of("", 0);
    }

    /** Begins; the reader is this subscription's own. */
    void begin(Reader reader) {
        queue.add(() -> {
            this.reader = reader;
            engine.hub.join(reader);
        });
    }

    /** Ends before there is a reader. */
    void refuse(Refusal reason) {
        queue.add(() -> {
            answered(new SubscribeResult.Refused(reason));
            tellEnded(UnsubscribeReason.NOT_STARTED);
        });
    }

    /** Takes the answer to the subscribe; on the loop. */
    void answered(SubscribeResult result) {
        if (result instanceof SubscribeResult.Subscribed subscribed) {
            base = subscribed.resume().position();
            call(() -> subscriber.onReady(subscribed.resume()));
            for (Publication publication : subscribed.missed()) {
                give(publication);
            }
            ready.complete(subscribed.resume());
        } else if (result instanceof SubscribeResult.Refused refused) {
            ready.completeExceptionally(new RefusedException(
                    "Cannot subscribe to " + channel + ": " + refused.reason().text(), refused.reason()));
        }
    }

    // ---- for the host

    @Override
    public ChannelId channel() {
        return channel;
    }

    @Override
    public CompletionStage<Resume> ready() {
        return ready.minimalCompletionStage();
    }

    @Override
    public Cursor cursor() {
        Publication newest = last;
        return newest == null ? base : newest.cursor();
    }

    @Override
    public void close() {
        end(UnsubscribeReason.BY_SUBSCRIBER);
    }

    void end(UnsubscribeReason reason) {
        queue.add(() -> {
            if (reader != null) {
                reader.end(reason);
            }
        });
    }

    // ---- the port

    @Override
    Outlet outlet() {
        return this;
    }

    @Override
    @Nullable
    ConnectionInfo owner() {
        return null;
    }

    @Override
    void started(Reader reader, Resume resume) {
        engine.hub.subscriptions.increment();
        engine.listener().onSubscribe(null, channel, resume);
        if (resume instanceof Resume.Reset reset) {
            engine.listener().onReset(channel, reset.reason());
        }
    }

    @Override
    void removed(Reader reader, UnsubscribeReason reason, boolean wasStarted) {
        if (wasStarted) {
            engine.hub.subscriptions.decrement();
            engine.listener().onUnsubscribe(null, channel, reason);
        }
        tellEnded(reason);
        engine.inProcess.forget(this); // only now: whoever closes Fanfare waits for what the subscriber is told
    }

    private void tellEnded(UnsubscribeReason reason) {
        try {
            subscriber.onEnded(reason);
        } catch (RuntimeException | Error failure) {
            THREW_AT_END.logTrace(failure, "channel", channel);
        }
    }

    // ---- the write side

    @Override
    public Executor loop() {
        return loop;
    }

    @Override
    public FrameEncoder encoder() {
        return Unencoded.ENCODER;
    }

    @Override
    public boolean isWritable() {
        return true;
    }

    @Override
    public void write(ChannelId to, Frame frame, Publication publication) {
        give(publication);
    }

    @Override
    public void writePresence(ChannelId of, Frame frame) {
        PresenceEvent event = ((Unencoded) frame).event();
        if (event != null) {
            call(() -> subscriber.onPresence(event));
        }
    }

    @Override
    public void flush() {}

    @Override
    public boolean reset(ChannelId of, Resume.Reset reset) {
        base = reset.position();
        last = null;
        call(() -> subscriber.onReset(reset));
        return true;
    }

    @Override
    public void skipped(ChannelId of, long publications, long presence) {
        if (publications > 0) {
            call(() -> subscriber.onSkipped(publications));
        }
        if (presence > 0) {
            call(() -> subscriber.onPresenceSkipped(presence));
        }
    }

    @Override
    public void ended(ChannelId of, UnsubscribeReason reason) {}

    @Override
    public void disconnect(DisconnectReason reason) {
        close();
    }

    private void give(Publication publication) {
        if (!hasFailed) {
            Publication before = last;
            last = publication; // within the callback the cursor is there to be saved with its effects
            call(() -> subscriber.onPublication(publication));
            if (hasFailed) {
                last = before;
            }
        }
    }

    private void call(Runnable callback) {
        if (hasFailed) {
            return;
        }
        try {
            callback.run();
        } catch (RuntimeException | Error failure) {
            endAfter(failure);
        }
    }

    private void endAfter(Throwable failure) {
        THREW.logTrace(failure, "channel", channel);
        hasFailed = true;
        end(UnsubscribeReason.SUBSCRIBER_FAILED);
    }
}
