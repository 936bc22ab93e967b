package dev.fanfare.netty.centrifuge;

import dev.fanfare.Authenticator;
import dev.fanfare.ChannelId;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Expiry;
import dev.fanfare.Refusal;
import dev.fanfare.netty.connection.Admission;
import dev.fanfare.netty.connection.ErrorCode;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Connection.ProlongResult;
import io.netty.channel.EventLoop;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Prolongs a connection and its subscriptions by the new tokens that the client shows.
 *
 * <p><b>Threading:</b> confined to the connection's event loop.
 */
final class Refreshing {

    private final TransportContext context;
    private final EventLoop loop;
    private final Connection connection;
    private final ClientOutlet outlet;
    private final Answers answers;
    private final String remoteAddress;

    Refreshing(
            TransportContext context,
            EventLoop loop,
            Connection connection,
            ClientOutlet outlet,
            Answers answers,
            String remoteAddress) {
        this.context = context;
        this.loop = loop;
        this.connection = connection;
        this.outlet = outlet;
        this.answers = answers;
        this.remoteAddress = remoteAddress;
    }

    // ---- the connection

    /** Prolongs the connection. */
    void connection(long id, String token) {
        Expiry expiry = connection.expiry();
        if (expiry == null) {
            outlet.refuse(id, connection.info(), Refusal.NOT_AVAILABLE);
        } else if (token.isEmpty() || !expiry.isByClient()) {
            outlet.disconnect(DisconnectReason.BAD_REQUEST);
        } else {
            Authenticator.Credentials credentials = new Authenticator.Credentials(
                    token,
                    null,
                    Map.of(),
                    Map.of(),
                    remoteAddress,
                    connection.info().transport());
            Consumer<Authenticator.@Nullable Answer> judged = answers.expect(answer -> judged(id, answer));
            Admission.askAgain(context, loop, connection.info(), credentials, new Admission.Outcome() {
                @Override
                public void answered(Authenticator.Answer answer) {
                    judged.accept(answer);
                }

                @Override
                public void failed() {
                    judged.accept(null);
                }
            });
        }
    }

    private void judged(long id, Authenticator.@Nullable Answer answer) {
        if (answer instanceof Authenticator.Accepted accepted) {
            accepted(id, accepted);
        } else if (answer instanceof Authenticator.Rejected rejected) {
            switch (rejected) {
                case EXPIRED_TOKEN -> outlet.disconnect(DisconnectReason.EXPIRED);
                case INVALID_TOKEN -> outlet.disconnect(DisconnectReason.INVALID_TOKEN);
                case DENIED -> outlet.disconnect(DisconnectReason.PERMISSION_DENIED);
                case UNAUTHORIZED -> outlet.error(id, ErrorCode.UNAUTHORIZED);
            }
        } else {
            outlet.error(id, ErrorCode.INTERNAL);
        }
    }

    private void accepted(long id, Authenticator.Accepted accepted) {
        Expiry expiry = accepted.expiry();
        if (!accepted.user().equals(connection.info().user())) {
            outlet.disconnect(DisconnectReason.INVALID_TOKEN);
        } else if (isOver(context, expiry)) {
            outlet.refuse(id, connection.info(), Refusal.EXPIRED);
        } else {
            connection.expires(expiry);
            outlet.reply(outlet.messages().refreshed(id, connection.info().id(), ttl(context, expiry)));
        }
    }

    // ---- a subscription

    /** Prolongs the subscription to the channel. */
    void subscription(long id, ChannelId channel, String token) {
        Expiry expiry = connection.expiry(channel);
        if (expiry != null && !expiry.isByClient()) {
            outlet.disconnect(DisconnectReason.BAD_REQUEST);
        } else if (expiry != null && token.isEmpty()) {
            outlet.refuse(id, connection.info(), Refusal.BAD_REQUEST);
        } else {
            connection.prolong(channel, token, answers.expect(result -> prolonged(id, result)));
        }
    }

    private void prolonged(long id, ProlongResult result) {
        if (result instanceof ProlongResult.Refused refused) {
            outlet.error(id, ErrorCode.of(refused.reason()));
        } else if (result instanceof ProlongResult.Prolonged prolonged) {
            outlet.reply(outlet.messages().subRefreshed(id, ttl(context, prolonged.expiry())));
        }
    }

    // ---- times

    /** Returns how many seconds the client of the subscription to the channel has; 0 if it need not care. */
    int ttl(ChannelId channel) {
        return ttl(context, connection.expiry(channel));
    }

    /** Returns how many seconds a client has until it must have shown a new token; 0 if it need not. */
    static int ttl(TransportContext context, @Nullable Expiry expiry) {
        if (expiry == null || !expiry.isByClient()) {
            return 0;
        }
        long millis = expiry.left(context.gateway().time().millis()).toMillis();
        return (int) Math.max(1, (millis + 999) / 1000);
    }

    static boolean isOver(TransportContext context, @Nullable Expiry expiry) {
        return expiry != null && !expiry.isAhead(context.gateway().time().millis());
    }
}
