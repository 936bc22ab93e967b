package dev.fanfare.memory;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Keeps publications on the heap. Stages are complete when they are returned. */
final class MemoryLog implements ChannelLog {

    /*
     * State: LogChannels, one DedupTable for all channels.
     *
     * Threads: thread-safe. At most one lock is held, a channel's or an origin's. A channel whose life
     * turns out to be over is forgotten and looked up anew.
     *
     * Ordering: append() has announced, or left it to another thread that is announcing in the same
     * channel, when it returns.
     *
     * Bounds: those of the parts. An append that would overfill the watchers' turnstile is refused (Full). An
     * append without retention and dedup key leaves no state.
     */

    static final AppendResult FULL = new AppendResult.Full(10);

    private final Clock clock;
    private final MemoryBus bus;
    private final DedupTable dedup;
    private final LogChannels channels;
    private final Rounds<LogChannel> rounds;

    MemoryLog(Clock clock, MemoryBus bus, DedupTable dedup, LogChannels channels) {
        this.clock = clock;
        this.bus = bus;
        this.dedup = dedup;
        this.channels = channels;
        this.rounds = new Rounds<>(channels.all(), this::tidy, clock.now());
    }

    @Override
    public CompletionStage<AppendResult> append(AppendRequest request) {
        String text = request.options().dedupKey();
        LogChannel.Draft draft = new LogChannel.Draft(
                request,
                text == null ? null : new DedupTable.Key(request.channel(), text),
                text == null ? 0 : DedupTable.digest(request.data()),
                clock.now(),
                clock.wallMillis());
        AppendResult result = request.rules().isRetained() ? appendLogged(draft) : appendUnlogged(draft);
        dedup.purge(draft.nanos());
        rounds.pass(draft.nanos());
        return CompletableFuture.completedStage(result);
    }

    private AppendResult appendLogged(LogChannel.Draft draft) {
        while (true) {
            LogChannel channel = channels.findOrAdd(draft.request().channel(), draft.nanos());
            AppendResult result = channel.append(draft, dedup, bus);
            if (result != null) {
                return result;
            }
            channels.forget(channel);
        }
    }

    private AppendResult appendUnlogged(LogChannel.Draft draft) {
        ChannelId id = draft.request().channel();
        MemoryBus.Audience audience = bus.audience(id);
        if (audience != null && audience.isFull()) {
            return FULL;
        }
        DedupTable.Key key = draft.key();
        if (key != null) {
            DedupTable.Remembered fresh = draft.remembered(key, draft.nanos(), "", 0);
            DedupTable.Remembered first = dedup.remember(fresh);
            if (first != null) {
                return first.answerTo(fresh);
            }
        }
        Publication publication = draft.unlogged();
        if (audience != null) {
            audience.add(new Announcement.Published(id, publication));
            audience.drain();
        }
        return new AppendResult.Appended(publication);
    }

    @Override
    public CompletionStage<LogPage> read(LogRead read) {
        return CompletableFuture.completedStage(readNow(read));
    }

    private LogPage readNow(LogRead read) {
        if (read.limit() < 0) {
            throw new IllegalArgumentException("limit must not be negative: " + read.limit());
        }
        while (true) {
            LogChannel channel = channels.find(read.channel());
            if (channel == null) {
                String epoch = channels.unbegunEpoch(read.channel());
                if (epoch != null) {
                    return new LogPage(new Cursor(epoch, 0, Cursor.NO_TAG), List.of());
                }
                continue;
            }
            LogPage page = channel.read(read, clock.now());
            if (page != null) {
                return page;
            }
            channels.forget(channel);
        }
    }

    @Override
    public CompletionStage<Void> clear(ChannelId id) {
        LogChannel channel = channels.find(id);
        if (channel != null) {
            channel.clear();
        }
        return CompletableFuture.completedStage(null);
    }

    private void tidy(LogChannel channel) {
        if (!channel.expire(clock.now())) {
            channels.forget(channel);
        }
    }

    @Override
    public boolean announcesOn(Bus bus) {
        return bus == this.bus;
    }
}
