package dev.fanfare.internal;

import static java.util.Objects.requireNonNullElseGet;

import dev.fanfare.spi.Bus;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.PresenceStore;
import dev.fanfare.spi.Store;
import org.jspecify.annotations.Nullable;

/** The parts that the host chose one by one; null stands for that of the store. */
public record StoreParts(
        @Nullable ChannelLog log,
        @Nullable Bus bus,
        @Nullable PresenceStore presence,
        @Nullable ControlBus control,
        @Nullable LatestValues latestValues) {

    private static final StoreParts NONE = new StoreParts(null, null, null, null, null);

    private record Mixed(ChannelLog log, Bus bus, PresenceStore presence, ControlBus control, LatestValues latestValues)
            implements Store {}

    /** Returns a store of these parts, and of the rest's where none was chosen. */
    Store over(Store rest) {
        return equals(NONE)
                ? rest
                : new Mixed(
                        requireNonNullElseGet(log, rest::log),
                        requireNonNullElseGet(bus, rest::bus),
                        requireNonNullElseGet(presence, rest::presence),
                        requireNonNullElseGet(control, rest::control),
                        requireNonNullElseGet(latestValues, rest::latestValues));
    }
}
