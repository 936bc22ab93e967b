package dev.fanfare.internal;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.Workers;
import dev.fanfare.spi.WorkQueues;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What the host asked for when it starts workers. Not thread-safe. */
final class WorkersBuilder implements Workers.Builder {

    private final Engine engine;
    final WorkQueues queues;
    final ChannelId channel;
    final String group;
    int concurrency = 8;
    Duration visibility = Duration.ofMinutes(1);
    int maxDeliveries = 5;

    @Nullable
    ChannelId deadLetters;

    WorkersBuilder(Engine engine, WorkQueues queues, ChannelId channel, String group) {
        this.engine = engine;
        this.queues = queues;
        this.channel = channel;
        this.group = group;
    }

    @Override
    @CanIgnoreReturnValue
    public WorkersBuilder concurrency(int jobs) {
        this.concurrency = between(jobs, 1000, "jobs");
        return this;
    }

    @Override
    @CanIgnoreReturnValue
    public WorkersBuilder visibility(Duration time) {
        if (time.compareTo(Duration.ofMillis(100)) < 0 || time.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException("time must be in [PT0.1S, PT24H]: " + time);
        }
        this.visibility = time;
        return this;
    }

    @Override
    @CanIgnoreReturnValue
    public WorkersBuilder maxDeliveries(int times) {
        this.maxDeliveries = between(times, 1000, "times");
        return this;
    }

    @Override
    @CanIgnoreReturnValue
    public WorkersBuilder deadLetters(ChannelId letters) {
        requireNonNull(letters, "letters");
        if (letters.equals(channel)) {
            throw new IllegalArgumentException("Dead letters in " + channel + " itself would be jobs again");
        }
        engine.requireRetained(letters, "Dead letters are what a log retains");
        this.deadLetters = letters;
        return this;
    }

    private static int between(int number, int most, String name) {
        if (number < 1 || number > most) {
            throw new IllegalArgumentException(name + " must be in [1, " + most + "]: " + number);
        }
        return number;
    }

    @Override
    public Workers start(Workers.Handler handler) {
        return engine.start(new JobRunner(engine, this, requireNonNull(handler, "handler")));
    }
}
