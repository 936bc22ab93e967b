package dev.fanfare;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Decides what clients may do; implemented by the host. It is not asked about what the host itself
 * does through {@link Fanfare}.
 *
 * <p>It gets a user's name, an action and a channel, and nothing of the connection or its token. Roles come in by what
 * the host knows of the user, in a store of its own that it asks here; or beside the authorizer, which is then not asked who
 * may subscribe: by a token for the channel ({@link SubscriptionAuthenticator}), or by the channels that the {@link
 * Authenticator} gives a client at once ({@link Authenticator.Accepted#withChannels}).
 *
 * <p>Without one, every client is refused everything. It fails closed: after an exception, a null answer or
 * none within 10 seconds nobody may. That is told apart from a no: clients get {@link Refusal#UNAVAILABLE} and try again
 * later, while {@link Refusal#NOT_ALLOWED} is an end.
 *
 * <p>A subscribe of a client of the Centrifuge protocol has 3 seconds for everything that is asked on its behalf, one after
 * the other: this (once for each action that it needs), presence and the log. After that the client is told to try again, so
 * an authorizer that needs longer every time never lets it in.
 *
 * <p><b>Threading:</b> called on the host executor, concurrently; it may block there, and may call
 * back into Fanfare.
 */
@FunctionalInterface
public interface Authorizer {

    /**
     * Says whether the user may.
     *
     * @param user the authenticated user, {@code ""} for an anonymous one
     * @param action what the client wants
     * @param channel of which channel
     */
    boolean allows(String user, Action action, ChannelId channel);

    /** Says so later; override it where the answer needs another service. */
    default CompletionStage<Boolean> allowsLater(String user, Action action, ChannelId channel) {
        return CompletableFuture.completedFuture(allows(user, action, channel));
    }

    /** Allows everybody everything: for demonstrations and closed networks. */
    static Authorizer allowAll() {
        return AllowAll.EVERYTHING;
    }

    /** What {@link #allowAll} returns: known, so that nobody needs to be asked. */
    enum AllowAll implements Authorizer {
        /** The one value. */
        EVERYTHING;

        @Override
        public boolean allows(String user, Action action, ChannelId channel) {
            return true;
        }
    }
}
