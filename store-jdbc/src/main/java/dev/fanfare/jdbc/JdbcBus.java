package dev.fanfare.jdbc;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.Cursor;
import dev.fanfare.Health;
import dev.fanfare.Publication;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Tells watchers, on this node and others. */
final class JdbcBus implements Bus, BusReader.Listener {

    /*
     * A logged publication is told to this node's watchers at once, whole; other nodes get a hint that its channel
     * has moved, and read the log. Everything else goes through the bus table, also to this node's watchers, so that
     * all nodes hear it in one order.
     *
     * Each watch of a pattern has a turnstile of its own, and every announcement is compared with all patterns.
     *
     * Threads: thread-safe. A channel's turnstile is made and dropped inside ConcurrentHashMap's compute.
     */

    private final long sender;
    private final BusWriter writer;
    private final BusReader reader;
    private final ConcurrentHashMap<ChannelId, Turnstile> watched = new ConcurrentHashMap<>();

    private final ConcurrentHashMap<Turnstile, ChannelPattern> patterns = new ConcurrentHashMap<>();

    private volatile Consumer<String> control = text -> {};

    JdbcBus(Database database, long sender, Timer timer) {
        this.sender = sender;
        this.reader = new BusReader(database, this);
        this.writer = new BusWriter(database, sender, timer, reader);
    }

    /** Sets who hears what nodes tell each other; before anybody joins. */
    void onControl(Consumer<String> handler) {
        this.control = handler;
    }

    @Override
    public CompletionStage<Watch> watch(ChannelId channel, Watcher watcher) {
        Turnstile.Seat seat = new Turnstile.Seat(requireNonNull(watcher, "watcher"));
        watched.compute(requireNonNull(channel, "channel"), (id, turnstile) -> {
            Turnstile present = turnstile == null ? new Turnstile() : turnstile;
            present.add(seat);
            return present;
        });
        return begun(new Hearing(
                seat,
                () -> watched.computeIfPresent(channel, (id, turnstile) -> {
                    turnstile.remove(seat);
                    return turnstile.isEmpty() ? null : turnstile;
                })));
    }

    private final class Hearing implements Watch {
        private final Turnstile.Seat seat;
        private final Runnable end;

        Hearing(Turnstile.Seat seat, Runnable end) {
            this.seat = seat;
            this.end = end;
        }

        @Override
        public boolean isEffective() {
            return reader.trouble() == null;
        }

        @Override
        public void close() {
            if (seat.close()) {
                end.run();
            }
        }
    }

    private CompletionStage<Watch> begun(Watch watch) {
        return reader.startOrFail().handle((started, failure) -> {
            if (failure != null) {
                watch.close();
                throw failure instanceof CompletionException wrapped ? wrapped : new CompletionException(failure);
            }
            return watch;
        });
    }

    @Override
    public CompletionStage<Watch> watchMatching(ChannelPattern pattern, Watcher watcher) {
        Turnstile.Seat seat = new Turnstile.Seat(requireNonNull(watcher, "watcher"));
        Turnstile turnstile = new Turnstile();
        turnstile.add(seat);
        patterns.put(turnstile, requireNonNull(pattern, "pattern"));
        return begun(new Hearing(seat, () -> patterns.remove(turnstile)));
    }

    @Override
    public CompletionStage<Void> announce(Announcement announcement) {
        if (announcement instanceof Announcement.Published published
                && published.publication().isLogged()) {
            Publication publication = published.publication();
            tell(announcement);
            writer.hint(published.channel(), publication.cursor());
            return CompletableFuture.completedStage(null);
        }
        return writer.send(BusMessage.of(sender, announcement));
    }

    /** Tells everybody that a channel has moved, other than by a publish of this node. */
    void moved(ChannelId channel, Cursor head) {
        tell(new Announcement.Moved(channel, head));
        writer.hint(channel, head);
    }

    /** Sends a text to all nodes, this one included. */
    CompletionStage<Void> sendControl(String text) {
        return writer.send(new BusMessage(
                sender,
                BusMessage.Kind.CONTROL,
                "",
                new Wire.Writer().text(text).bytes()));
    }

    /** Begins to hear what others send; completes when everything sent later will be heard. */
    CompletionStage<Void> start() {
        return reader.start();
    }

    @Override
    public void heard(BusMessage message) {
        switch (message.kind()) {
            case HINTS -> {
                if (message.sender() != sender) {
                    message.hints().forEach((channel, head) -> tell(new Announcement.Moved(channel, head)));
                }
            }
            case CONTROL -> control.accept(new Wire.Reader(message.body()).text());
            default -> {
                if (isWatched(ChannelId.of(message.channel()))) {
                    tell(message.announcement());
                }
            }
        }
    }

    private boolean isWatched(ChannelId channel) {
        return watched.containsKey(channel) || patterns.values().stream().anyMatch(pattern -> pattern.matches(channel));
    }

    private void tell(Announcement announcement) {
        Turnstile turnstile = watched.get(announcement.channel());
        if (turnstile != null) {
            turnstile.announce(announcement);
        }
        patterns.forEach((matching, pattern) -> {
            if (pattern.matches(announcement.channel())) {
                matching.announce(announcement);
            }
        });
    }

    @Override
    public void interrupted() {
        watched.values().forEach(Turnstile::interrupt);
        patterns.keySet().forEach(Turnstile::interrupt);
    }

    @Override
    public Health health() {
        String trouble = reader.trouble();
        return trouble == null ? Health.up() : Health.down("jdbc: other nodes cannot be heard, as it " + trouble);
    }

    void close() {
        reader.close();
    }
}
