package dev.fanfare.internal;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Action;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Expiry;
import dev.fanfare.HostCode;
import dev.fanfare.Refusal;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.presence.Member;
import dev.fanfare.spi.Connection.ProlongResult;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.spi.Outlet;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The subscriptions of one client, from the question whether it may to the leave that others see.
 *
 * <p><i>State.</i> A reader per channel, those that are still beginning included.
 *
 * <p><i>Threads.</i> Confined to the loop of the connection.
 *
 * <p><i>Bounds.</i> As many as the builder says.
 */
final class ClientSubscriptions {

    private final Engine engine;
    private final ClientConnection connection;
    private final ConnectionInfo info;
    private final Outlet outlet;
    private final LoopQueue queue;
    private final Member member;
    private final ClientPermissions permissions;
    private final Grants grants;
    private final Map<ChannelId, Reader> readers = new HashMap<>(4);

    ClientSubscriptions(Engine engine, ClientConnection connection, ClientPermissions permissions) {
        this.engine = engine;
        this.connection = connection;
        this.info = connection.info();
        this.outlet = connection.outlet();
        this.queue = connection.queue;
        this.member = new Member(info.user(), info.id(), info.info());
        this.permissions = permissions;
        this.grants = new Grants(engine, connection, permissions);
    }

    // ---- beginning

    /** Begins one; answers once. */
    void begin(ChannelId channel, SubscribeRequest request, Allowance allowance, Consumer<SubscribeResult> answer) {
        ChannelRules rules = engine.rules(channel);
        if (rules == null) {
            answer.accept(new SubscribeResult.Refused(permissions.noted(channel, Refusal.UNKNOWN_NAMESPACE)));
            return;
        }
        Refusal refusal = refusal(channel, rules, request, allowance);
        if (refusal != null) {
            answer.accept(new SubscribeResult.Refused(permissions.noted(channel, refusal)));
            return;
        }
        Replay replay = new Replay(request, result -> {
            if (result instanceof SubscribeResult.Refused refused && refused.reason() != Refusal.CLOSED) {
                permissions.noted(channel, refused.reason());
            }
            answer.accept(result);
        });
        Reader reader = new Reader(connection, channel, rules, request, replay);
        readers.put(channel, reader);
        enterIfAllowed(reader, request);
    }

    private @Nullable Refusal refusal(
            ChannelId channel, ChannelRules rules, SubscribeRequest request, Allowance allowance) {
        if (readers.containsKey(channel)) {
            return Refusal.ALREADY_SUBSCRIBED;
        } else if (readers.size() >= engine.settings.maxChannelsPerConnection()) {
            return Refusal.LIMIT_EXCEEDED;
        } else if (request.filter() != null && !rules.allowsFilters()) {
            return Refusal.BAD_REQUEST;
        } else if (!request.isPermitted() && !allowance.maySubscribe()) {
            return Refusal.TOO_MANY_REQUESTS;
        }
        return null;
    }

    private void enterIfAllowed(Reader reader, SubscribeRequest request) {
        Runnable enter = () -> askForPresence(reader, () -> enter(reader));
        if (request.isPermitted()) {
            enter.run();
            return;
        }
        Runnable then = asksForHistory(request.start()) ? () -> ifAllowed(Action.HISTORY, reader, enter) : enter;
        if (grants.decides(request.token())) {
            grants.enter(reader, request.token(), then);
        } else {
            ifAllowed(Action.SUBSCRIBE, reader, then);
        }
    }

    /** Who shows no cursor of this channel, and yet wants what was before, needs the permission for history. */
    private static boolean asksForHistory(StartAt start) {
        return start instanceof StartAt.Latest
                || (start instanceof StartAt.After after && !after.cursor().hasEpoch());
    }

    private void ifAllowed(Action action, Reader reader, Runnable then) {
        permissions.ask(action, reader, refusal -> {
            if (reader.isEnded()) {
                return;
            }
            if (refusal == null) {
                then.run();
            } else {
                reader.refuse(refusal);
            }
        });
    }

    /** Who asks for joins and leaves needs the permission to see who is there, and without it gets the publications alone. */
    private void askForPresence(Reader reader, Runnable then) {
        if (!reader.asksForPresence()) {
            then.run();
            return;
        }
        permissions.ask(Action.PRESENCE, reader, refusal -> {
            if (reader.isEnded()) {
                return;
            }
            if (refusal == Refusal.UNAVAILABLE || refusal == Refusal.TOO_MANY_REQUESTS) {
                reader.refuse(refusal);
                return;
            }
            if (refusal != null) {
                permissions.noted(reader.channel, refusal);
                reader.spareJoinsAndLeaves();
            }
            then.run();
        });
    }

    /** Makes the user present, then lets the reader begin. */
    private void enter(Reader reader) {
        if (!reader.rules.hasPresence()) {
            engine.hub.join(reader);
            return;
        }
        engine.presences
                .enter(reader.channel, member, reader.rules)
                .whenComplete((joined, failure) -> queue.add(() -> {
                    if (reader.isEnded()) {
                        return;
                    }
                    if (failure != null) {
                        reader.refuse(Refusal.UNAVAILABLE);
                    } else {
                        reader.announcesJoin = joined;
                        engine.hub.join(reader);
                    }
                }));
    }

    /** Takes note that one is live. */
    void started(Reader reader, Resume resume) {
        engine.hub.subscriptions.increment();
        engine.listener().onSubscribe(info, reader.channel, resume);
        if (resume instanceof Resume.Reset reset) {
            engine.listener().onReset(reader.channel, reset.reason());
        }
        if (reader.announcesJoin) {
            queue.add(() -> engine.presences.announceJoin(reader.channel, member));
        }
    }

    // ---- while they last

    boolean has(ChannelId channel) {
        return readers.containsKey(channel);
    }

    /** Returns the channels of the live ones. */
    List<ChannelId> channels() {
        return readers.values().stream()
                .filter(Reader::isStarted)
                .map(reader -> reader.channel)
                .toList();
    }

    @Nullable
    Expiry expiry(ChannelId channel) {
        Reader reader = readers.get(channel);
        return reader == null ? null : reader.expiry();
    }

    void prolong(ChannelId channel, String token, Consumer<ProlongResult> answer) {
        grants.prolong(readers.get(channel), token, answer);
    }

    // ---- by order of the host

    /** Subscribes for the host, and tells the client; one that cannot be told is not subscribed. */
    void beginByHost(ChannelId channel, @Nullable Instant until) {
        Reader present = readers.get(channel);
        if (present != null) {
            if (until != null) {
                Expiry before = present.expiry();
                grants.expire(present, new Expiry(until, before != null && before.isByClient()));
            }
            return;
        }
        connection.subscribe(channel, new SubscribeRequest(StartAt.live(), false, true), result -> {
            if (!(result instanceof SubscribeResult.Subscribed subscribed)) {
                return;
            }
            if (outlet.subscribed(channel, subscribed)) {
                outlet.flush();
            } else {
                end(channel);
            }
        });
        Reader begun = readers.get(channel);
        if (begun != null && until != null) {
            grants.expire(begun, Expiry.prolongedByHost(until));
        }
    }

    /** Ends one for the host, and tells the client. */
    void endByHost(ChannelId channel, @Nullable HostCode code) {
        Reader reader = readers.get(channel);
        if (reader == null) {
            return;
        }
        boolean wasStarted = reader.isStarted(); // if not, the answer to the subscribe says it all
        if (reader.end(UnsubscribeReason.BY_HOST) && wasStarted) {
            if (code == null) {
                outlet.ended(channel, UnsubscribeReason.BY_HOST);
            } else {
                outlet.ended(channel, code);
            }
            outlet.flush();
        }
    }

    // ---- the end

    /** Ends one; false if there is none. */
    @CanIgnoreReturnValue
    boolean end(ChannelId channel) {
        Reader reader = readers.get(channel);
        return reader != null && reader.end(UnsubscribeReason.BY_SUBSCRIBER);
    }

    /** Ends all, with the connection. */
    void endAll() {
        for (Reader reader : List.copyOf(readers.values())) {
            reader.end(UnsubscribeReason.CONNECTION_CLOSED);
        }
    }

    /** Takes note that one is over. */
    void removed(Reader reader, UnsubscribeReason reason, boolean wasStarted) {
        readers.remove(reader.channel, reader);
        grants.expire(reader, null);
        if (wasStarted) {
            engine.hub.subscriptions.decrement();
            engine.listener().onUnsubscribe(info, reader.channel, reason);
        }
        boolean isExplicit = reason == UnsubscribeReason.BY_SUBSCRIBER
                || reason == UnsubscribeReason.BY_HOST
                || reason == UnsubscribeReason.NOT_STARTED;
        leave(reader, isExplicit ? Duration.ZERO : reader.rules.presenceGrace());
    }

    private void leave(Reader reader, Duration grace) {
        if (reader.rules.hasPresence()) {
            engine.presences.leave(reader.channel, member, grace);
        }
    }
}
