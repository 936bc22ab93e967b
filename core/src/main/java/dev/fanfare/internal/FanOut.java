package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DropReason;
import dev.fanfare.Publication;
import dev.fanfare.Resume;
import dev.fanfare.presence.PresenceEvent;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Hands what a topic has to its lanes: each publication once to each event loop that has subscribers.
 *
 * <p><i>Threads.</i> Confined to the topic's stripe. A lane belongs to its loop, and is reached through that loop's
 * queue.
 *
 * <p><i>Ordering.</i> Each loop's queue keeps the order.
 *
 * <p><i>Bounds.</i> A loop that is so far behind that its queue refuses is passed over: it gets nothing pushed until it
 * has come to where the topic is then. What was logged its subscribers fetch; what was not is counted, and they are
 * told.
 */
final class FanOut {

    private final Hub hub;
    private final ChannelId channel;
    private final Stripe stripe;
    private final Run run;
    private final Map<LoopQueue, Lane> lanes = new HashMap<>(2);

    FanOut(Hub hub, ChannelId channel, Stripe stripe, Run run) {
        this.hub = hub;
        this.channel = channel;
        this.stripe = stripe;
        this.run = run;
    }

    // ---- who is there

    /** Takes in a reader of that topic, which finds its place on its own loop. */
    void place(Topic topic, Reader reader) {
        Lane lane = lanes.computeIfAbsent(reader.port.queue, queue -> new Lane(topic, queue, run.position()));
        lane.attached++;
        lane.queue.add(() -> reader.attach(lane));
    }

    /** Takes note that a reader has left its lane. */
    void left(Lane lane) {
        lane.attached--;
        if (lane.attached == 0) {
            lanes.remove(lane.queue, lane);
        }
    }

    boolean isEmpty() {
        return lanes.isEmpty();
    }

    // ---- what they get

    /** Sends a publication on, with the one that differences to it are based on. */
    void send(Publication publication, @Nullable Publication previous) {
        int count = lanes.size();
        if (count == 0) {
            return;
        }
        Broadcast broadcast = Broadcast.of(channel, publication, previous, count, hub.time.nanos());
        int bytes = publication.data().size();
        for (Lane lane : lanes.values()) {
            if (lane.isBehind || !lane.queue.offer(new Delivery(lane, broadcast, publication), bytes)) {
                broadcast.done();
                overflow(lane, publication);
            }
        }
    }

    private record Delivery(Lane lane, Broadcast broadcast, Publication publication) implements Runnable {
        @Override
        public void run() {
            lane.queue.release(publication.data().size());
            lane.deliver(broadcast, publication);
        }
    }

    /** Sends a join or leave on. */
    void send(PresenceEvent event) {
        int count = lanes.size();
        if (count == 0) {
            return;
        }
        Broadcast broadcast = Broadcast.of(channel, event, count);
        for (Lane lane : lanes.values()) {
            if (!lane.queue.offer(() -> lane.deliverPresence(broadcast), 0)) {
                broadcast.done();
                hub.listener.onDrop(channel, DropReason.PRESENCE, lane.attached);
                passOver(lane, 0, 1);
            }
        }
    }

    /** Tells everybody that the run is broken. */
    void reset(Resume.Reset reset) {
        Ring next = run.ring();
        toEach(lane -> lane.queue.add(() -> lane.reset(reset, next)));
    }

    // ---- loops that are too far behind

    private void overflow(Lane lane, Publication publication) {
        if (!publication.isLogged()) {
            hub.listener.onDrop(channel, DropReason.NOT_RETAINED, lane.attached);
        }
        passOver(lane, publication.isLogged() ? 0 : 1, 0);
    }

    /** Passes every lane over: so many publications and joins or leaves did not even come here. */
    void passOver(long publications, long events) {
        toEach(lane -> passOver(lane, publications, events));
    }

    private void passOver(Lane lane, long publications, long events) {
        lane.missed += publications;
        lane.missedPresence += events;
        if (!lane.isBehind) {
            lane.isBehind = true;
            lane.queue.add(() -> stripe.execute(() -> catchUp(lane)));
        }
    }

    private void catchUp(Lane lane) {
        lane.isBehind = false;
        Cursor reached = run.position();
        long publications = lane.missed;
        long events = lane.missedPresence;
        lane.missed = 0;
        lane.missedPresence = 0;
        lane.queue.add(() -> lane.skipTo(reached, publications, events));
    }

    private void toEach(Consumer<Lane> task) {
        lanes.values().forEach(task);
    }
}
