package dev.fanfare.netty.centrifuge;

import dev.fanfare.DisconnectReason;
import dev.fanfare.Rejection;
import dev.fanfare.netty.connection.Beat;
import dev.fanfare.netty.connection.ErrorCode;
import dev.fanfare.netty.connection.Heartbeats;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.LogLine;
import io.netty.channel.Channel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The conversation with one client: which commands are in order now, and in which order they are done.
 *
 * <p><i>State.</i> Awaiting the connect command; connecting; connected; unusable, after a connect that
 * failed, until the client closes; closed.
 *
 * <p><i>Ordering.</i> Commands are begun strictly in the order in which they came. They wait while the
 * client is connecting, while it does not read its replies, and while too many are unanswered. Only pongs
 * do not wait.
 *
 * <p><i>Bounds.</i> At most {@link #MAX_UNANSWERED} commands are under way, of those with large replies
 * {@link #MAX_HEAVY}. If more than {@link #MAX_HELD} wait, or as many as a client may have channels, which it subscribes
 * to all at once when it comes back, or more bytes than one message may have, nothing more is read until they are done,
 * pongs neither; so none is expected meanwhile. Of what was read already, {@link #MAX_READ_AHEAD} more may wait: small
 * commands take much more room than they had on the wire.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class Session implements Answers, Arrival.Listener {

    private static final LogLine FAILED = LogLine.error(Session.class, "A command failed; this is a bug in Fanfare");
    private static final int MAX_UNANSWERED = 64;
    private static final int MAX_HEAVY = 2;
    private static final int MAX_HELD = 256;
    private static final int MAX_READ_AHEAD = 4096;
    /** SDKs wait for 5 s, and then for nothing on that connection any more; a heartbeat may be a second late. */
    private static final Duration PATIENCE = Duration.ofSeconds(3);

    private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

    /**
     * A command that waits to be begun.
     *
     * @param cameNanos when it came
     */
    private record Waiting(Command command, long cameNanos) {}

    private enum State {
        AWAITING,
        CONNECTING,
        CONNECTED,
        UNUSABLE,
        CLOSED
    }

    private final TransportContext context;
    private final Channel channel;
    private final WireFormat format;
    private final ClientOutlet outlet;
    private final Pulse pulse;
    private final @Nullable Emulated emulated;
    private final int maxHeld;
    private State state = State.AWAITING;
    private @Nullable Handshake handshake;
    private String remoteAddress = "";
    private @Nullable Arrival arrival;
    private @Nullable ClientCommands commands;
    private @Nullable Deque<Waiting> held;
    private long heldBytes;
    /** When the command came that is being begun. */
    private long cameNanos;

    private final Beat heldTooLong = new Beat() {
        @Override
        protected void due() {
            refuseHeldTooLong();
        }
    };
    private long connectId;
    private int unanswered;
    private int heavy;
    private boolean isBeginningHeavy;
    private boolean isDraining;

    /** Holds a conversation over that channel alone. */
    Session(TransportContext context, Channel channel, WireFormat format, Handshake handshake) {
        this(context, channel, format, handshake, null);
    }

    /** Holds a conversation whose commands come another way. */
    Session(
            TransportContext context,
            Channel channel,
            WireFormat format,
            Handshake handshake,
            @Nullable Emulated emulated) {
        Heartbeats heartbeats = context.heartbeats(channel.eventLoop());
        this.context = context;
        this.channel = channel;
        this.format = format;
        this.handshake = handshake;
        this.emulated = emulated;
        this.maxHeld = Math.max(MAX_HELD, context.gateway().maxChannelsPerConnection());
        this.outlet = new ClientOutlet(channel, format, context);
        this.pulse = new Pulse(outlet, heartbeats, context.settings());
    }

    ClientOutlet outlet() {
        return outlet;
    }

    /** Pings by WebSocket itself; the client is told of no other pings. */
    void pingByFrames() {
        pulse.pingByFrames();
    }

    /** A pong of WebSocket itself came. */
    void pongFrame() {
        pulse.pongFrame();
    }

    /** Begins to wait for the connect command. */
    void begin() {
        pulse.awaitConnect();
    }

    /** Takes one whole message of the client. */
    void receive(byte[] message) {
        try {
            receive(format.commands().decode(message));
        } catch (BadCommandException e) {
            outlet.disconnect(DisconnectReason.BAD_REQUEST);
        }
    }

    /** Takes the commands of one message. */
    void receive(List<Command> commands) {
        commands.forEach(this::take);
    }

    private void take(Command command) {
        if (state == State.CLOSED || outlet.isEnding()) {
            return;
        }
        if (command.request() instanceof Request.Pong || (isReadyFor(command) && !isHolding())) {
            cameNanos = nanos();
            perform(command);
        } else {
            hold(command);
        }
    }

    private long nanos() {
        return channel.eventLoop().ticker().nanoTime();
    }

    private void perform(Command command) {
        perform(() -> begin(command));
    }

    private void begin(Command command) {
        ClientCommands connected = commands;
        if (connected != null) {
            isBeginningHeavy = command.request().isHeavy();
            command.request().accept(command.id(), connected);
        } else if (state == State.AWAITING && command.request() instanceof Request.Connect connect) {
            connect(command.id(), connect);
        } else {
            outlet.disconnect(DisconnectReason.BAD_REQUEST);
        }
    }

    private void perform(Runnable task) {
        try {
            task.run();
        } catch (UnencodableException e) {
            outlet.disconnect(DisconnectReason.INAPPROPRIATE_PROTOCOL);
        } catch (RuntimeException e) {
            FAILED.logTrace(e, "peer", channel.remoteAddress());
            outlet.disconnect(DisconnectReason.INTERNAL_ERROR);
        }
    }

    // ---- connecting

    private void connect(long id, Request.Connect request) {
        Handshake facts = handshake;
        if (facts == null) {
            throw new IllegalStateException("connecting for a second time");
        }
        handshake = null;
        remoteAddress = facts.remoteAddress();
        connectId = id;
        state = State.CONNECTING;
        pulse.pause();
        arrival = new Arrival(context, outlet, format.transport(), request, emulated, this);
        arrival.begin(channel.eventLoop(), facts.credentials(request, format));
    }

    @Override
    public void connected(Connection connection, Welcome welcome) {
        arrival = null;
        state = State.CONNECTED;
        Refreshing refreshing = new Refreshing(context, channel.eventLoop(), connection, outlet, this, remoteAddress);
        commands = new ClientCommands(connection, outlet, pulse, this, refreshing);
        perform(() -> {
            outlet.reply(outlet.messages().connected(connectId, pulse.isByFrames() ? welcome.withoutPings() : welcome));
            outlet.uncork();
            outlet.flush();
            pulse.begin();
            writabilityChanged();
        });
    }

    @Override
    public void refused(ErrorCode error) {
        arrival = null;
        state = State.UNUSABLE;
        dropHeld();
        outlet.error(connectId, error);
        pulse.awaitConnect();
    }

    // ---- order

    private boolean isReadyFor(Command command) {
        return state != State.CONNECTING
                && unanswered < MAX_UNANSWERED
                && (heavy < MAX_HEAVY || !command.request().isHeavy())
                && outlet.isWritable();
    }

    private boolean isHolding() {
        return held != null && !held.isEmpty();
    }

    private void hold(Command command) {
        if (held == null) {
            held = new ArrayDeque<>(4);
        }
        held.add(new Waiting(command, nanos()));
        heldBytes += command.bytes();
        if (command.request() instanceof Request.Subscribe && !heldTooLong.isScheduled()) {
            heartbeats().schedule(heldTooLong, PATIENCE);
        }
        if (held.size() > maxHeld || heldBytes > context.settings().maxMessageBytes()) {
            slowDown(held.size());
        }
    }

    /** Too much waits: no more is read until it is done, or if that is no way to make the client wait, it must go. */
    private void slowDown(int waiting) {
        if (format.framing().isTwoWay() && waiting <= maxHeld + MAX_READ_AHEAD) {
            channel.config().setAutoRead(false);
            pulse.stopListening();
        } else {
            outlet.disconnect(DisconnectReason.TOO_MANY_REQUESTS);
        }
    }

    /** Goes on with commands that wait, as far as it may. */
    private void drain() {
        if (isDraining || held == null) {
            return;
        }
        isDraining = true;
        try {
            while (isHolding() && isReadyFor(held.element().command()) && !outlet.isEnding()) {
                Waiting next = held.remove();
                heldBytes -= next.command().bytes();
                cameNanos = next.cameNanos();
                perform(next.command());
            }
        } finally {
            isDraining = false;
        }
        if (!isHolding()) {
            dropHeld();
        }
    }

    private void dropHeld() {
        if (held != null) {
            held = null;
            heldBytes = 0;
            heartbeats().cancel(heldTooLong);
            channel.config().setAutoRead(true);
            pulse.listen();
        }
    }

    @Override
    public <T> Consumer<T> expect(Consumer<T> answer) {
        boolean isHeavy = isBeginningHeavy;
        unanswered++;
        heavy += isHeavy ? 1 : 0;
        return result -> {
            unanswered--;
            heavy -= isHeavy ? 1 : 0;
            if (state != State.CLOSED && !outlet.isEnding()) {
                perform(() -> answer.accept(result));
                drain();
            }
        };
    }

    @Override
    public <T> Consumer<T> expectSoon(Consumer<T> answer, Runnable giveUp) {
        Beat late = new Beat() {
            @Override
            protected void due() {
                giveUp.run();
            }
        };
        heartbeats().schedule(late, patience(cameNanos));
        Consumer<T> expected = expect(answer);
        return result -> {
            heartbeats().cancel(late);
            expected.accept(result);
        };
    }

    private Heartbeats heartbeats() {
        return context.heartbeats(channel.eventLoop());
    }

    /** Returns how long the client still waits for what came then; not positive if it waits no more. */
    private Duration patience(long cameNanos) {
        return PATIENCE.minusNanos(nanos() - cameNanos);
    }

    /** The client waits no longer for what waits here to be begun. */
    private void refuseHeldTooLong() {
        ClientCommands connected = commands;
        if (held == null) {
            return;
        }
        if (connected == null) {
            heartbeats().schedule(heldTooLong, LOOK_AGAIN); // nothing can be answered yet
            return;
        }
        for (Waiting waiting : List.copyOf(held)) {
            Command command = waiting.command();
            if (command.request() instanceof Request.Subscribe request) {
                Duration patience = patience(waiting.cameNanos());
                if (!patience.isNegative() && !patience.isZero()) {
                    heartbeats().schedule(heldTooLong, patience); // the others came later still
                    return;
                }
                held.remove(waiting);
                heldBytes -= command.bytes();
                connected.refuseForNow(command.id(), request);
            }
        }
    }

    /** The client reads again: it gets replies first, then pushes. */
    void writabilityChanged() {
        perform(() -> {
            drain();
            outlet.writabilityChanged();
        });
    }

    // ---- the end

    /** What ends before it is a connection is known to nobody else. */
    private void countIfNeverConnected() {
        DisconnectReason reason = outlet.endedBy();
        if (commands == null && reason == DisconnectReason.STALE) {
            context.gateway().listener().onReject(Rejection.STALE);
        } else if (commands == null && reason == DisconnectReason.BAD_REQUEST) {
            context.gateway().listener().onReject(Rejection.BAD_REQUEST);
        }
    }

    /** The channel is gone. */
    void lost() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        pulse.stop();
        held = null;
        heartbeats().cancel(heldTooLong);
        if (arrival != null) {
            arrival.giveUp();
        }
        outlet.dropCorked();
        countIfNeverConnected();
        outlet.lost(DisconnectReason.BY_CLIENT);
    }
}
