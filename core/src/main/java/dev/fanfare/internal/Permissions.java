package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.Action;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.Refusal;
import dev.fanfare.SubscriptionAuthenticator;
import dev.fanfare.SubscriptionAuthenticator.Answer;
import dev.fanfare.SubscriptionAuthenticator.Rejected;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks the host's authorizer, and takes nothing but a clear yes for one. What nobody waits for any more when it is its
 * turn is not put to the host, which has others to answer, and counts as a no. Thread-safe.
 */
final class Permissions {

    private static final CompletionStage<Boolean> NO = CompletableFuture.completedFuture(false);
    private static final CompletionStage<Answer> NO_TOKEN = CompletableFuture.completedFuture(Rejected.INVALID_TOKEN);

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

    /** Tells whether there is nobody to ask, so that nobody may do anything. */
    boolean refusesAll() {
        return authorizer == null;
    }

    /** Tells whether everybody may do everything, so that nobody needs to be asked. */
    boolean allowsAll() {
        return authorizer == Authorizer.allowAll();
    }

    /** Has a token judged that there is somebody to judge; the answer comes on any thread, null if there is none. */
    void judge(
            SubscriptionAuthenticator.Credentials credentials,
            BooleanSupplier isAwaited,
            Consumer<@Nullable Answer> answer) {
        SubscriptionAuthenticator asked = requireNonNull(tokens);
        calls.host(() -> isAwaited.getAsBoolean() ? asked.authenticate(credentials) : NO_TOKEN)
                .whenComplete((judged, failure) -> {
                    if (failure != null) {
                        log.hostFailed("subscription authenticator", failure);
                    }
                    answer.accept(failure == null ? judged : null);
                });
    }

    /** Asks; the answer, null for yes, comes on any thread. An authorizer that could not say is no reason to stay away for good. */
    void ask(
            String user,
            Action action,
            ChannelId channel,
            BooleanSupplier isAwaited,
            Consumer<@Nullable Refusal> answer) {
        Authorizer asked = requireNonNull(authorizer);
        calls.host(() -> isAwaited.getAsBoolean() ? asked.allowsLater(user, action, channel) : NO)
                .whenComplete((allowed, failure) -> {
                    if (failure != null) {
                        log.hostFailed("authorizer", failure);
                        answer.accept(Refusal.UNAVAILABLE);
                    } else {
                        answer.accept(allowed ? null : Refusal.NOT_ALLOWED);
                    }
                });
    }
}
