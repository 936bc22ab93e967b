package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.DropReason;
import dev.fanfare.FanfareListener;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.presence.PresenceEvent;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps what a listener throws away from everything else; logs it once per class. Thread-safe. */
final class GuardedListener implements FanfareListener {

    private static final Logger LOG = LoggerFactory.getLogger(GuardedListener.class);

    private final FanfareListener guarded;
    private final Set<Class<?>> logged = ConcurrentHashMap.newKeySet();

    private GuardedListener(FanfareListener guarded) {
        this.guarded = guarded;
    }

    static FanfareListener of(@Nullable FanfareListener listener) {
        return listener == null ? new FanfareListener() {} : new GuardedListener(listener);
    }

    private void guard(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException | Error failure) {
            if (logged.add(failure.getClass())) {
                LOG.warn("A FanfareListener threw; its exceptions of this class are dropped from now on", failure);
            }
        }
    }

    @Override
    public void onConnect(ConnectionInfo connection) {
        guard(() -> guarded.onConnect(connection));
    }

    @Override
    public void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {
        guard(() -> guarded.onDisconnect(connection, reason));
    }

    @Override
    public void onSubscribe(@Nullable ConnectionInfo connection, ChannelId channel, Resume resume) {
        guard(() -> guarded.onSubscribe(connection, channel, resume));
    }

    @Override
    public void onUnsubscribe(@Nullable ConnectionInfo connection, ChannelId channel, UnsubscribeReason reason) {
        guard(() -> guarded.onUnsubscribe(connection, channel, reason));
    }

    @Override
    public void onPublish(ChannelId channel, PublishResult result) {
        guard(() -> guarded.onPublish(channel, result));
    }

    @Override
    public void onPublishFailed(ChannelId channel, Throwable failure) {
        guard(() -> guarded.onPublishFailed(channel, failure));
    }

    @Override
    public void onRefuse(ConnectionInfo connection, @Nullable ChannelId channel, Refusal reason) {
        guard(() -> guarded.onRefuse(connection, channel, reason));
    }

    @Override
    public void onDeliver(ChannelId channel, int subscribers, int bytes) {
        guard(() -> guarded.onDeliver(channel, subscribers, bytes));
    }

    @Override
    public void onDrop(ChannelId channel, DropReason reason, long count) {
        guard(() -> guarded.onDrop(channel, reason, count));
    }

    @Override
    public void onReset(ChannelId channel, ResetReason reason) {
        guard(() -> guarded.onReset(channel, reason));
    }

    @Override
    public void onCatchUp(ChannelId channel) {
        guard(() -> guarded.onCatchUp(channel));
    }

    @Override
    public void onRepair(ChannelId channel, boolean reset) {
        guard(() -> guarded.onRepair(channel, reset));
    }

    @Override
    public void onPresence(ChannelId channel, PresenceEvent event) {
        guard(() -> guarded.onPresence(channel, event));
    }
}
