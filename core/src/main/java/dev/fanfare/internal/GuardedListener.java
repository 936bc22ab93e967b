package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.DropReason;
import dev.fanfare.FanfareListener;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.Rejection;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StateCache;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.presence.PresenceEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what a listener throws away from everything else; logs it once per class. Marks it as host code,
 * which must not wait for Fanfare. Thread-safe.
 */
final class GuardedListener implements FanfareListener {

    private static final Logger LOG = LoggerFactory.getLogger(GuardedListener.class);

    /** Replaced as a whole; never written to. */
    private volatile FanfareListener[] guarded;

    private final Calls calls;
    private final Set<Class<?>> logged = ConcurrentHashMap.newKeySet();

    private GuardedListener(List<FanfareListener> guarded, Calls calls) {
        this.calls = calls;
        this.guarded = guarded.toArray(FanfareListener[]::new);
    }

    /** Guards those of the host, and adds the one that writes losses to the log. */
    static GuardedListener of(List<FanfareListener> listeners, Calls calls) {
        List<FanfareListener> all = new ArrayList<>(listeners);
        all.add(new LossLog());
        return new GuardedListener(all, calls);
    }

    synchronized void add(FanfareListener listener) {
        FanfareListener[] more = Arrays.copyOf(guarded, guarded.length + 1);
        more[guarded.length] = listener;
        guarded = more;
    }

    private void each(Consumer<FanfareListener> event) {
        boolean before = calls.enterHostCode();
        for (FanfareListener listener : guarded) {
            try {
                event.accept(listener);
            } catch (RuntimeException | Error failure) {
                note(failure);
            }
        }
        calls.leaveHostCode(before);
    }

    private void note(Throwable failure) {
        if (logged.add(failure.getClass())) {
            LOG.atWarn()
                    .setCause(failure)
                    .log("A FanfareListener threw; its exceptions of this class are dropped from now on");
        }
    }

    @Override
    public void onConnect(ConnectionInfo connection) {
        each(listener -> listener.onConnect(connection));
    }

    @Override
    public void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {
        each(listener -> listener.onDisconnect(connection, reason));
    }

    @Override
    public void onSubscribe(@Nullable ConnectionInfo connection, ChannelId channel, Resume resume) {
        each(listener -> listener.onSubscribe(connection, channel, resume));
    }

    @Override
    public void onUnsubscribe(@Nullable ConnectionInfo connection, ChannelId channel, UnsubscribeReason reason) {
        each(listener -> listener.onUnsubscribe(connection, channel, reason));
    }

    @Override
    public void onPublish(ChannelId channel, PublishResult result) {
        each(listener -> listener.onPublish(channel, result));
    }

    @Override
    public void onAppend(ChannelId channel, long nanos) {
        each(listener -> listener.onAppend(channel, nanos));
    }

    @Override
    public void onPublishFailed(ChannelId channel, Throwable failure) {
        each(listener -> listener.onPublishFailed(channel, failure));
    }

    @Override
    public void onAnnounceFailed(ChannelId channel, boolean willRetry) {
        each(listener -> listener.onAnnounceFailed(channel, willRetry));
    }

    @Override
    public void onRefuse(ConnectionInfo connection, @Nullable ChannelId channel, Refusal reason) {
        each(listener -> listener.onRefuse(connection, channel, reason));
    }

    @Override
    public void onReject(Rejection reason) {
        each(listener -> listener.onReject(reason));
    }

    @Override
    public void onDeliver(ChannelId channel, int subscribers, int bytes) {
        boolean before = calls.enterHostCode();
        for (FanfareListener listener : guarded) { // once per publication and loop: without a lambda
            try {
                listener.onDeliver(channel, subscribers, bytes);
            } catch (RuntimeException | Error failure) {
                note(failure);
            }
        }
        calls.leaveHostCode(before);
    }

    @Override
    public void onFanOut(ChannelId channel, long nanos) {
        boolean before = calls.enterHostCode();
        for (FanfareListener listener : guarded) {
            try {
                listener.onFanOut(channel, nanos);
            } catch (RuntimeException | Error failure) {
                note(failure);
            }
        }
        calls.leaveHostCode(before);
    }

    @Override
    public void onDrop(ChannelId channel, DropReason reason, long count) {
        each(listener -> listener.onDrop(channel, reason, count));
    }

    @Override
    public void onReset(ChannelId channel, ResetReason reason) {
        each(listener -> listener.onReset(channel, reason));
    }

    @Override
    public void onCatchUp(ChannelId channel) {
        each(listener -> listener.onCatchUp(channel));
    }

    @Override
    public void onCatchUpDelayed(ChannelId channel) {
        each(listener -> listener.onCatchUpDelayed(channel));
    }

    @Override
    public void onRepair(ChannelId channel, boolean reset) {
        each(listener -> listener.onRepair(channel, reset));
    }

    @Override
    public void onRepairDelayed(ChannelId channel) {
        each(listener -> listener.onRepairDelayed(channel));
    }

    @Override
    public void onStateAsked(ChannelId channel, StateCache.Source source) {
        each(listener -> listener.onStateAsked(channel, source));
    }

    @Override
    public void onPresence(ChannelId channel, PresenceEvent event) {
        each(listener -> listener.onPresence(channel, event));
    }
}
