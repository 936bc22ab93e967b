package dev.fanfare;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a channel.
 *
 * <p>In a channel that retains publications, each has the next {@link #offset} of its epoch, a random
 * {@link #tag}, and the tag of the one before it. In a channel that retains nothing, offset and tags
 * are 0 and the epoch is empty.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class Publication {

    private final String epoch;
    private final long offset;
    private final long tag;
    private final long previousTag;
    private final long timeMillis;
    private final Payload data;
    private final @Nullable String eventType;
    private final @Nullable String key;
    private final Map<String, String> headers;
    private final @Nullable Publisher publisher;

    private Publication(Builder builder) {
        this.epoch = builder.epoch;
        this.offset = builder.offset;
        this.tag = builder.tag;
        this.previousTag = builder.previousTag;
        this.timeMillis = builder.timeMillis;
        this.data = builder.data;
        this.eventType = builder.eventType;
        this.key = builder.key;
        this.headers = builder.headers;
        this.publisher = builder.publisher;
    }

    /** Starts a publication of that data; stores use it, and tests. */
    public static Builder builder(Payload data) {
        return new Builder(data);
    }

    /** Returns the name of the log's life, {@code ""} in a channel that retains nothing. */
    public String epoch() {
        return epoch;
    }

    /** Returns 1, 2, 3 … within the epoch; 0 in a channel that retains nothing. */
    public long offset() {
        return offset;
    }

    /** Returns this publication's random tag, never 0 where there is an offset. */
    public long tag() {
        return tag;
    }

    /** Returns the tag of the publication before this one; 0 for the first. */
    public long previousTag() {
        return previousTag;
    }

    /** Tells whether this publication directly follows that position in the same history. */
    public boolean follows(Cursor position) {
        return offset == position.offset() + 1 && previousTag == position.tag() && epoch.equals(position.epoch());
    }

    /** Tells whether the publication has a place in a log. */
    public boolean isLogged() {
        return offset > 0;
    }

    /** Returns the position that a subscriber has after this publication. */
    public Cursor cursor() {
        return new Cursor(epoch, offset, tag);
    }

    /** Returns the bytes as the publisher gave them. */
    public Payload data() {
        return data;
    }

    /** Returns when the store accepted it, by the clock of the store or node. */
    public Instant time() {
        return Instant.ofEpochMilli(timeMillis);
    }

    /** Returns {@link #time} in milliseconds since 1970. */
    public long timeMillis() {
        return timeMillis;
    }

    /** Returns the event type (SSE {@code event:}), if the publisher gave one. */
    public @Nullable String eventType() {
        return eventType;
    }

    /** Returns the conflation key: of two publications with one key the newer replaces the older. */
    public @Nullable String key() {
        return key;
    }

    /** Returns the publisher's headers, unmodifiable, perhaps empty. */
    public Map<String, String> headers() {
        return headers;
    }

    /** Returns the client that published it; null when the host itself did. */
    public @Nullable Publisher publisher() {
        return publisher;
    }

    /** Tells place and size, never the content. */
    @Override
    public String toString() {
        return "Publication[" + epoch + '/' + offset + ", " + data.size() + " bytes]";
    }

    /**
     * Builds a {@link Publication}.
     *
     * <p><b>Threading:</b> not thread-safe.
     */
    public static final class Builder {
        private final Payload data;
        private String epoch = "";
        private long offset;
        private long tag;
        private long previousTag;
        private long timeMillis;
        private @Nullable String eventType;
        private @Nullable String key;
        private Map<String, String> headers = Map.of();
        private @Nullable Publisher publisher;

        private Builder(Payload data) {
            this.data = requireNonNull(data, "data");
        }

        /** Gives it its place in a log. */
        @CanIgnoreReturnValue
        public Builder position(String epoch, long offset, long tag, long previousTag) {
            this.epoch = requireNonNull(epoch, "epoch");
            this.offset = offset;
            this.tag = tag;
            this.previousTag = previousTag;
            return this;
        }

        /** Sets the time, in milliseconds since 1970. */
        @CanIgnoreReturnValue
        public Builder timeMillis(long millis) {
            this.timeMillis = millis;
            return this;
        }

        /** Sets the event type. */
        @CanIgnoreReturnValue
        public Builder eventType(@Nullable String type) {
            this.eventType = type;
            return this;
        }

        /** Sets the conflation key. */
        @CanIgnoreReturnValue
        public Builder key(@Nullable String key) {
            this.key = key;
            return this;
        }

        /** Sets the headers; copied. */
        @CanIgnoreReturnValue
        public Builder headers(Map<String, String> headers) {
            this.headers = Map.copyOf(headers);
            return this;
        }

        /** Sets the publishing client. */
        @CanIgnoreReturnValue
        public Builder publisher(@Nullable Publisher publisher) {
            this.publisher = publisher;
            return this;
        }

        /** Returns the publication. */
        public Publication build() {
            return new Publication(this);
        }
    }
}
