package dev.fanfare.micrometer;

import dev.fanfare.DropReason;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.StateCache;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The meters of one namespace. Thread-safe. */
final class ChannelMeters {

    private static final String NAMESPACE = "namespace";
    private static final Duration[] BUCKETS = {
        Duration.ofNanos(100_000),
        Duration.ofNanos(250_000),
        Duration.ofNanos(500_000),
        Duration.ofMillis(1),
        Duration.ofNanos(2_500_000),
        Duration.ofMillis(5),
        Duration.ofMillis(10),
        Duration.ofMillis(25),
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(250),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofMillis(2_500),
        Duration.ofSeconds(10)
    };

    final Adder subscribes;
    final Adder catchUps;
    final Adder delayedCatchUps;
    final Adder repairs;
    final Adder delayedRepairs;
    final ByReason<DropReason> drops;
    final ByReason<ResetReason> resets;
    final ByReason<Refusal> refusals;
    final ByReason<StateCache.Source> states;
    private final Adder stored;
    private final Adder sent;
    private final Adder duplicates;
    private final Adder failed;
    private final ByReason<Refusal> refusedPublishes;
    private final Adder retriedAnnouncements;
    private final Adder leftAnnouncements;
    private final Adder deliveries;
    private final Adder bytes;
    private final Timer appends;
    private final Timer fanOuts;

    ChannelMeters(MeterRegistry registry, String namespace) {
        String[] tags = {NAMESPACE, namespace};
        this.subscribes = Adder.register(registry, "fanfare.subscribes", "Subscriptions that went live", tags);
        this.catchUps =
                Adder.register(registry, "fanfare.catchups", "Subscribers that began to catch up from the log", tags);
        this.delayedCatchUps = Adder.register(
                registry, "fanfare.catchups.delayed", "Subscribers that wait for their turn to read the log", tags);
        this.repairs = Adder.register(
                registry, "fanfare.repairs", "Holes in announcements that were filled or ended by the log", tags);
        this.delayedRepairs = Adder.register(
                registry, "fanfare.repairs.delayed", "Looks at the log that had to wait for others", tags);
        this.drops = new ByReason<>(
                registry, DropReason.class, "fanfare.drops", "Publications not given to a subscriber", tags);
        this.resets = new ByReason<>(
                registry, ResetReason.class, "fanfare.resets", "Subscribers told that their run is broken", tags);
        this.refusals =
                new ByReason<>(registry, Refusal.class, "fanfare.refusals", "What clients asked for in vain", tags);
        this.states = new ByReason<>(
                registry, StateCache.Source.class, "fanfare.states", "States asked for, by where they came from", tags);
        this.stored = publishes(registry, namespace, "stored", "none");
        this.sent = publishes(registry, namespace, "sent", "none");
        this.duplicates = publishes(registry, namespace, "duplicate", "none");
        this.failed = publishes(registry, namespace, "failed", "none");
        this.refusedPublishes = new ByReason<>(
                registry,
                Refusal.class,
                "fanfare.publishes",
                "Publishes by result",
                NAMESPACE,
                namespace,
                "result",
                "refused");
        this.retriedAnnouncements = failedAnnouncements(registry, namespace, "true");
        this.leftAnnouncements = failedAnnouncements(registry, namespace, "false");
        this.deliveries =
                Adder.register(registry, "fanfare.deliveries", "Publications handed to subscribers' outlets", tags);
        this.bytes = Adder.register(
                registry, "fanfare.delivered.bytes", "Bytes of those on the wire; none in-process", tags);
        this.appends = timer(registry, "fanfare.append", "How long the log takes to take a publication", tags);
        this.fanOuts =
                timer(registry, "fanfare.fanout", "From being next in its channel to being written on one loop", tags);
    }

    private static Adder publishes(MeterRegistry registry, String namespace, String result, String reason) {
        return Adder.register(
                registry,
                "fanfare.publishes",
                "Publishes by result",
                NAMESPACE,
                namespace,
                "result",
                result,
                "reason",
                reason);
    }

    private static Adder failedAnnouncements(MeterRegistry registry, String namespace, String retried) {
        return Adder.register(
                registry,
                "fanfare.announcements.failed",
                "Logged publications that the bus would not take",
                NAMESPACE,
                namespace,
                "retried",
                retried);
    }

    private static Timer timer(MeterRegistry registry, String name, String description, String... tags) {
        return Timer.builder(name)
                .description(description)
                .tags(tags)
                .serviceLevelObjectives(BUCKETS)
                .register(registry);
    }

    void published(PublishResult result) {
        if (result instanceof PublishResult.Stored) {
            stored.add(1);
        } else if (result instanceof PublishResult.Sent) {
            sent.add(1);
        } else if (result instanceof PublishResult.Duplicate) {
            duplicates.add(1);
        } else if (result instanceof PublishResult.Refused refused) {
            refusedPublishes.add(refused.reason(), 1);
        }
    }

    void publishFailed() {
        failed.add(1);
    }

    void announceFailed(boolean willRetry) {
        (willRetry ? retriedAnnouncements : leftAnnouncements).add(1);
    }

    void appended(long nanos) {
        appends.record(nanos, TimeUnit.NANOSECONDS);
    }

    void fannedOut(long nanos) {
        fanOuts.record(nanos, TimeUnit.NANOSECONDS);
    }

    void delivered(int subscribers, int allBytes) {
        deliveries.add(subscribers);
        bytes.add(allBytes);
    }
}
