package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import dev.fanfare.Action;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks the host's authorizer, and takes anything but a clear yes for a no. Thread-safe.
 */
final class Permissions {

    private final @Nullable Authorizer authorizer;
    private final Calls calls;
    private final EventLog log;

    Permissions(@Nullable Authorizer authorizer, Calls calls, EventLog log) {
        this.authorizer = authorizer;
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
