package dev.fanfare.engine;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.StartAt;
import dev.fanfare.Subscriber;
import dev.fanfare.Subscription;
import dev.fanfare.spi.Store;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingFormat;
import dev.fanfare.testkit.RecordingOutlet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A Fanfare in which nothing moves by itself: time stands still, and its event loop and host executor run
 * when the test says so.
 */
final class ManualNode implements AutoCloseable {

    final ManualTime time;
    final ManualLoop host = new ManualLoop();
    final ManualLoop loop = new ManualLoop();
    final RecordingFormat format = new RecordingFormat();
    final Fanfare fanfare;
    private final List<ManualLoop> loops = new ArrayList<>(List.of(host, loop));
    private final List<RecordingOutlet> outlets = new ArrayList<>();
    private final List<Runnable> ends = new ArrayList<>();

    ManualNode(Store store, ManualTime time, UnaryOperator<FanfareBuilder> settings) {
        this(store, time, settings, null);
    }

    /** Starts a node with another host executor, if one is given. */
    ManualNode(Store store, ManualTime time, UnaryOperator<FanfareBuilder> settings, @Nullable Executor hostExecutor) {
        this.time = time;
        FanfareBuilder builder = Fanfare.builder()
                .store(store)
                .timeSource(time)
                .hostExecutor(hostExecutor == null ? host : hostExecutor);
        this.fanfare = settings.apply(builder).build();
    }

    /** Starts a node where everybody may do everything. */
    static ManualNode open(Store store, ManualTime time, UnaryOperator<FanfareBuilder> settings) {
        return new ManualNode(store, time, builder -> settings.apply(builder.authorizer(Authorizer.allowAll())));
    }

    ManualLoop newLoop() {
        ManualLoop fresh = new ManualLoop();
        loops.add(fresh);
        return fresh;
    }

    /** Connects an anonymous client on the first loop. */
    RecordingOutlet connect() {
        return connect("");
    }

    RecordingOutlet connect(String user) {
        return connect(user, loop, format);
    }

    RecordingOutlet connect(String user, ManualLoop on, RecordingFormat as) {
        RecordingOutlet outlet = RecordingOutlet.connect(fanfare, on, as, user);
        outlets.add(outlet);
        return outlet;
    }

    /** Connects and subscribes an anonymous client, and forgets what it saw until then. */
    RecordingOutlet subscribed(String channel, StartAt start) {
        RecordingOutlet outlet = connect().subscribe(channel, start);
        settle();
        outlet.takeEvents();
        return outlet;
    }

    @CanIgnoreReturnValue
    Subscription subscribe(String channel, StartAt start, Subscriber subscriber) {
        Subscription subscription = fanfare.subscribe(ChannelId.of(channel), start, subscriber);
        endFirst(subscription::close);
        return subscription;
    }

    /** Has that done before the Fanfare is closed, while everything still runs. */
    void endFirst(Runnable end) {
        ends.add(end);
    }

    @CanIgnoreReturnValue
    PublishResult publish(String channel, String text) {
        return publish(channel, text, PublishOptions.none());
    }

    @CanIgnoreReturnValue
    PublishResult publish(String channel, String text, PublishOptions options) {
        return await(fanfare.publish(ChannelId.of(channel), Payload.of(text), options));
    }

    /** Publishes texts {@code from} to {@code to}, both included. */
    void publishMany(String channel, int from, int to) {
        for (int i = from; i <= to; i++) {
            publish(channel, Integer.toString(i));
        }
    }

    /** Publishes texts {@code from} to {@code to}, both included, all before anybody sees one. */
    void publishAtOnce(String channel, int from, int to) {
        for (int i = from; i <= to; i++) {
            fanfare.publish(ChannelId.of(channel), Payload.of(Integer.toString(i)), PublishOptions.none());
        }
        settle();
    }

    /** Lets everything run until the stage is complete, and returns what came of it. */
    <T> T await(CompletionStage<T> stage) {
        settle();
        if (!stage.toCompletableFuture().isDone()) {
            throw new AssertionError("Nothing more can happen, and the stage is not complete");
        }
        return stage.toCompletableFuture().join();
    }

    /** Runs loops and host code until there is nothing left to do at this time. */
    void settle() {
        boolean goesOn = true;
        for (int rounds = 0; goesOn; rounds++) {
            if (rounds > 100_000) {
                throw new AssertionError("The node does not come to rest");
            }
            goesOn = false;
            for (ManualLoop each : loops) {
                goesOn |= each.runOne();
            }
        }
    }

    /** Lets time pass, half a second at a time, with everything running meanwhile. */
    void pass(Duration duration) {
        Duration step = Duration.ofMillis(500);
        Duration left = duration;
        settle();
        while (left.compareTo(step) > 0) {
            time.advance(step);
            settle();
            left = left.minus(step);
        }
        time.advance(left);
        settle();
    }

    /** Lets all clients vanish and closes the Fanfare; may be called again. */
    @Override
    public void close() {
        outlets.forEach(RecordingOutlet::vanish);
        ends.forEach(Runnable::run);
        settle();
        fanfare.close();
    }
}
