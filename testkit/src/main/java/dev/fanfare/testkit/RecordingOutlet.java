package dev.fanfare.testkit;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.Publication;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import dev.fanfare.spi.Outlet;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;

/**
 * A client's connection without a network: keeps what it is written, takes as much as the test says, and
 * notices when the core breaks the contract of an {@link Outlet}.
 *
 * <p><b>Threading:</b> confined to the thread that drives its {@link ManualLoop}.
 */
public final class RecordingOutlet implements Outlet {

    /** What a client saw, in order. */
    public sealed interface Event {
        /** Returns the channel; for a disconnect, none. */
        default String channel() {
            return "";
        }
    }

    /** A subscribe was answered. */
    public record Answered(String channel, SubscribeResult result) implements Event {}

    /** The host subscribed the client. */
    public record SubscribedByHost(String channel, SubscribeResult.Subscribed how) implements Event {}

    /** A publication was written. */
    public record Written(String channel, Publication publication) implements Event {}

    /** A join or leave was written. */
    public record Presence(String channel, PresenceEvent event) implements Event {}

    /** A reset was told. */
    public record ResetTold(String channel, Resume.Reset reset) implements Event {}

    /** So many publications were left out, and so many joins and leaves. */
    public record Skipped(String channel, long publications, long presence) implements Event {}

    /** A subscription was ended. */
    public record Ended(String channel, UnsubscribeReason reason) implements Event {}

    /** The connection was closed by the core. */
    public record Disconnected(DisconnectReason reason) implements Event {}

    private final ManualLoop loop;
    private final RecordingFormat format;
    private final List<Event> events = new ArrayList<>();
    private final List<String> violations = new ArrayList<>();
    private final Map<String, Publication> bases = new HashMap<>();
    private final List<Publication> differences = new ArrayList<>();
    private Connection connection;
    private long room = Long.MAX_VALUE;
    private boolean goesOnAfterReset = true;
    private boolean canBeSubscribedByHost = true;
    private boolean isClosed;
    private int flushes;
    private int unflushed;
    private Runnable onWrite = () -> {};
    private Runnable onFlush = () -> {};

    @SuppressWarnings("NullAway.Init") // connect() sets the connection before anybody gets this
    private RecordingOutlet(ManualLoop loop, RecordingFormat format) {
        this.loop = requireNonNull(loop, "loop");
        this.format = requireNonNull(format, "format");
    }

    /** Connects as a new client of that user, {@code ""} for an anonymous one. */
    public static RecordingOutlet connect(Fanfare fanfare, ManualLoop loop, RecordingFormat format, String user) {
        RecordingOutlet outlet = new RecordingOutlet(loop, format);
        ConnectionInfo info = new ConnectionInfo(
                fanfare.gateway().newConnectionId(),
                user,
                "recording",
                Instant.ofEpochMilli(fanfare.gateway().time().millis()),
                null);
        outlet.connection = fanfare.gateway().open(info, outlet);
        return outlet;
    }

    // ---- what the client does; call it where the loop's tasks run

    /** Returns the core's side of this connection. */
    public Connection connection() {
        return connection;
    }

    /** Subscribes with joins and leaves; the answer becomes an event. */
    @CanIgnoreReturnValue
    public RecordingOutlet subscribe(String channel, StartAt start) {
        return subscribe(channel, new SubscribeRequest(start, true, false));
    }

    /** Subscribes; the answer becomes an event. */
    @CanIgnoreReturnValue
    public RecordingOutlet subscribe(String channel, SubscribeRequest request) {
        connection.subscribe(ChannelId.of(channel), request, result -> answered(channel, result));
        return this;
    }

    private void answered(String channel, SubscribeResult result) {
        events.add(new Answered(channel, result));
        bases.remove(channel);
        if (result instanceof SubscribeResult.Subscribed subscribed) {
            subscribed.missed().forEach(publication -> bases.put(channel, publication));
        }
    }

    /** Unsubscribes; tells whether there was a subscription. */
    @CanIgnoreReturnValue
    public boolean unsubscribe(String channel) {
        return connection.unsubscribe(ChannelId.of(channel));
    }

    /** Vanishes, as a client does whose network is gone. */
    public void vanish() {
        isClosed = true;
        connection.closed(DisconnectReason.BY_CLIENT);
    }

    /** Takes so many frames more, and then no more until {@link #drain}. */
    public void takeOnly(long frames) {
        room = frames;
    }

    /** Has room for so many frames again, and tells the core if there was none. */
    public void drain(long frames) {
        boolean wasFull = room <= 0;
        room = frames;
        if (wasFull && frames > 0 && !isClosed) {
            connection.writable();
        }
    }

    /** Has room without end again. */
    public void drain() {
        drain(Long.MAX_VALUE);
    }

    /** Ends subscriptions whose run is broken instead of going on, as clients do that subscribe again. */
    public void endOnReset() {
        goesOnAfterReset = false;
    }

    /** Cannot be told that the host subscribed it, as a plain event stream cannot. */
    public void refuseSubscriptionsByHost() {
        canBeSubscribedByHost = false;
    }

    /** Does something at the end of each write, such as becoming writable there and then. */
    public void onWrite(Runnable action) {
        this.onWrite = requireNonNull(action, "action");
    }

    /** Does something within each flush, such as becoming writable there and then. */
    public void onFlush(Runnable action) {
        this.onFlush = requireNonNull(action, "action");
    }

    // ---- what the client saw

    /** Returns everything, oldest first; a copy. */
    public List<Event> events() {
        return List.copyOf(events);
    }

    /** Returns everything since the last call of this method. */
    @CanIgnoreReturnValue
    public List<Event> takeEvents() {
        List<Event> taken = List.copyOf(events);
        events.clear();
        return taken;
    }

    /** Returns the texts of the publications of a channel, those that came with the answer included. */
    public List<String> texts(String channel) {
        List<String> texts = new ArrayList<>();
        for (Event event : events) {
            if (!event.channel().equals(channel)) {
                continue;
            }
            if (event instanceof Written written) {
                texts.add(written.publication().data().text());
            } else if (event instanceof Answered answered
                    && answered.result() instanceof SubscribeResult.Subscribed subscribed) {
                subscribed
                        .missed()
                        .forEach(publication -> texts.add(publication.data().text()));
            }
        }
        return texts;
    }

    /** Returns the texts of those publications that were written as a difference to the one before. */
    public List<String> differences() {
        return differences.stream()
                .map(publication -> publication.data().text())
                .toList();
    }

    /** Returns how often it was flushed. */
    public int flushes() {
        return flushes;
    }

    /** Returns how many frames were written since the last flush. */
    public int unflushed() {
        return unflushed;
    }

    /** Returns how the core broke the contract; empty if it did not. */
    public List<String> violations() {
        return List.copyOf(violations);
    }

    // ---- the outlet

    @Override
    public Executor loop() {
        return loop;
    }

    @Override
    public FrameEncoder encoder() {
        return format;
    }

    @Override
    public boolean isWritable() {
        return room > 0 && !isClosed;
    }

    @Override
    public void write(ChannelId channel, Frame frame, Publication publication) {
        RecordingFormat.RecordedFrame recorded = (RecordingFormat.RecordedFrame) frame;
        recorded.checkUsable();
        take("a publication");
        Publication base = bases.put(channel.value(), publication);
        Publication previous = recorded.previous;
        if (previous != null) {
            differences.add(publication);
            if (base == null
                    || !base.cursor().equals(previous.cursor())
                    || !base.data().equals(previous.data())) {
                violations.add("a difference to " + previous + " was written, but the last one sent was " + base);
            }
        }
        events.add(new Written(channel.value(), publication));
        onWrite.run();
    }

    @Override
    public void writePresence(ChannelId channel, Frame frame) {
        RecordingFormat.RecordedFrame recorded = (RecordingFormat.RecordedFrame) frame;
        recorded.checkUsable();
        take("a join or leave");
        events.add(new Presence(channel.value(), requireNonNull(recorded.presence)));
    }

    @Override
    public void flush() {
        flushes++;
        unflushed = 0;
        onFlush.run();
    }

    @Override
    public boolean reset(ChannelId channel, Resume.Reset reset) {
        unflushed++;
        events.add(new ResetTold(channel.value(), reset));
        return goesOnAfterReset;
    }

    @Override
    public void skipped(ChannelId channel, long publications, long presence) {
        take("a count of what was left out");
        events.add(new Skipped(channel.value(), publications, presence));
    }

    @Override
    public boolean subscribed(ChannelId channel, SubscribeResult.Subscribed how) {
        if (canBeSubscribedByHost) {
            unflushed++;
            events.add(new SubscribedByHost(channel.value(), how));
        }
        return canBeSubscribedByHost;
    }

    @Override
    public void ended(ChannelId channel, UnsubscribeReason reason) {
        unflushed++;
        events.add(new Ended(channel.value(), reason));
    }

    @Override
    public void disconnect(DisconnectReason reason) {
        if (!isClosed) {
            isClosed = true;
            events.add(new Disconnected(reason));
            loop.execute(() -> connection.closed(reason));
        }
    }

    private void take(String what) {
        if (!isWritable()) {
            violations.add(what + " was written while the outlet was not writable");
        }
        room--;
        unflushed++;
    }
}
