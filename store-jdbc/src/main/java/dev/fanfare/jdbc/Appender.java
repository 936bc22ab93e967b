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
     * Ordering: that of the queue, and the stages complete in that order.
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
    private static final int CREATE_ROUNDS = 5;
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
        List<AppendResult> results;
        try {
            results = appendNow(batch.stream().map(Waiting::request).toList());
        } catch (StoreException failure) {
            if (batch.size() > 1 && !failure.isRetryable()) {
                batch.forEach(waiting -> flush(List.of(waiting)));
            } else {
                batch.forEach(waiting -> waiting.done.completeExceptionally(failure));
            }
            return;
        } catch (RuntimeException | Error bug) {
            batch.forEach(waiting -> waiting.done.completeExceptionally(bug));
            return;
        }
        for (int i = 0; i < batch.size(); i++) {
            batch.get(i).done.complete(results.get(i));
        }
    }

    private List<AppendResult> appendNow(List<AppendRequest> requests) {
        for (int round = 0; round < CREATE_ROUNDS; round++) {
            AppendTransaction.Outcome outcome = database.commitNow(
                    what(requests),
                    (connection, committing) -> parts.transaction(requests).run(connection, committing));
            if (outcome.missing().isEmpty()) {
                outcome.trims().forEach(row -> parts.trimmer().trim(row.id, row.trimUpTo()));
                return outcome.results();
            }
            parts.channels().create(outcome.missing());
        }
        throw new StoreException("The channels vanish as soon as they are made: " + what(requests), null, true);
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
