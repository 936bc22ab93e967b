package dev.fanfare.netty.sse;

import dev.fanfare.Authenticator;
import dev.fanfare.ChannelId;
import dev.fanfare.ClosedException;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Expiry;
import dev.fanfare.Payload;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.StartAt;
import dev.fanfare.netty.api.ApiError;
import dev.fanfare.netty.connection.Admission;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.RequestRefused;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.spi.Gateway;
import dev.fanfare.spi.LogLine;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The time between a request for a stream and its first byte: who is it, and may it have all that it
 * asks for. Only when every channel said yes does the stream begin; otherwise the answer is an error.
 *
 * <p><b>Threading:</b> confined to the connection's event loop.
 */
final class SseOpening implements Admission.Outcome {

    private static final LogLine FAILED =
            LogLine.error(SseOpening.class, "An event stream could not be opened; this is a bug in Fanfare");
    private static final String TRANSPORT = "sse";

    private final TransportContext context;
    private final Exchange exchange;
    private final SseRequest request;
    private final Map<Integer, Beginning> beginnings = new TreeMap<>();
    private @Nullable Admission admission;
    private @Nullable SseOutlet outlet;
    private @Nullable Payload greeting;
    private int expected;
    private boolean isOver;

    SseOpening(TransportContext context, Exchange exchange, SseRequest request) {
        this.context = context;
        this.exchange = exchange;
        this.request = request;
    }

    void begin() {
        exchange.whenAbandoned(() -> end(DisconnectReason.BY_CLIENT));
        Authenticator.Credentials credentials = new Authenticator.Credentials(
                request.token(),
                null,
                exchange.firstHeaders(),
                exchange.firstParameters(),
                exchange.remoteAddress(),
                TRANSPORT);
        admission = Admission.ask(context, exchange.loop(), credentials, this);
    }

    // ---- who is it

    @Override
    public void failed() {
        fail(503, ApiError.of(Refusal.UNAVAILABLE), DisconnectReason.INTERNAL_ERROR);
    }

    @Override
    public void crowdedOut() {
        fail(503, ApiError.of(Refusal.TOO_MANY_REQUESTS), DisconnectReason.TOO_MANY_REQUESTS);
    }

    @Override
    public void answered(Authenticator.Answer answer) {
        if (isOver) {
            return;
        }
        if (answer instanceof Authenticator.Accepted accepted) {
            Expiry expiry = accepted.expiry();
            if (expiry != null && !expiry.isAhead(context.gateway().time().millis())) {
                fail(401, 110, "expired", DisconnectReason.EXPIRED);
                return;
            }
            try {
                open(accepted);
            } catch (RequestRefused refused) {
                fail(refused.status(), refused.code(), refused.text(), DisconnectReason.BAD_REQUEST);
            } catch (ClosedException closed) {
                fail(503, 100, "shutdown", DisconnectReason.SHUTDOWN);
            } catch (RefusedException limited) {
                int status =
                        limited.reason() == Refusal.LIMIT_EXCEEDED ? 429 : 503; // the user has too many, or the node
                fail(status, ApiError.of(limited.reason()), DisconnectReason.CONNECTION_LIMIT);
            } catch (RuntimeException broken) {
                FAILED.logTrace(broken);
                fail(500, 100, "internal server error", DisconnectReason.INTERNAL_ERROR);
            }
        } else if (answer instanceof Authenticator.Rejected rejected) {
            reject(rejected);
        }
    }

    private void reject(Authenticator.Rejected rejected) {
        switch (rejected) {
            case INVALID_TOKEN -> fail(401, 101, "unauthorized: invalid token", DisconnectReason.INVALID_TOKEN);
            case EXPIRED_TOKEN -> fail(401, 109, "token expired", DisconnectReason.EXPIRED);
            case UNAUTHORIZED -> fail(401, 101, "unauthorized", DisconnectReason.PERMISSION_DENIED);
            case DENIED -> fail(403, 103, "permission denied", DisconnectReason.PERMISSION_DENIED);
        }
    }

    // ---- may it

    private void open(Authenticator.Accepted accepted) {
        List<ChannelId> channels = request.channelsWith(accepted.channels());
        Map<ChannelId, Cursor> cursors = request.cursors(channels);
        greeting = accepted.data();
        expected = channels.size();
        Connection connection = connect(accepted, request.encoder(channels.size()));
        Set<ChannelId> permitted = new HashSet<>(accepted.channels());
        for (int i = 0; i < channels.size() && !isOver; i++) {
            subscribe(connection, i, channels.get(i), cursors.get(channels.get(i)), permitted);
        }
    }

    private Connection connect(Authenticator.Accepted accepted, SseEncoder encoder) {
        Gateway gateway = context.gateway();
        SseOutlet writer = new SseOutlet(
                exchange.context().channel(),
                this,
                encoder,
                context.heartbeats(exchange.loop()),
                context.settings().pingInterval(),
                context.turn(exchange.loop()));
        outlet = writer;
        ConnectionInfo info = new ConnectionInfo(
                gateway.newConnectionId(),
                accepted.user(),
                TRANSPORT,
                Instant.ofEpochMilli(gateway.time().millis()),
                accepted.info());
        Connection connection = gateway.open(info, writer);
        writer.opened(connection);
        connection.expires(accepted.expiry());
        return connection;
    }

    private void subscribe(
            Connection connection, int index, ChannelId channel, @Nullable Cursor cursor, Set<ChannelId> permitted) {
        StartAt start = cursor != null ? StartAt.after(cursor) : request.startWithoutCursor();
        connection.subscribe(
                channel,
                new SubscribeRequest(start, request.wantsPresence(), permitted.contains(channel)),
                result -> subscribed(index, channel, cursor, result));
    }

    private void subscribed(int index, ChannelId channel, @Nullable Cursor cursor, SubscribeResult result) {
        if (isOver) {
            return;
        }
        if (result instanceof SubscribeResult.Refused refused) {
            fail(
                    status(refused.reason()),
                    ApiError.of(refused.reason()).about(channel.value()),
                    disconnectReason(refused.reason()));
        } else if (result instanceof SubscribeResult.Subscribed subscribed) {
            beginnings.put(index, new Beginning(channel, cursor, subscribed));
            startIfComplete();
        }
    }

    private void startIfComplete() {
        if (beginnings.size() == expected && outlet != null) {
            isOver = true;
            outlet.start(exchange, List.copyOf(beginnings.values()), greeting);
        }
    }

    private static DisconnectReason disconnectReason(Refusal reason) {
        return switch (reason) {
            case NOT_ALLOWED -> DisconnectReason.PERMISSION_DENIED;
            case TOO_MANY_REQUESTS -> DisconnectReason.TOO_MANY_REQUESTS;
            case CLOSED, UNAVAILABLE -> DisconnectReason.INTERNAL_ERROR;
            default -> DisconnectReason.BAD_REQUEST;
        };
    }

    private static int status(Refusal reason) {
        return switch (reason) {
            case TOKEN_EXPIRED, EXPIRED -> 401;
            case NOT_ALLOWED -> 403;
            case UNKNOWN_NAMESPACE, NOT_AVAILABLE -> 404;
            case TOO_MANY_REQUESTS -> 429;
            case CLOSED, UNAVAILABLE -> 503;
            case BAD_REQUEST, UNRECOVERABLE, ALREADY_SUBSCRIBED, LIMIT_EXCEEDED, TOO_LARGE, DEDUP_CONFLICT -> 400;
        };
    }

    // ---- no

    /** Learns that the core closed the connection before the stream began; it knows, and need not be told. */
    void disconnected(DisconnectReason reason) {
        if (!isOver) {
            isOver = true;
            beginnings.clear();
            new ApiError(reason.code(), reason.text(), reason.isReconnect(), null)
                    .answer(exchange, reason.isReconnect() ? 503 : 403);
        }
    }

    private void fail(int status, int code, String message, DisconnectReason reason) {
        fail(status, new ApiError(code, message, status == 503, null), reason);
    }

    private void fail(int status, ApiError error, DisconnectReason reason) {
        if (!isOver) {
            end(reason);
            error.answer(exchange, status);
        }
    }

    private void end(DisconnectReason reason) {
        isOver = true;
        beginnings.clear();
        if (admission != null) {
            admission.giveUp();
        }
        if (outlet != null) {
            outlet.gone(reason);
        }
    }
}
