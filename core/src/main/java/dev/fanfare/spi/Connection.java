package dev.fanfare.spi;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Expiry;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.Resume;
import dev.fanfare.RpcHandler;
import dev.fanfare.StartAt;
import dev.fanfare.presence.PresenceSnapshot;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What one client may do, with permissions and limits checked. Answers come as callbacks on the
 * connection's loop, each exactly once, also when the connection closes meanwhile.
 *
 * <p><b>Threading:</b> confined to the outlet's loop.
 */
public interface Connection {

    /** Returns who this is. */
    ConnectionInfo info();

    /**
     * Subscribes. The answer is given at the instant at which the subscription goes live: nothing of
     * the channel is written before it, and everything after its position follows.
     */
    void subscribe(ChannelId channel, SubscribeRequest request, Consumer<SubscribeResult> answer);

    /** Ends a subscription, also one that is still beginning; tells whether there was one. */
    @CanIgnoreReturnValue
    boolean unsubscribe(ChannelId channel);

    /**
     * Sets when the connection ends: it is closed {@link Expiry#GRACE} after that with {@link
     * DisconnectReason#EXPIRED}, unless this is called again before.
     *
     * @param expiry null for never
     */
    void expires(@Nullable Expiry expiry);

    /** Returns when the connection ends; null for never. */
    @Nullable
    Expiry expiry();

    /** Returns when the subscription to the channel ends; null for with the connection, or if there is none. */
    @Nullable
    Expiry expiry(ChannelId channel);

    /**
     * Prolongs a subscription by a new token. If another subscription to the channel has taken the place of
     * the one that was meant, it is left as it is.
     */
    void prolong(ChannelId channel, String token, Consumer<ProlongResult> answer);

    /** Tells whether there is a subscription to the channel, live or beginning. */
    boolean isSubscribed(ChannelId channel);

    /** Returns the rules of the channel's namespace; null if it is unknown. */
    @Nullable
    ChannelRules rules(ChannelId channel);

    /** Publishes for the client. */
    void publish(ChannelId channel, Payload data, PublishOptions options, Consumer<PublishResult> answer);

    /**
     * Reads history for the client.
     *
     * @param enoughBytes once there are so many bytes of payloads, no more is read: the answer may have a few more
     */
    void history(ChannelId channel, HistoryQuery query, int enoughBytes, Consumer<HistoryResult> answer);

    /** Looks who is there for the client. */
    void presence(ChannelId channel, int limit, Consumer<PresenceResult> answer);

    /** Calls the host's {@link RpcHandler}. */
    void rpc(String method, Payload data, Consumer<RpcResult> answer);

    /** Hands a message to the host; false if it has no handler. */
    boolean message(Payload data);

    /** Learns that the outlet is writable again. */
    void writable();

    /** Learns that the connection is gone: everything it held is given back. May be called twice. */
    void closed(DisconnectReason reason);

    /**
     * How to subscribe.
     *
     * @param start where to begin
     * @param wantsPresence whether joins and leaves are wanted
     * @param isPermitted whether the host itself decided this, so that the authorizer is not asked
     * @param token what the client shows for this channel, {@code ""} for nothing
     * @param mustResume whether to refuse, as {@link Refusal#UNRECOVERABLE}, instead of beginning with a reset
     * @param filter which publications are wanted; null for all. The others count as seen. It is asked on the
     *     connection's loop, must be quick, and if it throws, the publication is not wanted
     * @param deltas writes this subscription instead of the outlet's encoder, if the channel's rules allow that
     *     and there is no filter; null if only whole publications are wanted
     */
    record SubscribeRequest(
            StartAt start,
            boolean wantsPresence,
            boolean isPermitted,
            String token,
            boolean mustResume,
            @Nullable Predicate<Publication> filter,
            @Nullable DeltaEncoder deltas) {

        /** Wants all publications, whole, and begins in any case. */
        public SubscribeRequest(StartAt start, boolean wantsPresence, boolean isPermitted) {
            this(start, wantsPresence, isPermitted, "", false, null, null);
        }

        /** Leaves the token out. */
        @Override
        public String toString() {
            return "SubscribeRequest[start=" + start + ", wantsPresence=" + wantsPresence + ", isPermitted="
                    + isPermitted + ", mustResume=" + mustResume + ", filter=" + filter + ", deltas=" + deltas + "]";
        }
    }

    /** How a subscribe ended. */
    sealed interface SubscribeResult {
        /**
         * The subscription is live.
         *
         * @param resume how it begins
         * @param missed what the client gets first, oldest first; unmodifiable
         * @param position the position after those
         * @param isRetained whether the channel has offsets, so that the client can resume later
         * @param hasDeltas whether the request's encoder for differences is used
         */
        record Subscribed(
                Resume resume, List<Publication> missed, Cursor position, boolean isRetained, boolean hasDeltas)
                implements SubscribeResult {

            /** Gets whole publications. */
            public Subscribed(Resume resume, List<Publication> missed, Cursor position, boolean isRetained) {
                this(resume, missed, position, isRetained, false);
            }
        }

        /**
         * There is no subscription.
         *
         * @param reason why
         */
        record Refused(Refusal reason) implements SubscribeResult {}
    }

    /** How prolonging a subscription ended. */
    sealed interface ProlongResult {
        /**
         * The subscription goes on.
         *
         * @param expiry until when; null for as long as the connection
         */
        record Prolonged(@Nullable Expiry expiry) implements ProlongResult {}

        /**
         * It is not prolonged, and ends when it was to end.
         *
         * @param reason why
         */
        record Refused(Refusal reason) implements ProlongResult {}
    }

    /** The answer to a presence look-up. */
    sealed interface PresenceResult {
        /**
         * Who is there.
         *
         * @param snapshot the members
         */
        record Present(PresenceSnapshot snapshot) implements PresenceResult {}

        /**
         * Nobody tells.
         *
         * @param reason why
         */
        record Refused(Refusal reason) implements PresenceResult {}
    }

    /** The answer to a call. */
    sealed interface RpcResult {
        /**
         * The handler answered.
         *
         * @param reply what it said
         */
        record Answered(RpcHandler.Reply reply) implements RpcResult {}

        /**
         * No handler, or it failed.
         *
         * @param reason which
         */
        record Refused(Refusal reason) implements RpcResult {}
    }
}
