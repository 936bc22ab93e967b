package dev.fanfare;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CheckReturnValue;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Finds out who a client is; implemented by the host and given to a transport.
 *
 * <p>It fails closed: an exception, a null answer or an answer later than the transport's time-out is
 * a refusal.
 *
 * <p><b>Threading:</b> called on the host executor, concurrently; it may block there, and may call
 * back into Fanfare.
 */
@FunctionalInterface
public interface Authenticator {

    /** Answers for one connection. */
    CompletionStage<Answer> authenticate(Credentials credentials);

    /**
     * Answers for a client that is connected and shows a new token, before its {@link Expiry}. What counts of
     * the answer is its user, who must still be the same, and its expiry. By default it is the same question
     * as for a new connection; the credentials then have no headers and no parameters.
     */
    default CompletionStage<Answer> refresh(ConnectionInfo connection, Credentials credentials) {
        return authenticate(credentials);
    }

    /** Lets everybody in as the anonymous user: for demonstrations and closed networks. */
    static Authenticator anonymous() {
        return credentials -> CompletableFuture.completedFuture(Accepted.user(""));
    }

    /**
     * What a client showed.
     *
     * @param token the token it sent, {@code ""} for none
     * @param data what else it sent while connecting; null for nothing
     * @param headers the HTTP request's headers, names in lower case, the first value of each
     * @param query the HTTP request's parameters, the first value of each
     * @param remoteAddress the peer's address
     * @param transport how it connects, such as {@code websocket/json}
     */
    record Credentials(
            String token,
            @Nullable Payload data,
            Map<String, String> headers,
            Map<String, String> query,
            String remoteAddress,
            String transport) {

        /** Copies the maps. */
        public Credentials {
            headers = Map.copyOf(headers);
            query = Map.copyOf(query);
        }

        /** Tells the transport and address; never the token. */
        @Override
        public String toString() {
            return "Credentials[" + transport + " from " + remoteAddress + "]";
        }
    }

    /** The answer. */
    sealed interface Answer {}

    /**
     * The client may connect.
     *
     * <p><b>Threading:</b> immutable.
     */
    @CheckReturnValue
    final class Accepted implements Answer {

        private final String user;
        private final @Nullable Payload info;
        private final @Nullable Payload data;
        private final List<ChannelId> channels;
        private final @Nullable Expiry expiry;

        private Accepted(
                String user,
                @Nullable Payload info,
                @Nullable Payload data,
                List<ChannelId> channels,
                @Nullable Expiry expiry) {
            this.user = user;
            this.info = info;
            this.data = data;
            this.channels = channels;
            this.expiry = expiry;
        }

        /**
         * Accepts a client as that user, nothing more.
         *
         * @param user who it is, {@code ""} for anonymous
         */
        public static Accepted user(String user) {
            return new Accepted(requireNonNull(user, "user"), null, null, List.of(), null);
        }

        /**
         * Shows this to others, in presence and as publisher; null for nothing. Clients that read JSON are shown it only
         * if it is JSON.
         */
        public Accepted withInfo(@Nullable Payload info) {
            return new Accepted(user, info, data, channels, expiry);
        }

        /**
         * Gives this to the client itself, in the connect reply; null for nothing. A client that reads JSON is closed with
         * {@link DisconnectReason#INAPPROPRIATE_PROTOCOL} if it is not JSON.
         */
        public Accepted withData(@Nullable Payload data) {
            return new Accepted(user, info, data, channels, expiry);
        }

        /** Subscribes the client to these channels at once. */
        public Accepted withChannels(List<ChannelId> channels) {
            return new Accepted(user, info, data, List.copyOf(channels), expiry);
        }

        /** Ends the connection then, unless it is prolonged before; null for never. */
        public Accepted withExpiry(@Nullable Expiry expiry) {
            return new Accepted(user, info, data, channels, expiry);
        }

        /** Returns who it is, {@code ""} for anonymous. */
        public String user() {
            return user;
        }

        /** Returns what others are shown; null for nothing. */
        public @Nullable Payload info() {
            return info;
        }

        /** Returns what the client itself is given; null for nothing. */
        public @Nullable Payload data() {
            return data;
        }

        /** Returns the channels to which the server subscribes the client at once; unmodifiable. */
        public List<ChannelId> channels() {
            return channels;
        }

        /** Returns when the permission to be connected ends; null for never. */
        public @Nullable Expiry expiry() {
            return expiry;
        }
    }

    /** The client may not connect. */
    enum Rejected implements Answer {
        /** The token is no token of ours; the client should not try again. */
        INVALID_TOKEN,
        /** The token was good once; the client should fetch a new one. */
        EXPIRED_TOKEN,
        /** The client has no token where one is needed. */
        UNAUTHORIZED,
        /** The client is known and unwanted. */
        DENIED
    }
}
