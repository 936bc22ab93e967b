package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.Action;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.SubscriptionAuthenticator;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks the host's authorizer, and takes anything but a clear yes for a no. Thread-safe.
 */
final class Permissions {

    private final @Nullable Authorizer authorizer;
    private final @Nullable SubscriptionAuthenticator tokens;
    private final Calls calls;
    private final EventLog log;

    Permissions(Settings settings, Calls calls, EventLog log) {
        this.authorizer = settings.authorizer();
        this.tokens = settings.subscriptionAuthenticator();
        this.calls = calls;
        this.log = log;
    }

    /** Returns the answer if it is the same for everybody, else null. */
    @Nullable
    Boolean known() {
        if (authorizer == null) {
            return false;
        }
        return authorizer == Authorizer.allowAll() ? true : null;
    }

    /** Has a token judged that there is somebody to judge; the answer comes on any thread, null if there is none. */
    void judge(
            SubscriptionAuthenticator.Credentials credentials,
            Consumer<SubscriptionAuthenticator.@Nullable Answer> answer) {
        SubscriptionAuthenticator asked = requireNonNull(tokens);
        calls.host(() -> asked.authenticate(credentials)).whenComplete((judged, failure) -> {
            if (failure != null) {
                log.hostFailed("subscription authenticator", failure);
            }
            answer.accept(failure == null ? judged : null);
        });
    }

    /** Asks; the answer comes on any thread. */
    void ask(String user, Action action, ChannelId channel, Consumer<Boolean> answer) {
        Authorizer asked = requireNonNull(authorizer);
        calls.host(() -> asked.allowsLater(user, action, channel)).whenComplete((allowed, failure) -> {
            if (failure != null) {
                log.hostFailed("authorizer", failure);
            }
            answer.accept(failure == null && allowed);
        });
    }
}
