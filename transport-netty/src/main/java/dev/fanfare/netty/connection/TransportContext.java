package dev.fanfare.netty.connection;

import static java.util.Objects.requireNonNull;

import dev.fanfare.Authenticator;
import dev.fanfare.spi.Gateway;
import io.netty.channel.EventLoop;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What the protocols of one transport work with; made once, by the front door.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class TransportContext {

    private final Gateway gateway;
    private final Authenticator authenticator;
    private final TransportSettings settings;
    private final Entrance entrance;
    /** One entry per event loop of the transport, of which there are few, and none goes. */
    private final Map<EventLoop, Heartbeats> heartbeats = new ConcurrentHashMap<>();

    private final Map<EventLoop, Turn> turns = new ConcurrentHashMap<>(); // as many
    private final Wire.Finder wires;
    private final UnsentLimits unsentLimits;
    private final AtomicLong unsentBytes = new AtomicLong();

    /** Bundles the parts; everything is written through the channels. */
    public TransportContext(Gateway gateway, Authenticator authenticator, TransportSettings settings) {
        this(gateway, authenticator, settings, Wire.Finder.NONE, Entrance.unlimited(gateway), UnsentLimits.defaults(1));
    }

    /** Bundles the parts. */
    public TransportContext(
            Gateway gateway,
            Authenticator authenticator,
            TransportSettings settings,
            Wire.Finder wires,
            Entrance entrance,
            UnsentLimits unsentLimits) {
        this.unsentLimits = requireNonNull(unsentLimits, "unsentLimits");
        this.wires = requireNonNull(wires, "wires");
        this.entrance = requireNonNull(entrance, "entrance");
        this.gateway = requireNonNull(gateway, "gateway");
        this.authenticator = requireNonNull(authenticator, "authenticator");
        this.settings = requireNonNull(settings, "settings");
    }

    /** Returns where connections are registered. */
    public Gateway gateway() {
        return gateway;
    }

    /** Returns who finds out who clients are; {@link Admission} asks it. */
    public Authenticator authenticator() {
        return authenticator;
    }

    /** Returns who lets clients in. */
    public Entrance entrance() {
        return entrance;
    }

    /** Returns the settings. */
    public TransportSettings settings() {
        return settings;
    }

    /** Returns the wheel of that event loop. */
    public Heartbeats heartbeats(EventLoop loop) {
        return heartbeats.computeIfAbsent(loop, each -> new Heartbeats(each, settings.tick()));
    }

    /** Returns what the turns of that event loop owe to its connections. */
    public Turn turn(EventLoop loop) {
        return turns.computeIfAbsent(loop, this::newTurn);
    }

    private Turn newTurn(EventLoop loop) {
        return new Turn(loop, wires, new Unsent(heartbeats(loop), unsentLimits, unsentBytes));
    }

    /** Returns how many bytes wait for clients that do not read. */
    public long unsentBytes() {
        return unsentBytes.get();
    }
}
