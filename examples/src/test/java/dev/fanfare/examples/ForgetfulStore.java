package dev.fanfare.examples;

import dev.fanfare.ChannelId;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** A memory store whose log of a channel can be lost, as a store loses it that was restored or flushed. */
final class ForgetfulStore implements Store {

    private final MemoryStore store = MemoryStore.create();
    private final Map<ChannelId, ChannelLog> newLives = new ConcurrentHashMap<>();

    /** Loses all publications and the epoch of a channel; the next publication begins a new life. */
    void lose(ChannelId channel) {
        newLives.put(channel, MemoryStore.create().log());
    }

    private AppendResult announced(ChannelId channel, AppendResult result) {
        if (result instanceof AppendResult.Appended appended) {
            store.bus().announce(new Announcement.Published(channel, appended.publication()));
        }
        return result;
    }

    private ChannelLog logOf(ChannelId channel) {
        return newLives.getOrDefault(channel, store.log());
    }

    @Override
    public ChannelLog log() {
        return new ChannelLog() {
            @Override
            public CompletionStage<AppendResult> append(AppendRequest request) {
                ChannelLog newLife = newLives.get(request.channel());
                return newLife == null
                        ? store.log().append(request)
                        : newLife.append(request).thenApply(result -> announced(request.channel(), result));
            }

            @Override
            public CompletionStage<LogPage> read(LogRead read) {
                return logOf(read.channel()).read(read);
            }

            @Override
            public CompletionStage<Void> clear(ChannelId channel) {
                return logOf(channel).clear(channel);
            }

            @Override
            public boolean isDurable() {
                return store.log().isDurable();
            }

            @Override
            public boolean announcesOn(Bus bus) {
                return store.log().announcesOn(bus);
            }
        };
    }

    @Override
    public Bus bus() {
        return store.bus();
    }

    @Override
    public PresenceStore presence() {
        return store.presence();
    }

    @Override
    public ControlBus control() {
        return store.control();
    }

    @Override
    public LatestValues latestValues() {
        return store.latestValues();
    }
}
