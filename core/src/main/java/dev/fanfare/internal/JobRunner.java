package dev.fanfare.internal;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.Workers;
import dev.fanfare.spi.Announcement;
import dev.fanfare.spi.Bus;
import dev.fanfare.spi.LogLine;
import dev.fanfare.spi.TimeSource;
import dev.fanfare.spi.WorkQueues.Delivery;
import dev.fanfare.spi.WorkQueues.Take;
import dev.fanfare.spi.WorkQueues.Taken;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Takes jobs from a work queue and gives them to the host.
 *
 * <p><i>State.</i> How many jobs may still be begun, and whether a call for more is under way. There is one call at a time;
 * it is made when the channel moves, when a job ends, and every {@link #TICK}, then also for what others left behind.
 *
 * <p><i>Threads.</i> Thread-safe.
 *
 * <p><i>Bounds.</i> As many jobs as the host allows at a time. A job that is not acknowledged gives its place back when
 * its visibility is over.
 */
final class JobRunner implements Workers, Bus.Watcher {

    private static final LogLine NO_LETTER =
            LogLine.warn(JobRunner.class, "A job cannot be published to the dead letters");
    private static final LogLine DROPPED =
            LogLine.warn(JobRunner.class, "A job was given out in vain too often and is dropped");
    private static final LogLine FULL =
            LogLine.warn(JobRunner.class, "The host executor is full; a job waits for its next delivery");
    private static final LogLine FAILED = LogLine.warn(JobRunner.class, "A job failed");
    private static final LogLine TRIMMED =
            LogLine.warn(JobRunner.class, "Jobs were trimmed from their log before they were done");
    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration WATCH_PAUSE = Duration.ofSeconds(5);

    private final Engine engine;
    private final WorkersBuilder options;
    private final Handler handler;
    private final ChannelId channel;
    private final String name = UUID.randomUUID().toString();
    private final AtomicInteger free;
    private final AtomicInteger wanted = new AtomicInteger();
    private final AtomicBoolean isRecoveryDue = new AtomicBoolean(true);
    private final CompletableFuture<Bus.Watch> watch = new CompletableFuture<>();
    private final LongAdder delivered = new LongAdder();
    private final LongAdder postponed = new LongAdder();
    private final LongAdder redelivered = new LongAdder();
    private final LongAdder acknowledged = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder dead = new LongAdder();
    private final LongAdder lost = new LongAdder();
    private volatile boolean isClosed;

    JobRunner(Engine engine, WorkersBuilder options, Handler handler) {
        this.engine = engine;
        this.options = options;
        this.handler = handler;
        this.channel = options.channel;
        this.free = new AtomicInteger(options.concurrency);
    }

    void start() {
        watch();
        tick();
    }

    /** Without a watch jobs are found by the {@link #TICK}s alone. */
    private void watch() {
        engine.hub.watch(channel, this).whenComplete((effective, failure) -> {
            if (failure == null) {
                watch.complete(effective);
                more(); // what came before it was effective
            } else if (!isClosed) {
                engine.hub.log.jobsFailed(channel, failure);
                engine.threads.time().schedule(WATCH_PAUSE, this::watch);
            }
        });
    }

    private void tick() {
        if (!isClosed) {
            isRecoveryDue.set(true);
            more();
            engine.threads.time().schedule(TICK, this::tick);
        }
    }

    // ---- the bus only says that there may be more

    @Override
    public void announced(Announcement announcement) {
        if (!(announcement instanceof Announcement.Presence)) {
            more();
        }
    }

    @Override
    public void interrupted() {
        more();
    }

    // ---- taking

    private void more() {
        if (wanted.getAndIncrement() == 0) {
            take();
        }
    }

    private void take() {
        int seen = wanted.get();
        int limit = free.get();
        if (isClosed || limit <= 0) {
            done(seen);
            return;
        }
        Take request =
                new Take(channel, options.group, name, limit, options.visibility, isRecoveryDue.getAndSet(false));
        engine.calls
                .store("jobs of " + channel, () -> options.queues.take(request))
                .whenComplete((taken, failure) -> {
                    if (taken == null) {
                        engine.hub.log.jobsFailed(channel, failure);
                    } else {
                        accept(taken);
                        if (taken.deliveries().size() == limit) {
                            wanted.incrementAndGet();
                        }
                    }
                    done(seen);
                });
    }

    private void done(int seen) {
        if (wanted.addAndGet(-seen) > 0) {
            engine.threads.worker().execute(this::take);
        }
    }

    private void accept(Taken taken) {
        if (taken.lost() > 0) {
            lost.add(taken.lost());
            TRIMMED.log("channel", channel, "group", options.group, "jobs", taken.lost());
            tryInHostCode(() -> handler.onLost(taken.lost()));
        }
        for (Delivery delivery : taken.deliveries()) {
            free.decrementAndGet();
            TakenJob job = new TakenJob(delivery);
            if (delivery.count() > options.maxDeliveries) {
                putAside(job);
            } else {
                begin(job);
            }
        }
    }

    private void begin(TakenJob job) {
        if (!tryInHostCode(() -> handOver(job))) {
            postponed.increment();
        }
    }

    @CanIgnoreReturnValue
    private boolean tryInHostCode(Runnable task) {
        try {
            engine.calls.inHostCode(task);
            return true;
        } catch (RejectedExecutionException full) {
            FULL.log("channel", channel, "group", options.group);
            return false;
        }
    }

    private void handOver(TakenJob job) {
        delivered.increment();
        if (job.deliveries() > 1) {
            redelivered.increment();
        }
        try {
            handler.onJob(job);
        } catch (RuntimeException | Error failure) {
            failed.increment();
            FAILED.logTrace(failure, about(job));
        }
    }

    /** Publishes a job to the dead letters, and only then takes it off the queue. */
    private void putAside(TakenJob job) {
        ChannelId letters = options.deadLetters;
        if (letters == null) {
            DROPPED.log(about(job));
            bury(job);
            return;
        }
        Publication publication = job.publication();
        PublishOptions letter = PublishOptions.dedupKey(
                        options.group + ' ' + publication.epoch() + ' ' + publication.offset())
                .withHeader("dead-letter-of", channel.value());
        engine.publishRaw(letters, publication.data(), letter).whenComplete((result, failure) -> {
            if (result != null && result.isAccepted()) {
                bury(job);
            } else {
                NO_LETTER.logTrace(
                        failure, "channel", channel, "group", options.group, "letters", letters, "result", result);
            }
        });
    }

    private Object[] about(Job job) {
        return new Object[] {
            "channel",
            channel,
            "group",
            options.group,
            "offset",
            job.publication().offset(),
            "delivery",
            job.deliveries()
        };
    }

    private void bury(TakenJob job) {
        dead.increment();
        job.finish();
    }

    @Override
    public Counts counts() {
        return new Counts(
                delivered.sum(),
                redelivered.sum(),
                postponed.sum(),
                acknowledged.sum(),
                failed.sum(),
                dead.sum(),
                lost.sum());
    }

    @Override
    public void close() {
        isClosed = true;
        watch.thenAccept(Bus.Watch::close);
        engine.inProcess.forget(this);
    }

    private final class TakenJob implements Job {
        private final Delivery delivery;
        private final AtomicBoolean hasPlace = new AtomicBoolean(true);
        private final TimeSource.Timer timer;

        TakenJob(Delivery delivery) {
            this.delivery = delivery;
            this.timer = engine.threads.time().schedule(options.visibility, this::givePlace);
        }

        @Override
        public Publication publication() {
            return delivery.publication();
        }

        @Override
        public int deliveries() {
            return delivery.count();
        }

        @Override
        public CompletionStage<Void> acknowledge() {
            return engine.calls.forHost(finish().whenComplete((done, failure) -> {
                if (failure == null) {
                    acknowledged.increment();
                }
            }));
        }

        @CanIgnoreReturnValue
        CompletionStage<Void> finish() {
            CompletionStage<Void> asked = engine.calls.store(
                    "acknowledgement in " + channel,
                    () -> options.queues.acknowledge(
                            channel, options.group, List.of(publication().offset())));
            timer.cancel();
            givePlace();
            return asked;
        }

        private void givePlace() {
            if (hasPlace.compareAndSet(true, false)) {
                free.incrementAndGet();
                more();
            }
        }
    }
}
