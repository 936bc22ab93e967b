package dev.fanfare.internal;

import dev.fanfare.DisconnectReason;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the clients of one node away, spread over a while, in random order: so the nodes that take them in get them
 * at an even pace, and not those of one channel or one event loop at once.
 *
 * <p><i>Threads.</i> Confined to the time source's callbacks, which come one after the other.
 *
 * <p><i>Bounds.</i> A list of the connections that there were at the beginning; no new ones come. It waits for the
 * last of them as long as for the rest, and at least {@link #PATIENCE}.
 */
final class Drain {

    private static final Logger LOG = LoggerFactory.getLogger(Drain.class);
    private static final LogLine STAYING =
            LogLine.warn(Drain.class, "Drained, but connections do not close; closing Fanfare cuts them");
    private static final Duration STEP = Duration.ofMillis(20);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Clients clients;
    private final TimeSource time;
    private final long windowNanos;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private final List<ClientConnection> leaving = new ArrayList<>();
    private int sent;
    private long begun;

    Drain(Clients clients, TimeSource time, Duration window) {
        this.clients = clients;
        this.time = time;
        this.windowNanos = window.toNanos();
    }

    /** Begins; completes when nobody is left, or those who are left do not go. */
    CompletionStage<Void> start() {
        clients.forEach(leaving::add);
        Collections.shuffle(leaving, ThreadLocalRandom.current());
        begun = time.nanos();
        LOG.atInfo()
                .addKeyValue("connections", leaving.size())
                .addKeyValue("seconds", windowNanos / 1_000_000_000)
                .log("Draining: connections are sent away");
        step();
        return done;
    }

    private void step() {
        long elapsed = time.nanos() - begun;
        int due = elapsed >= windowNanos ? leaving.size() : (int) (leaving.size() * (double) elapsed / windowNanos);
        while (sent < due) {
            leaving.get(sent++).disconnect(DisconnectReason.SHUTDOWN);
        }
        if (sent == leaving.size()) {
            // Whoever was just connecting when it began; nobody comes after those.
            clients.forEach(connection -> connection.disconnect(DisconnectReason.SHUTDOWN));
            await(elapsed);
        } else {
            time.schedule(STEP, this::step);
        }
    }

    private void await(long elapsed) {
        int left = clients.count();
        if (left == 0) {
            LOG.atInfo()
                    .addKeyValue("connections", leaving.size())
                    .addKeyValue("millis", elapsed / 1_000_000)
                    .log("Drained");
            done.complete(null);
        } else if (elapsed > windowNanos + Math.max(windowNanos, PATIENCE.toNanos())) {
            STAYING.log("connections", left);
            done.complete(null);
        } else {
            time.schedule(STEP, () -> await(time.nanos() - begun));
        }
    }
}
