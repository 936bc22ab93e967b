package dev.fanfare.micrometer;

import static java.util.Objects.requireNonNull;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Locale;
import java.util.stream.Stream;

/** One counter for each constant of an enum, made beforehand. Thread-safe. */
final class ByReason<E extends Enum<E>> {

    private final EnumMap<E, Adder> adders;

    ByReason(MeterRegistry registry, Class<E> reasons, String name, String description, String... tags) {
        this.adders = new EnumMap<>(reasons);
        for (E reason : reasons.getEnumConstants()) {
            adders.put(reason, Adder.register(registry, name, description, withReason(tags, reason)));
        }
    }

    private static String[] withReason(String[] tags, Enum<?> reason) {
        return Stream.concat(Stream.of(tags), Stream.of("reason", reason.name().toLowerCase(Locale.ROOT)))
                .toArray(String[]::new);
    }

    void add(E reason, long count) {
        requireNonNull(adders.get(reason)).add(count);
    }
}
