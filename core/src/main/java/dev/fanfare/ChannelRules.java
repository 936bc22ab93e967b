package dev.fanfare;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The rules that the channels of one namespace share: retention, presence, delivery class, limits.
 *
 * <p>Without any setting a namespace retains nothing, has no presence, delivers RELIABLE (which
 * without retention means: live only) and takes messages up to 64 KiB.
 *
 * <p><b>Threading:</b> immutable; the builder is not thread-safe.
 */
public final class ChannelRules {

    /** How long a log's head (epoch, top offset, tag) outlives its publications, unless set. */
    public static final Duration DEFAULT_HEAD_TTL = Duration.ofDays(30);

    private final int retainedCount;
    private final Duration retainedFor;
    private final Duration headTtl;
    private final Durability durability;
    private final Duration dedupWindow;
    private final boolean presence;
    private final boolean announcedToAll;
    private final boolean countedByConnection;
    private final Duration presenceGrace;
    private final DeliveryClass delivery;
    private final int maxMessageBytes;
    private final int recoveryLimit;
    private final boolean binary;
    private final boolean deltas;
    private final boolean filters;
    private final boolean latestOnly;

    private ChannelRules(Builder builder) {
        this.retainedCount = builder.retainedCount;
        this.retainedFor = builder.retainedFor;
        this.headTtl = builder.headTtl;
        this.durability = builder.durability;
        this.dedupWindow = builder.dedupWindow;
        this.presence = builder.presence;
        this.announcedToAll = builder.announcedToAll;
        this.countedByConnection = builder.countedByConnection;
        this.presenceGrace = builder.presenceGrace == null ? Duration.ofSeconds(10) : builder.presenceGrace;
        this.delivery = builder.delivery;
        this.maxMessageBytes = builder.maxMessageBytes;
        this.recoveryLimit = builder.recoveryLimit == null ? 300 : builder.recoveryLimit;
        this.binary = builder.binary;
        this.deltas = builder.deltas;
        this.filters = builder.filters;
        this.latestOnly = builder.latestOnly;
    }

    /** Starts from the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Tells whether publications are kept, and so have offsets and can be resumed. */
    public boolean isRetained() {
        return retainedCount > 0;
    }

    /** Returns how many publications a channel keeps; 0 for none. */
    public int retainedCount() {
        return retainedCount;
    }

    /** Returns how long a publication is kept. */
    public Duration retainedFor() {
        return retainedFor;
    }

    /** Returns how long the head of a channel outlives its last publication. */
    public Duration headTtl() {
        return headTtl;
    }

    /** Returns what the store waits for before it accepts. */
    public Durability durability() {
        return durability;
    }

    /** Returns how long a dedup key is remembered. */
    public Duration dedupWindow() {
        return dedupWindow;
    }

    /** Tells whether the channels have presence, and so joins and leaves. */
    public boolean hasPresence() {
        return presence;
    }

    /** Tells whether every subscriber gets joins and leaves, whether it asked for them or not. */
    public boolean announcesToAll() {
        return announcedToAll;
    }

    /** Tells whether each connection joins and leaves by itself, rather than each user. */
    public boolean countsConnections() {
        return countedByConnection;
    }

    /** Returns how long a user may be without a connection before a leave is announced. */
    public Duration presenceGrace() {
        return presenceGrace;
    }

    /** Returns the delivery class. */
    public DeliveryClass delivery() {
        return delivery;
    }

    /** Returns the largest payload, in bytes. */
    public int maxMessageBytes() {
        return maxMessageBytes;
    }

    /** Returns how many missed publications one resume may bring before it is TOO_FAR. */
    public int recoveryLimit() {
        return recoveryLimit;
    }

    /** Tells whether clients may publish payloads that are not JSON. */
    public boolean allowsBinary() {
        return binary;
    }

    /** Tells whether clients may get only the difference to the publication before. */
    public boolean allowsDeltas() {
        return deltas;
    }

    /** Tells whether clients may ask for some publications only, by their headers. */
    public boolean allowsFilters() {
        return filters;
    }

    /** Tells whether a resume brings the newest publication instead of all that was missed. */
    public boolean resumesWithLatest() {
        return latestOnly;
    }

    /**
     * Builds {@link ChannelRules}; each setter checks its argument at once.
     *
     * <p><b>Threading:</b> not thread-safe.
     */
    public static final class Builder {
        private int retainedCount;
        private Duration retainedFor = Duration.ZERO;
        private Duration headTtl = DEFAULT_HEAD_TTL;
        private Durability durability = Durability.SYNC;
        private Duration dedupWindow = Duration.ofMinutes(5);
        private boolean presence;
        private boolean announcedToAll;
        private boolean countedByConnection;
        private @Nullable Duration presenceGrace;
        private DeliveryClass delivery = DeliveryClass.reliable();
        private int maxMessageBytes = 64 * 1024;
        private @Nullable Integer recoveryLimit;
        private boolean binary;
        private boolean deltas;
        private boolean filters;
        private boolean latestOnly;

        private Builder() {}

        /**
         * Keeps the newest publications of each channel, so that subscribers can resume.
         *
         * @param count how many, 1 to 10,000,000
         * @param age how long, more than zero and at most {@link #headTtl}
         */
        @CanIgnoreReturnValue
        public Builder retain(int count, Duration age) {
            if (count < 1 || count > 10_000_000) {
                throw new IllegalArgumentException("count must be in [1, 10000000]: " + count);
            }
            this.retainedCount = count;
            this.retainedFor = positive(age, "age");
            return this;
        }

        /** Sets how long a channel's head outlives its last publication; default 30 days. */
        @CanIgnoreReturnValue
        public Builder headTtl(Duration ttl) {
            this.headTtl = positive(ttl, "ttl");
            return this;
        }

        /** Sets what the store waits for before it accepts, where it has the choice; default SYNC. */
        @CanIgnoreReturnValue
        public Builder durability(Durability durability) {
            this.durability = requireNonNull(durability, "durability");
            return this;
        }

        /** Sets how long a dedup key is remembered; default 5 minutes. */
        @CanIgnoreReturnValue
        public Builder dedupWindow(Duration window) {
            this.dedupWindow = positive(window, "window");
            return this;
        }

        /** Keeps track of who is there, with joins and leaves. */
        @CanIgnoreReturnValue
        public Builder presence() {
            this.presence = true;
            return this;
        }

        /** Keeps track of who is there, and sends joins and leaves to every subscriber, also to those who do not ask. */
        @CanIgnoreReturnValue
        public Builder presenceForAll() {
            this.announcedToAll = true;
            return presence();
        }

        /**
         * Keeps track of connections rather than users: each joins and leaves by itself, and counts as a user of
         * its own. For clients that expect an event per device.
         */
        @CanIgnoreReturnValue
        public Builder presencePerConnection() {
            this.countedByConnection = true;
            return presence();
        }

        /**
         * Sets how long a user may be gone before a leave is announced, so that a reload or a resume
         * makes no noise; default 10 seconds. An explicit unsubscribe does not wait.
         */
        @CanIgnoreReturnValue
        public Builder presenceGrace(Duration grace) {
            requireNonNull(grace, "grace");
            if (grace.isNegative()) {
                throw new IllegalArgumentException("grace must not be negative: " + grace);
            }
            this.presenceGrace = grace;
            return this;
        }

        /** Sets what happens to a subscriber that lags; default RELIABLE. */
        @CanIgnoreReturnValue
        public Builder delivery(DeliveryClass delivery) {
            this.delivery = requireNonNull(delivery, "delivery");
            return this;
        }

        /**
         * Sets the largest payload, 1 byte to 16 MiB; default 64 KiB. What a client sends is a whole message with the
         * payload in it, and must also be within what the transport takes: {@code NettyTransport.Builder.maxMessageBytes},
         * 64 KiB too, beyond which the client is disconnected.
         */
        @CanIgnoreReturnValue
        public Builder maxMessageBytes(int bytes) {
            if (bytes < 1 || bytes > 16 * 1024 * 1024) {
                throw new IllegalArgumentException("bytes must be in [1, 16777216]: " + bytes);
            }
            this.maxMessageBytes = bytes;
            return this;
        }

        /** Sets how many missed publications one resume may bring, 1 to 100,000; default 300. */
        @CanIgnoreReturnValue
        public Builder recoveryLimit(int count) {
            if (count < 1 || count > 100_000) {
                throw new IllegalArgumentException("count must be in [1, 100000]: " + count);
            }
            this.recoveryLimit = count;
            return this;
        }

        /**
         * Lets clients publish payloads that are not JSON. A subscriber whose wire format cannot carry one,
         * such as a JSON WebSocket, is disconnected when it comes; without this rule, a client's payload
         * that is not JSON is refused instead. What the host itself publishes is not looked at.
         */
        @CanIgnoreReturnValue
        public Builder binary() {
            this.binary = true;
            return this;
        }

        /**
         * Lets clients ask for the difference to the publication before, where that is smaller than the
         * publication. It saves bytes and costs time, once per publication and wire format: for channels
         * whose publications resemble each other.
         */
        @CanIgnoreReturnValue
        public Builder deltas() {
            this.deltas = true;
            return this;
        }

        /**
         * Lets clients ask for some publications only, by their headers. Each publication is then looked at
         * once per subscriber with a filter.
         */
        @CanIgnoreReturnValue
        public Builder filters() {
            this.filters = true;
            return this;
        }

        /**
         * Makes a channel worth its newest publication alone: whoever resumes gets that one, if it does not
         * have it, however much it missed ({@link Resume.Latest}). It needs {@link #retain}. What happens
         * to a subscriber that lags while it is there is the {@link #delivery} class's business.
         */
        @CanIgnoreReturnValue
        public Builder resumeWithLatest() {
            this.latestOnly = true;
            return this;
        }

        /**
         * Returns the rules.
         *
         * @throws IllegalArgumentException if publications would outlive their channel's head, or a resume is to
         *     bring the newest of none
         */
        public ChannelRules build() {
            if (latestOnly && retainedCount == 0) {
                throw new IllegalArgumentException("resumeWithLatest() needs retain(…): nothing is kept");
            }
            if (recoveryLimit != null && retainedCount == 0) {
                throw new IllegalArgumentException("recoveryLimit(…) needs retain(…): there is nothing to recover");
            }
            if (presenceGrace != null && !presence) {
                throw new IllegalArgumentException("presenceGrace(…) needs presence(): nobody leaves");
            }
            if (retainedFor.compareTo(headTtl) > 0) {
                throw new IllegalArgumentException("Publications are kept for " + retainedFor
                        + " but the head only for " + headTtl + "; the head must live longer");
            }
            return new ChannelRules(this);
        }

        private static Duration positive(Duration duration, String name) {
            requireNonNull(duration, name);
            if (duration.isZero() || duration.isNegative()) {
                throw new IllegalArgumentException(name + " must be more than zero: " + duration);
            }
            return duration;
        }
    }
}
