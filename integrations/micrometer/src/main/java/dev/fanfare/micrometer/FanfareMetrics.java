package dev.fanfare.micrometer;

import static java.util.Objects.requireNonNull;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.DropReason;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.Rejection;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StateCache;
import dev.fanfare.presence.PresenceEvent;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Counts what happens in one Fanfare, for whatever monitoring system the registry feeds.
 *
 * <pre>{@code
 * FanfareMetrics metrics = FanfareMetrics.of(registry, "chat", "news");
 * Fanfare fanfare = Fanfare.builder().listener(metrics).build();
 * metrics.watch(fanfare);
 * }</pre>
 *
 * <p>The names and tags are listed in {@code docs/OPERATIONS.md}. Their number does not grow with what clients do:
 * there is a tag for the namespace, whose values are those given here, {@code default} and {@code other}, and one
 * for the reason; none for a channel, user or connection.
 *
 * <p>All meters are made at the start, so an event costs a look-up by namespace and a few additions, and allocates
 * nothing but the namespace's name.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class FanfareMetrics implements FanfareListener {

    private static final String DEFAULT = "default";
    private static final String OTHER = "other";

    private final MeterRegistry registry;
    private final Map<String, ChannelMeters> byNamespace = new HashMap<>();
    private final ChannelMeters others;
    private final ByReason<DisconnectReason> disconnects;
    private final ByReason<Rejection> rejections;
    private final ByReason<PresenceEvent.Kind> presences;
    private final Adder connects;

    private FanfareMetrics(MeterRegistry registry, String... namespaces) {
        this.registry = registry;
        this.others = new ChannelMeters(registry, OTHER);
        byNamespace.put("", new ChannelMeters(registry, DEFAULT));
        for (String namespace : namespaces) {
            if (!namespace.isEmpty()) {
                byNamespace.computeIfAbsent(namespace, name -> new ChannelMeters(registry, name));
            }
        }
        this.connects = Adder.register(registry, "fanfare.connects", "Clients that connected");
        this.disconnects = new ByReason<>(
                registry, DisconnectReason.class, "fanfare.disconnects", "Connections that closed, by reason");
        this.rejections = new ByReason<>(
                registry, Rejection.class, "fanfare.rejections", "Turned away before being a connection, by reason");
        this.presences = new ByReason<>(
                registry, PresenceEvent.Kind.class, "fanfare.presence.events", "Joins and leaves announced here");
    }

    /**
     * Makes the meters in that registry.
     *
     * @param namespaces those to tell apart; all others are counted together
     */
    public static FanfareMetrics of(MeterRegistry registry, String... namespaces) {
        return new FanfareMetrics(requireNonNull(registry, "registry"), namespaces);
    }

    /** Adds the gauges of that Fanfare, to which this must have been given as a listener; called once. */
    public void watch(Fanfare fanfare) {
        requireNonNull(fanfare, "fanfare");
        gauge(
                fanfare,
                "fanfare.connections",
                "Clients' connections",
                each -> each.stats().connections());
        gauge(
                fanfare,
                "fanfare.subscriptions",
                "Live subscriptions, in-process ones included",
                each -> each.stats().subscriptions());
        gauge(
                fanfare,
                "fanfare.channels",
                "Channels with subscribers here",
                each -> each.stats().channels());
        gauge(
                fanfare,
                "fanfare.loop.waiting",
                "Signals that wait for event loops",
                each -> each.stats().waitingSignals());
        gauge(
                fanfare,
                "fanfare.loop.waiting.bytes",
                "Payload bytes that wait for event loops",
                each -> each.stats().waitingBytes());
        gauge(
                fanfare,
                "fanfare.unsent.bytes",
                "Bytes that wait for clients that do not read",
                each -> each.stats().unsentBytes());
        gauge(
                fanfare,
                "fanfare.host.waiting",
                "Tasks that wait for the host pool",
                each -> each.stats().waitingHostTasks());
        gauge(
                fanfare,
                "fanfare.announcements.overdue",
                "Channels that the bus is told of again",
                each -> each.stats().overdueAnnouncements());
        gauge(
                fanfare,
                "fanfare.up",
                "1 if ready, 0 if not",
                each -> each.health().isUp() ? 1 : 0);
        counter(
                fanfare,
                "fanfare.log.reads",
                "Reads of the log for subscribers: openings, repairs, probes, catch-ups",
                each -> each.stats().logReads());
        counter(
                fanfare,
                "fanfare.host.refused",
                "Tasks that the host executor had no room for",
                each -> each.stats().refusedHostTasks());
    }

    private void counter(Fanfare fanfare, String name, String description, ToDoubleFunction<Fanfare> value) {
        FunctionCounter.builder(name, fanfare, value).description(description).register(registry);
    }

    private void gauge(Fanfare fanfare, String name, String description, ToDoubleFunction<Fanfare> value) {
        Gauge.builder(name, fanfare, value)
                .description(description)
                .strongReference(true)
                .register(registry);
    }

    private ChannelMeters meters(ChannelId channel) {
        ChannelMeters known = byNamespace.get(channel.namespace());
        return known == null ? others : known;
    }

    @Override
    public void onConnect(ConnectionInfo connection) {
        connects.add(1);
    }

    @Override
    public void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {
        disconnects.add(reason, 1);
    }

    @Override
    public void onReject(Rejection reason) {
        rejections.add(reason, 1);
    }

    @Override
    public void onSubscribe(@Nullable ConnectionInfo connection, ChannelId channel, Resume resume) {
        meters(channel).subscribes.add(1);
    }

    @Override
    public void onPublish(ChannelId channel, PublishResult result) {
        meters(channel).published(result);
    }

    @Override
    public void onAppend(ChannelId channel, long nanos) {
        meters(channel).appended(nanos);
    }

    @Override
    public void onPublishFailed(ChannelId channel, Throwable failure) {
        meters(channel).publishFailed();
    }

    @Override
    public void onAnnounceFailed(ChannelId channel, boolean willRetry) {
        meters(channel).announceFailed(willRetry);
    }

    @Override
    public void onRefuse(ConnectionInfo connection, @Nullable ChannelId channel, Refusal reason) {
        (channel == null ? others : meters(channel)).refusals.add(reason, 1);
    }

    @Override
    public void onDeliver(ChannelId channel, int subscribers, int bytes) {
        meters(channel).delivered(subscribers, bytes);
    }

    @Override
    public void onFanOut(ChannelId channel, long nanos) {
        meters(channel).fannedOut(nanos);
    }

    @Override
    public void onDrop(ChannelId channel, DropReason reason, long count) {
        meters(channel).drops.add(reason, count);
    }

    @Override
    public void onReset(ChannelId channel, ResetReason reason) {
        meters(channel).resets.add(reason, 1);
    }

    @Override
    public void onCatchUp(ChannelId channel) {
        meters(channel).catchUps.add(1);
    }

    @Override
    public void onCatchUpDelayed(ChannelId channel) {
        meters(channel).delayedCatchUps.add(1);
    }

    @Override
    public void onRepair(ChannelId channel, boolean reset) {
        meters(channel).repairs.add(1);
    }

    @Override
    public void onRepairDelayed(ChannelId channel) {
        meters(channel).delayedRepairs.add(1);
    }

    @Override
    public void onStateAsked(ChannelId channel, StateCache.Source source) {
        meters(channel).states.add(source, 1);
    }

    @Override
    public void onPresence(ChannelId channel, PresenceEvent event) {
        presences.add(event.kind(), 1);
    }
}
