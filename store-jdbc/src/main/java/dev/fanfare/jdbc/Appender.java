package dev.fanfare.jdbc;

import dev.fanfare.ClosedException;
import dev.fanfare.StoreException;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog.AppendResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Lets concurrent publishers of this node share transactions. */
final class Appender {

    /*
     * State: one queue.
     *
     * Threads: thread-safe, without a lock. Whoever finds the queue without a leader starts one on a store thread; it
     * takes all that waits into one transaction, completes the stages, and goes on while more waits and nobody else
     * needs the thread. So a lone publisher waits for nobody, and under load the batches grow as long as one commit
     * takes. One leader, not several: what the database does per transaction costs more than a second one would gain.
     *
     * Ordering: that of the queue within each channel, and the stages complete in that order.
     *
     * Bounds: MAX_WAITING requests and MAX_WAITING_BYTES; more are refused with Full. A batch has at most
     * BATCH requests and BATCH_BYTES. If the database refuses a batch for good, each request is tried alone, so
     * that one bad one does not take others with it.
     */

    private static final int BATCH = 512;
    private static final int BATCH_BYTES = 1 << 20;
    private static final int MAX_WAITING = 20_000;
    private static final long MAX_WAITING_BYTES = 64L << 20;
    private static final int REQUEST_BYTES = 256;
    private static final int ROUNDS = 6;
    private static final AppendResult FULL = new AppendResult.Full(100);

    private final Database database;
    private final AppendParts parts;
    private final Queue<Waiting> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicBoolean isLed = new AtomicBoolean();

    Appender(AppendParts parts) {
        this.database = parts.database();
        this.parts = parts;
    }

    CompletionStage<AppendResult> append(AppendRequest request) {
        if (database.isClosed()) {
            return CompletableFuture.failedStage(new ClosedException("This store is closed"));
        }
        if (count.get() >= MAX_WAITING || bytes.get() >= MAX_WAITING_BYTES) {
            return CompletableFuture.completedStage(FULL);
        }
        Waiting waiting = new Waiting(request, new CompletableFuture<>());
        count.incrementAndGet();
        bytes.addAndGet(waiting.bytes());
        queue.add(waiting);
        startLeading();
        return waiting.done;
    }

    private void startLeading() {
        if (!queue.isEmpty() && isLed.compareAndSet(false, true) && !database.tryExecute(this::lead)) {
            isLed.set(false);
            refuseAll();
        }
    }

    private void refuseAll() {
        for (Waiting waiting = poll(); waiting != null; waiting = poll()) {
            waiting.done.complete(FULL);
        }
    }

    private void lead() {
        try {
            do {
                List<Waiting> batch = take();
                if (!batch.isEmpty()) {
                    flush(batch);
                }
            } while (!queue.isEmpty() && !database.isCrowded());
        } finally {
            isLed.set(false);
            startLeading(); // behind whoever waits for a thread
        }
    }

    private List<Waiting> take() {
        List<Waiting> batch = new ArrayList<>();
        int size = 0;
        while (batch.size() < BATCH && size < BATCH_BYTES) {
            Waiting next = poll();
            if (next == null) {
                break;
            }
            size += next.bytes();
            batch.add(next);
        }
        return batch;
    }

    private @Nullable Waiting poll() {
        Waiting next = queue.poll();
        if (next != null) {
            count.decrementAndGet();
            bytes.addAndGet(-next.bytes());
        }
        return next;
    }

    private void flush(List<Waiting> batch) {
        List<Waiting> left = batch;
        try {
            for (int round = 0; !left.isEmpty(); round++) {
                left = flush(left, round);
            }
        } catch (StoreException failure) {
            if (left.size() > 1 && !failure.isRetryable()) {
                left.forEach(waiting -> flush(List.of(waiting)));
            } else {
                left.forEach(waiting -> waiting.done.completeExceptionally(failure));
            }
        } catch (RuntimeException | Error bug) {
            left.forEach(waiting -> waiting.done.completeExceptionally(bug));
        }
    }

    /** Appends what can be appended in one transaction; returns the rest. */
    private List<Waiting> flush(List<Waiting> batch, int round) {
        List<AppendRequest> requests = batch.stream().map(Waiting::request).toList();
        if (round == ROUNDS) {
            throw new StoreException("The channels vanish as soon as they are made: " + what(requests), null, true);
        }
        AppendTransaction.Outcome outcome = database.transactNow(
                what(requests),
                connection -> round == 0
                        ? parts.append(connection, requests)
                        : parts.transaction(requests).run(connection));
        if (!outcome.missing().isEmpty()) {
            parts.channels().create(outcome.missing());
            return batch;
        }
        outcome.trims().forEach(parts.trimmer()::trim);
        List<Waiting> left = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            AppendResult result = outcome.results().get(i);
            if (result == null) {
                left.add(batch.get(i));
            } else {
                batch.get(i).done.complete(result);
            }
        }
        return left;
    }

    private static String what(List<AppendRequest> requests) {
        return requests.size() == 1
                ? "append to " + requests.get(0).channel()
                : "append " + requests.size() + " publications";
    }

    private record Waiting(AppendRequest request, CompletableFuture<AppendResult> done) {

        int bytes() {
            return REQUEST_BYTES + request.data().size();
        }
    }
}
