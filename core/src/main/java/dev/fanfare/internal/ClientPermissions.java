package dev.fanfare.internal;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Action;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Refusal;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks for one client whether it may do something, and notes what it is refused.
 *
 * <p><i>Bounds.</i> At most {@link #MAX_ASKED} questions are under way, or twice as many as it may have channels, and beyond
 * that the answer is "later": a subscribe that the client takes back is over at once, and its question is not.
 *
 * <p><i>Threads.</i> Confined to the loop of the connection, where the answers come too. An answer that is known
 * without asking comes at once.
 */
final class ClientPermissions {

    private static final int MAX_ASKED = 256;

    private final Engine engine;
    private final ConnectionInfo info;
    private final LoopQueue queue;
    private final int maxAsked;
    private int asked;

    ClientPermissions(Engine engine, ConnectionInfo info, LoopQueue queue) {
        this.engine = engine;
        this.info = info;
        this.queue = queue;
        this.maxAsked = Math.max(MAX_ASKED, 2 * engine.settings.maxChannelsPerConnection());
    }

    /** Asks the authorizer for a subscription, unless that is over when the host comes to it; the answer is null for yes. */
    void ask(Action action, Reader reader, Consumer<@Nullable Refusal> answer) {
        ask(action, reader.channel, () -> !reader.isEnded(), answer);
    }

    private void ask(Action action, ChannelId channel, BooleanSupplier isAwaited, Consumer<@Nullable Refusal> answer) {
        if (engine.permissions.allowsAll()) {
            answer.accept(null);
        } else if (engine.permissions.refusesAll()) {
            answer.accept(Refusal.NOT_ALLOWED);
        } else if (!begin()) {
            answer.accept(Refusal.TOO_MANY_REQUESTS);
        } else {
            engine.permissions.ask(
                    info.user(),
                    action,
                    channel,
                    isAwaited,
                    refusal -> queue.add(() -> {
                        end();
                        answer.accept(refusal);
                    }));
        }
    }

    /** Takes a place for a question to the host; false if none is free. */
    boolean begin() {
        if (asked >= maxAsked) {
            return false;
        }
        asked++;
        return true;
    }

    /** Gives the place back: there is an answer. */
    void end() {
        asked--;
    }

    /** Goes on, with the rules of the channel, if it exists and the authorizer agrees. */
    void ifAllowed(Action action, ChannelId channel, Consumer<Refusal> refuse, Consumer<ChannelRules> proceed) {
        ChannelRules rules = engine.rules(channel);
        if (rules == null) {
            refuse.accept(noted(channel, Refusal.UNKNOWN_NAMESPACE));
            return;
        }
        ask(action, channel, () -> true, refusal -> {
            if (refusal == null) {
                proceed.accept(rules);
            } else {
                refuse.accept(noted(channel, refusal));
            }
        });
    }

    /** Tells the listener of a refusal, and returns it. */
    @CanIgnoreReturnValue
    Refusal noted(@Nullable ChannelId channel, Refusal reason) {
        engine.listener().onRefuse(info, channel, reason);
        return reason;
    }
}
