package dev.fanfare.netty.centrifuge;

import dev.fanfare.DisconnectReason;
import dev.fanfare.netty.connection.Beat;
import dev.fanfare.netty.connection.Heartbeats;
import dev.fanfare.netty.connection.TransportSettings;
import java.time.Duration;

/**
 * Watches one client: that it connects in time, and then that it answers pings.
 *
 * <p>A pong is expected a while after its ping has left for the network, not after it was written: a
 * client that reads slowly is not held dead for what waits in front of the ping. A ping that does not
 * leave within a whole interval is another matter; that client reads nothing at all. While it is we who read nothing, a
 * pong may wait unread, and so the time for it does not run.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class Pulse extends Beat {

    private enum Phase {
        /** No successful connect yet. */
        HANDSHAKE,
        /** Until the next ping. */
        RESTING,
        /** A ping is written, and on its way to the network. */
        SENDING,
        /** A ping is out. */
        EXPECTING,
        /** The ping was answered before its time was over. */
        ANSWERED,
        /** Nothing is watched any more. */
        STOPPED
    }

    private final ClientOutlet outlet;
    private final Heartbeats heartbeats;
    private final TransportSettings settings;
    private Phase phase = Phase.HANDSHAKE;
    private boolean isByFrames;
    private boolean isDeaf;

    Pulse(ClientOutlet outlet, Heartbeats heartbeats, TransportSettings settings) {
        this.outlet = outlet;
        this.heartbeats = heartbeats;
        this.settings = settings;
    }

    /** Pings by frames of WebSocket itself, which the client's library answers, instead of messages. */
    void pingByFrames() {
        isByFrames = true;
    }

    boolean isByFrames() {
        return isByFrames;
    }

    /** Begins to wait for a successful connect, again from now if it did already. */
    void awaitConnect() {
        heartbeats.schedule(this, settings.handshakeTimeout());
    }

    /** Waits for nothing, while somebody else does. */
    void pause() {
        heartbeats.cancel(this);
    }

    /** Begins to ping. */
    void begin() {
        phase = Phase.RESTING;
        heartbeats.scheduleFirst(this, settings.pingInterval());
    }

    /** Takes a pong of WebSocket itself, which may come unasked (RFC 6455, 5.5.3). */
    void pongFrame() {
        if (isByFrames && isExpecting()) {
            phase = Phase.ANSWERED;
        }
    }

    /** Nothing is read from the client for now. */
    void stopListening() {
        isDeaf = true;
        if (phase == Phase.EXPECTING) {
            heartbeats.cancel(this);
        }
    }

    /** The client is read from again; it has its time for a pong anew. */
    void listen() {
        if (isDeaf && phase == Phase.EXPECTING) {
            heartbeats.schedule(this, settings.pongTimeout());
        }
        isDeaf = false;
    }

    private boolean isExpecting() {
        return phase == Phase.EXPECTING || phase == Phase.SENDING;
    }

    /** Takes a pong; false if none was expected. */
    boolean pong() {
        boolean isExpected = !isByFrames && isExpecting();
        if (isExpected) {
            phase = Phase.ANSWERED;
        }
        return isExpected;
    }

    /** Ends. */
    void stop() {
        phase = Phase.STOPPED;
        heartbeats.cancel(this);
    }

    @Override
    protected void due() {
        if (outlet.isEnding()) {
            return;
        }
        switch (phase) {
            case HANDSHAKE -> outlet.disconnect(DisconnectReason.STALE);
            case RESTING -> ping();
            case SENDING -> outlet.disconnect(DisconnectReason.SLOW);
            case EXPECTING -> outlet.disconnect(DisconnectReason.NO_PONG);
            case ANSWERED -> rest();
            case STOPPED -> {}
        }
    }

    private void ping() {
        phase = Phase.SENDING;
        heartbeats.schedule(this, settings.pingInterval());
        (isByFrames ? outlet.pingFrame() : outlet.ping()).addListener(sent -> {
            if (sent.isSuccess() && phase == Phase.SENDING) {
                expectPong();
            }
        });
    }

    private void expectPong() {
        phase = Phase.EXPECTING;
        if (isDeaf) {
            heartbeats.cancel(this);
        } else {
            heartbeats.schedule(this, settings.pongTimeout());
        }
    }

    private void rest() {
        Duration rest = settings.pingInterval().minus(settings.pongTimeout());
        phase = Phase.RESTING;
        heartbeats.schedule(this, rest);
    }
}
