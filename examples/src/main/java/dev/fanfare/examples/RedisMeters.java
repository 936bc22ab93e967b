package dev.fanfare.examples;

import dev.fanfare.redis.RedisHealth;
import dev.fanfare.redis.RedisStore;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** What a Redis store tells of itself, as meters. */
final class RedisMeters {

    /** The states of the circuit breaker; their places are the values of its gauge. */
    private static final List<String> BREAKER = List.of("closed", "half_open", "open");

    private RedisMeters() {}

    /** Adds them to the registry. */
    static void register(MeterRegistry registry, RedisStore store) {
        Gauge.builder(
                        "fanfare.redis.breaker",
                        store,
                        each -> BREAKER.indexOf(each.state().breaker()))
                .description("Whether publishes go to Redis: 0 they do, 1 one is tried, 2 none for a while")
                .register(registry);
        count(registry, store, "reconnects", "Connections made anew", RedisHealth::reconnects);
        count(registry, store, "failovers", "Changes of the primary's identity", RedisHealth::failovers);
        count(registry, store, "refusals", "Publishes refused for Redis", RedisHealth::refusals);
        count(registry, store, "dropped", "Publications that no log keeps, dropped for Redis", RedisHealth::dropped);
        count(registry, store, "overflows", "Announcements dropped as too fast, and repaired", RedisHealth::overflows);
    }

    private static void count(
            MeterRegistry registry,
            RedisStore store,
            String name,
            String description,
            ToDoubleFunction<RedisHealth> value) {
        FunctionCounter.builder("fanfare.redis." + name, store, each -> value.applyAsDouble(each.state()))
                .description(description)
                .register(registry);
    }
}
