package dev.fanfare;

import com.google.errorprone.annotations.CheckReturnValue;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Judges the tokens that clients show for one channel; implemented by the host, or by a library that
 * verifies signed tokens.
 *
 * <p>A good token is the permission: the {@link Authorizer} is not asked for {@link Action#SUBSCRIBE} any
 * more, but still for {@link Action#HISTORY}. A subscribe without a token goes to the {@link Authorizer}
 * alone, and so do all while there is no subscription authenticator. It fails closed: an exception, a null
 * answer or an answer later than 10 seconds is a refusal that the client may try again. A subscribe of a client of the
 * Centrifuge protocol has 3 seconds for everything that is asked on its behalf: this, the {@link Authorizer}, presence and
 * the log.
 *
 * <p><b>Threading:</b> called on the host executor, concurrently; it may block there, and may call back
 * into Fanfare.
 */
@FunctionalInterface
public interface SubscriptionAuthenticator {

    /** Judges one token, of a subscribe or of a subscription that is to be prolonged. */
    CompletionStage<Answer> authenticate(Credentials credentials);

    /**
     * What a client showed.
     *
     * @param connection who shows it
     * @param channel for which channel
     * @param token the token; never {@code ""}
     */
    record Credentials(ConnectionInfo connection, ChannelId channel, String token) {
        /** Tells connection and channel; never the token. */
        @Override
        public String toString() {
            return "Credentials[" + connection + " for " + channel + "]";
        }
    }

    /** The answer. */
    sealed interface Answer {}

    /**
     * The client may have the subscription.
     *
     * <p><b>Threading:</b> immutable.
     */
    @CheckReturnValue
    final class Granted implements Answer {

        private static final Granted FOREVER = new Granted(null);

        private final @Nullable Expiry expiry;

        private Granted(@Nullable Expiry expiry) {
            this.expiry = expiry;
        }

        /** Grants it for as long as the connection lasts. */
        public static Granted forever() {
            return FOREVER;
        }

        /** Grants it until then. */
        public static Granted until(Expiry expiry) {
            return new Granted(expiry);
        }

        /** Returns when the permission ends; null for with the connection. */
        public @Nullable Expiry expiry() {
            return expiry;
        }
    }

    /** The client may not. */
    enum Rejected implements Answer {
        /** The token is no token of ours. */
        INVALID_TOKEN,
        /** The token was good once; the client should fetch a new one. */
        EXPIRED_TOKEN,
        /** The token is one of ours, but for another user or channel: the client is disconnected. */
        NOT_FOR_YOU
    }
}
