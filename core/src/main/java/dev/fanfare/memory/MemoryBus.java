package dev.fanfare.memory;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelPattern;
import dev.fanfare.StoreException;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Hands announcements to the watchers of this JVM. */
final class MemoryBus implements Bus {

    /*
     * State: one Topic per watched channel; a channel that nobody watches has none, and announcing there
     * costs a look-up. One Topic per watch of a pattern, all of which each announcement is compared with.
     *
     * Threads: thread-safe. Watchers are called on the announcing threads, through the topic's turnstile,
     * and after many in a row on the worker, under no lock. The list of a topic's watchers is copied on each change, inside ConcurrentHashMap's
     * compute, which runs none but our code.
     *
     * Ordering: per channel, that of Topic.enter. The log enters under its channel's lock and drains after
     * it has let go.
     *
     * Bounds: as Turnstile says. The log refuses appends (Full) before a turnstile overflows; an announce()
     * that finds it full is dropped, its stage fails, and the watchers hear interrupted().
     */

    private final ConcurrentHashMap<ChannelId, Topic> topics = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Topic, ChannelPattern> patterns = new ConcurrentHashMap<>();
    private final Executor worker;

    MemoryBus(Executor worker) {
        this.worker = worker;
    }

    /** Returns who is to hear what is announced in the channel, or null if nobody watches. */
    @Nullable
    Audience audience(ChannelId channel) {
        Topic topic = topics.get(channel);
        if (patterns.isEmpty()) {
            return topic;
        }
        List<Topic> all = new ArrayList<>();
        if (topic != null) {
            all.add(topic);
        }
        patterns.forEach((matching, pattern) -> {
            if (pattern.matches(channel)) {
                all.add(matching);
            }
        });
        return all.isEmpty() ? null : new Crowd(all);
    }

    @Override
    public CompletionStage<Watch> watch(ChannelId channel, Watcher watcher) {
        Registration registration = new Registration(requireNonNull(watcher, "watcher"));
        topics.compute(
                requireNonNull(channel, "channel"),
                (id, topic) -> (topic == null ? new Topic(worker) : topic).with(registration));
        return CompletableFuture.completedStage(() -> {
            if (!registration.closed) {
                registration.closed = true;
                topics.computeIfPresent(channel, (id, topic) -> topic.without(registration));
            }
        });
    }

    @Override
    public CompletionStage<Watch> watchMatching(ChannelPattern pattern, Watcher watcher) {
        Registration registration = new Registration(requireNonNull(watcher, "watcher"));
        Topic topic = new Topic(worker).with(registration);
        patterns.put(topic, requireNonNull(pattern, "pattern"));
        return CompletableFuture.completedStage(() -> {
            registration.closed = true;
            patterns.remove(topic);
        });
    }

    @Override
    public CompletionStage<Void> announce(Announcement announcement) {
        Audience audience = audience(announcement.channel());
        if (audience == null) {
            return CompletableFuture.completedStage(null);
        }
        boolean entered = audience.enter(announcement);
        audience.drain();
        return entered
                ? CompletableFuture.completedStage(null)
                : CompletableFuture.failedStage(new StoreException(
                        "The watchers of channel " + announcement.channel() + " are too slow; announcement dropped",
                        null,
                        true));
    }

    private static int bytesOf(Announcement announcement) {
        return announcement instanceof Announcement.Published published
                ? published.publication().data().size()
                : 0;
    }

    /** Who hears what is announced in a channel. */
    sealed interface Audience {
        boolean isFull();

        /** Queues an announcement; false if it had to be dropped, of which the watchers will hear. */
        @CanIgnoreReturnValue
        boolean enter(Announcement announcement);

        /** Queues an announcement in any case; {@link #isFull} was asked before. */
        void add(Announcement announcement);

        /** Hands on what was queued. */
        void drain();
    }

    private record Crowd(List<Topic> topics) implements Audience {
        @Override
        public boolean isFull() {
            return topics.stream().anyMatch(Topic::isFull);
        }

        @Override
        @CanIgnoreReturnValue
        public boolean enter(Announcement announcement) {
            boolean entered = true;
            for (Topic topic : topics) {
                entered &= topic.enter(announcement);
            }
            return entered;
        }

        @Override
        public void add(Announcement announcement) {
            topics.forEach(topic -> topic.add(announcement));
        }

        @Override
        public void drain() {
            topics.forEach(Topic::drain);
        }
    }

    /** The watchers of one channel, or one of a pattern. */
    private static final class Topic implements Audience {
        private final Turnstile<Announcement> turnstile;

        /** Copied on write; changed inside the map's compute only. */
        private volatile Registration[] registrations = {};

        private volatile boolean overflowed;

        private Topic(Executor worker) {
            this.turnstile = new Turnstile<>(MemoryBus::bytesOf, this::tell, worker);
        }

        @Override
        public boolean isFull() {
            return turnstile.isFull();
        }

        @Override
        @CanIgnoreReturnValue
        public boolean enter(Announcement announcement) {
            boolean entered = turnstile.enter(announcement);
            if (!entered) {
                overflowed = true;
            }
            return entered;
        }

        @Override
        public void add(Announcement announcement) {
            turnstile.add(announcement);
        }

        @Override
        public void drain() {
            turnstile.drain();
        }

        private void tell(Announcement announcement) {
            boolean interrupted = overflowed;
            if (interrupted) {
                overflowed = false;
            }
            for (Registration registration : registrations) {
                registration.tell(announcement, interrupted);
            }
        }

        private Topic with(Registration added) {
            Registration[] more = Arrays.copyOf(registrations, registrations.length + 1);
            more[more.length - 1] = added;
            registrations = more;
            return this;
        }

        private @Nullable Topic without(Registration removed) {
            registrations = Arrays.stream(registrations)
                    .filter(registration -> registration != removed)
                    .toArray(Registration[]::new);
            return registrations.length == 0 ? null : this;
        }
    }

    private static final class Registration {
        private final Watcher watcher;
        private volatile boolean closed;

        Registration(Watcher watcher) {
            this.watcher = watcher;
        }

        void tell(Announcement announcement, boolean interrupted) {
            if (closed) {
                return;
            }
            watcher.announced(announcement);
            if (interrupted) {
                watcher.interrupted();
            }
        }
    }
}
