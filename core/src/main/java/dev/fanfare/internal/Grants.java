package dev.fanfare.internal;

import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Expiry;
import dev.fanfare.Refusal;
import dev.fanfare.SubscriptionAuthenticator;
import dev.fanfare.SubscriptionAuthenticator.Answer;
import dev.fanfare.SubscriptionAuthenticator.Granted;
import dev.fanfare.SubscriptionAuthenticator.Rejected;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.Connection.ProlongResult;
import dev.fanfare.spi.Outlet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What tokens grant one connection: subscriptions, each for its time.
 *
 * <p><i>Ordering.</i> An answer counts for the very reader that it was asked for; a later subscription to the
 * same channel is another one.
 *
 * <p><i>Threads.</i> Confined to the loop of the connection.
 */
final class Grants {

    private final Engine engine;
    private final ConnectionInfo info;
    private final Outlet outlet;
    private final LoopQueue queue;
    private final ClientPermissions permissions;

    Grants(Engine engine, ClientConnection connection, ClientPermissions permissions) {
        this.engine = engine;
        this.info = connection.info();
        this.outlet = connection.outlet();
        this.queue = connection.queue;
        this.permissions = permissions;
    }

    /** Tells whether that token decides, and not the authorizer. */
    boolean decides(String token) {
        return !token.isEmpty() && engine.settings.subscriptionAuthenticator() != null;
    }

    /** Goes on if the token grants the subscription, else refuses it. */
    void enter(Reader reader, String token, Runnable then) {
        if (!permissions.begin()) {
            reader.refuse(Refusal.TOO_MANY_REQUESTS);
            return;
        }
        ask(reader, token, answer -> {
            permissions.end();
            if (reader.isEnded()) {
                return;
            }
            Refusal refusal = refusal(answer);
            if (refusal == null) {
                expire(reader, expiry(answer));
                then.run();
            } else {
                disconnectIfAnothers(answer);
                reader.refuse(refusal);
            }
        });
    }

    /**
     * Prolongs the subscription if the token grants that.
     *
     * @param reader null if the connection is not subscribed
     */
    void prolong(@Nullable Reader reader, String token, Consumer<ProlongResult> result) {
        if (reader == null) {
            result.accept(new ProlongResult.Refused(Refusal.NOT_ALLOWED));
        } else if (!decides(token) || reader.expiry() == null) {
            result.accept(new ProlongResult.Refused(Refusal.NOT_AVAILABLE));
        } else {
            ask(reader, token, answer -> result.accept(prolonged(reader, answer)));
        }
    }

    private ProlongResult prolonged(Reader reader, @Nullable Answer answer) {
        if (reader.isEnded()) {
            return new ProlongResult.Refused(Refusal.NOT_ALLOWED);
        }
        Refusal refusal = refusal(answer);
        if (refusal == null) {
            Expiry expiry = expiry(answer);
            expire(reader, expiry);
            return new ProlongResult.Prolonged(expiry);
        }
        disconnectIfAnothers(answer);
        return new ProlongResult.Refused(refusal == Refusal.TOKEN_EXPIRED ? Refusal.EXPIRED : refusal);
    }

    /** Sets when the subscription ends. */
    void expire(Reader reader, @Nullable Expiry expiry) {
        Deadline deadline = reader.deadline;
        if (deadline == null && expiry != null) {
            deadline = new Deadline(queue, engine.threads.time(), () -> end(reader));
            reader.deadline = deadline;
        }
        if (deadline != null) {
            deadline.set(expiry);
        }
    }

    private void end(Reader reader) {
        if (!reader.isStarted()) {
            reader.refuse(Refusal.EXPIRED);
        } else if (reader.end(UnsubscribeReason.EXPIRED)) {
            outlet.ended(reader.channel, UnsubscribeReason.EXPIRED);
            outlet.flush();
        }
    }

    private void ask(Reader reader, String token, Consumer<@Nullable Answer> answer) {
        engine.permissions.judge(
                new SubscriptionAuthenticator.Credentials(info, reader.channel, token),
                () -> !reader.isEnded(),
                judged -> queue.add(() -> answer.accept(judged)));
    }

    private @Nullable Refusal refusal(@Nullable Answer answer) {
        if (answer == null) {
            return Refusal.UNAVAILABLE;
        } else if (answer instanceof Rejected rejected) {
            return rejected == Rejected.EXPIRED_TOKEN ? Refusal.TOKEN_EXPIRED : Refusal.NOT_ALLOWED;
        }
        Expiry expiry = expiry(answer);
        boolean isOver = expiry != null && !expiry.isAhead(engine.threads.time().millis());
        return isOver ? Refusal.EXPIRED : null;
    }

    private static @Nullable Expiry expiry(@Nullable Answer answer) {
        return answer instanceof Granted granted ? granted.expiry() : null;
    }

    /** Who shows what was made for somebody else is not told more than that. */
    private void disconnectIfAnothers(@Nullable Answer answer) {
        if (answer == Rejected.NOT_FOR_YOU) {
            outlet.disconnect(DisconnectReason.INVALID_TOKEN);
        }
    }
}
