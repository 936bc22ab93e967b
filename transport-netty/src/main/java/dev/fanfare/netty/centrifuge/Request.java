package dev.fanfare.netty.centrifuge;

import dev.fanfare.Payload;
import dev.fanfare.StartAt;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.DeltaEncoder;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks; its words never tell a token. There are more kinds than an {@code instanceof} chain can bear, so each leads to
 * its method of a {@link Visitor}.
 *
 * <p><b>Threading:</b> immutable.
 */
sealed interface Request {

    /** Calls the method for this kind. */
    void accept(long id, Visitor visitor);

    /** Tells whether the reply may be large, so that only few such are to be under way at a time. */
    default boolean isHeavy() {
        return false;
    }

    /** Takes each kind of request. */
    interface Visitor {
        void connect(long id, Connect request);

        void subscribe(long id, Subscribe request);

        void unsubscribe(long id, Unsubscribe request);

        void publish(long id, Publish request);

        void presence(long id, Presence request);

        void presenceStats(long id, PresenceStats request);

        void history(long id, History request);

        void rpc(long id, Rpc request);

        void send(Send request);

        void refresh(long id, Refresh request);

        void subRefresh(long id, SubRefresh request);

        void pong();
    }

    /**
     * Introduces the client; the first command of every connection.
     *
     * @param subs positions in the channels to which the server subscribes the client
     */
    record Connect(String token, @Nullable Payload data, Map<String, Subscribe> subs) implements Request {
        @Override
        public void accept(long id, Visitor visitor) {
            visitor.connect(id, this);
        }

        @Override
        public String toString() {
            return "Connect[subs=" + subs + "]";
        }
    }

    /**
     * Subscribes.
     *
     * @param token what the client shows for this channel, {@code ""} for nothing
     * @param recoverFrom what the client has; null if it does not want what it missed
     * @param delta the delta format asked for, {@code ""} for none
     * @param filter which publications it wants; null for all
     * @param flag bits: 2 asks for an error instead of a subscription that could not recover
     * @param type 0 for a stream, others for kinds that we do not have
     */
    record Subscribe(
            String channel,
            String token,
            @Nullable Position recoverFrom,
            boolean wantsPresence,
            String delta,
            @Nullable TagsFilter filter,
            long flag,
            int type)
            implements Request {

        private static final long REJECT_UNRECOVERED = 2;

        private StartAt start() {
            return recoverFrom == null ? StartAt.live() : StartAt.after(recoverFrom.cursor());
        }

        /**
         * Puts it in the core's words.
         *
         * @param isPermitted whether the host itself wants the client to have the channel, and all of it
         * @param deltas what encodes differences, if the client wants them
         */
        SubscribeRequest inWordsOfTheCore(boolean isPermitted, DeltaEncoder deltas) {
            return new SubscribeRequest(
                    start(),
                    wantsPresence,
                    isPermitted,
                    token,
                    !isPermitted && (flag & REJECT_UNRECOVERED) != 0,
                    isPermitted ? null : filter,
                    wantsDeltas() ? deltas : null);
        }

        @Override
        public boolean isHeavy() {
            return recoverFrom != null;
        }

        /** Tells whether the delta format is one of the protocol. */
        boolean hasKnownDelta() {
            return delta.isEmpty() || wantsDeltas();
        }

        private boolean wantsDeltas() {
            return delta.equals("fossil");
        }

        @Override
        public void accept(long id, Visitor visitor) {
            visitor.subscribe(id, this);
        }

        @Override
        public String toString() {
            return "Subscribe[channel=" + channel + ", recoverFrom=" + recoverFrom + "]";
        }
    }

    /** Ends a subscription. */
    record Unsubscribe(String channel) implements Request {
        @Override
        public void accept(long id, Visitor visitor) {
            visitor.unsubscribe(id, this);
        }
    }

    /**
     * Publishes.
     *
     * @param type 0 for a stream, others for kinds that we do not have
     * @param key {@code ""} for none
     * @param isRemoval whether the key is to be removed, in a kind that we do not have
     */
    record Publish(String channel, Payload data, int type, String key, boolean isRemoval) implements Request {
        @Override
        public void accept(long id, Visitor visitor) {
            visitor.publish(id, this);
        }
    }

    /** Asks who is there. */
    record Presence(String channel) implements Request {
        @Override
        public boolean isHeavy() {
            return true;
        }

        @Override
        public void accept(long id, Visitor visitor) {
            visitor.presence(id, this);
        }
    }

    /** Asks how many are there. */
    record PresenceStats(String channel) implements Request {
        @Override
        public void accept(long id, Visitor visitor) {
            visitor.presenceStats(id, this);
        }
    }

    /**
     * Reads history.
     *
     * @param limit negative for as many as allowed, 0 for only the position
     * @param since the exclusive start; null for the oldest, or the newest if reversed
     */
    record History(String channel, int limit, @Nullable Position since, boolean isReverse) implements Request {
        @Override
        public boolean isHeavy() {
            return true;
        }

        @Override
        public void accept(long id, Visitor visitor) {
            visitor.history(id, this);
        }
    }

    /** Calls the host. */
    record Rpc(String method, Payload data) implements Request {
        @Override
        public void accept(long id, Visitor visitor) {
            visitor.rpc(id, this);
        }
    }

    /** Sends the host a message that is not answered. */
    record Send(Payload data) implements Request {
        @Override
        public void accept(long id, Visitor visitor) {
            visitor.send(this);
        }
    }

    /** Prolongs the connection by a new token. */
    record Refresh(String token) implements Request {
        @Override
        public void accept(long id, Visitor visitor) {
            visitor.refresh(id, this);
        }

        @Override
        public String toString() {
            return "Refresh[]";
        }
    }

    /** Prolongs a subscription by a new token. */
    record SubRefresh(String channel, String token) implements Request {
        @Override
        public void accept(long id, Visitor visitor) {
            visitor.subRefresh(id, this);
        }

        @Override
        public String toString() {
            return "SubRefresh[channel=" + channel + "]";
        }
    }

    /** Answers a ping. */
    enum Pong implements Request {
        /** The one value. */
        PONG;

        @Override
        public void accept(long id, Visitor visitor) {
            visitor.pong();
        }
    }
}
