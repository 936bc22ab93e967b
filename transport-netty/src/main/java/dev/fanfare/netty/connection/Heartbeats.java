package dev.fanfare.netty.connection;

import dev.fanfare.spi.LogLine;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Times the connections of one event loop: pings, pong time-outs, stale handshakes. A wheel of
 * buckets with a single timer, which runs only while something is scheduled; to schedule or cancel
 * costs neither a future nor a search.
 *
 * <p>Time advances in ticks, and stands still while the loop is stalled, so that a pause of this
 * process is not held against the peers. Nothing falls due early; it may be one tick late.
 *
 * <p><b>Threading:</b> confined to its event loop.
 */
public final class Heartbeats {

    private static final LogLine BUG = LogLine.error(Heartbeats.class, "A heartbeat failed; this is a bug in Fanfare");
    private static final int BUCKETS = 64;

    private final EventLoop loop;
    private final long tickNanos;
    private final Beat[] buckets = new Beat[BUCKETS];
    private final Beat firing = new Head();
    private @Nullable ScheduledFuture<?> timer;
    private long now;
    private int scheduled;
    private boolean inTick;

    /**
     * Makes a wheel.
     *
     * @param tick how exact it is
     */
    Heartbeats(EventLoop loop, Duration tick) {
        this.loop = loop;
        this.tickNanos = tick.toNanos();
        for (int i = 0; i < BUCKETS; i++) {
            buckets[i] = new Head();
        }
    }

    /** Lets the beat fall due after the delay, and not when it was to before. */
    public void schedule(Beat beat, Duration delay) {
        // Outside a tick, the next one may come at once.
        scheduleTicks(beat, ticks(delay) + (inTick ? 0 : 1));
    }

    /**
     * Lets the beat fall due at a random moment of the second half of the interval, so that connections
     * which came together do not beat together.
     */
    public void scheduleFirst(Beat beat, Duration interval) {
        long all = Math.max(ticks(interval), 2);
        scheduleTicks(beat, ThreadLocalRandom.current().nextLong(all - all / 2 + 1, all + 1));
    }

    /** Lets the beat not fall due any more. */
    public void cancel(Beat beat) {
        if (beat.isScheduled()) {
            unlink(beat);
            scheduled--;
            stopIfEmpty();
        }
    }

    private void scheduleTicks(Beat beat, long ticks) {
        if (beat.isScheduled()) {
            unlink(beat);
        } else {
            scheduled++;
        }
        beat.dueTick = now + ticks;
        link(bucket(beat.dueTick), beat);
        if (timer == null) {
            timer = loop.scheduleWithFixedDelay(this::tick, tickNanos, tickNanos, TimeUnit.NANOSECONDS);
        }
    }

    private long ticks(Duration delay) {
        return Math.max(1, (delay.toNanos() + tickNanos - 1) / tickNanos);
    }

    private void tick() {
        now++;
        inTick = true;
        try {
            moveAll(bucket(now), firing);
            while (firing.next != firing) {
                Beat beat = neighbour(firing.next);
                unlink(beat);
                fireOrKeep(beat);
            }
        } finally {
            inTick = false;
            stopIfEmpty();
        }
    }

    private void fireOrKeep(Beat beat) {
        if (beat.dueTick > now) {
            link(bucket(beat.dueTick), beat);
            return;
        }
        scheduled--;
        try {
            beat.due();
        } catch (RuntimeException | Error failure) { // one that got through would end the timer, and with it all beats
            BUG.logTrace(failure, "beat", beat);
        }
    }

    private void stopIfEmpty() {
        if (scheduled == 0 && !inTick && timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    private Beat bucket(long tick) {
        return buckets[(int) (tick & (BUCKETS - 1))];
    }

    private static void link(Beat head, Beat beat) {
        Beat last = neighbour(head.previous);
        beat.previous = last;
        beat.next = head;
        last.next = beat;
        head.previous = beat;
    }

    private static void unlink(Beat beat) {
        Beat before = neighbour(beat.previous);
        Beat after = neighbour(beat.next);
        before.next = after;
        after.previous = before;
        beat.previous = null;
        beat.next = null;
    }

    private static void moveAll(Beat from, Beat to) {
        Beat first = neighbour(from.next);
        if (first != from) {
            Beat last = neighbour(from.previous);
            to.next = first;
            first.previous = to;
            to.previous = last;
            last.next = to;
            from.next = from;
            from.previous = from;
        }
    }

    private static Beat neighbour(@Nullable Beat beat) {
        if (beat == null) {
            throw new IllegalStateException("not linked");
        }
        return beat;
    }

    /** The fixed point of a ring of beats. */
    private static final class Head extends Beat {
        Head() {
            previous = this;
            next = this;
        }

        @Override
        protected void due() {
            throw new IllegalStateException("a head is never due");
        }
    }
}
