package dev.fanfare;

import static java.util.Objects.requireNonNull;

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
     * @param user who it is, {@code ""} for anonymous
     * @param info shown to others in presence and as publisher; null for nothing
     * @param data given to the client itself in the connect reply; null for nothing
     * @param channels to which the server subscribes the client at once
     */
    record Accepted(
            String user, @Nullable Payload info, @Nullable Payload data, List<ChannelId> channels) implements Answer {

        /** Copies the list. */
        public Accepted {
            requireNonNull(user, "user");
            channels = List.copyOf(channels);
        }

        /** Accepts a client as that user, nothing more. */
        public static Accepted user(String user) {
            return new Accepted(user, null, null, List.of());
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
