package dev.fanfare.jdbc;

import dev.fanfare.ChannelId;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

/** Counts the reads of a store's log. */
final class CountingStore implements Store {

    final AtomicLong reads = new AtomicLong();
    private final Store store;

    CountingStore(Store store) {
        this.store = store;
    }

    @Override
    public ChannelLog log() {
        ChannelLog log = store.log();
        return new ChannelLog() {
            @Override
            public CompletionStage<AppendResult> append(AppendRequest request) {
                return log.append(request);
            }

            @Override
            public CompletionStage<LogPage> read(LogRead read) {
                reads.incrementAndGet();
                return log.read(read);
            }

            @Override
            public CompletionStage<Void> clear(ChannelId channel) {
                return log.clear(channel);
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
