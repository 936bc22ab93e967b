package dev.fanfare.bench.load;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One run: connects the readers, publishes what is due, waits for the rest, and ends.
 *
 * <p>Everything happens on one event loop, so that the load takes one core and leaves the others to the server.
 *
 * <p><b>Threading:</b> confined to that loop, but for {@link #run}.
 */
final class Run {

    /** How it ended; the ledger has the rest. */
    record Outcome(
            Ledger ledger,
            Duration cost,
            int refused,
            int incomplete,
            @Nullable String fault) {

        /** Tells whether all readers received everything once and in order. */
        boolean isClean() {
            return refused == 0
                    && incomplete == 0
                    && fault == null
                    && ledger.repeated() == 0
                    && ledger.disordered() == 0;
        }
    }

    /** So many connections are being made at a time. */
    private static final int AT_A_TIME = 100;

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(50);
    private static final Duration SETTLE = Duration.ofMillis(500);

    private final Target target;
    private final Plan plan;
    private final Load.Readers kind;
    private final ServerCost server;
    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(
            1, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    private final EventLoop loop = loops.next();
    private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    private final Ledger ledger;
    private final List<Reader<?>> readers = new ArrayList<>();
    private final List<Publisher> publishers = new ArrayList<>();
    private int openReaders;
    private int published;
    private long startNanos;
    private Duration costBefore = Duration.ZERO;
    private Duration cost = Duration.ZERO;
    private long seenDeliveries;
    private long seenNanos;
    private @Nullable String fault;

    Run(Target target, Plan plan, Load.Readers kind, ServerCost server) {
        this.target = target;
        this.plan = plan;
        this.kind = kind;
        this.server = server;
        this.ledger = new Ledger(plan);
    }

    /** Runs to the end. */
    Outcome run() {
        try {
            loop.execute(() -> {
                for (int i = 0; i < Math.min(AT_A_TIME, plan.readers()); i++) {
                    connectReader();
                }
            });
            return outcome.join();
        } finally {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    // ---- connecting

    private void connectReader() {
        int number = readers.size();
        if (number < plan.readers()) {
            Reader<?> reader = reader(number);
            readers.add(reader);
            connect(channel -> reader.addTo(channel.pipeline()));
        }
    }

    private Reader<?> reader(int number) {
        String channel = target.channel(number % plan.channels());
        Consumer<@Nullable String> opened = this::opened;
        return kind.transport == Transport.WEBSOCKET
                ? new WebSocketReader(target, channel, opened, publication -> received(number, publication))
                : new EventReader(target, channel, opened, publication -> received(number, publication));
    }

    private void received(int reader, int publication) {
        ledger.received(reader, publication, System.nanoTime());
    }

    private void opened(@Nullable String failure) {
        if (failure != null) {
            fault = fault == null ? failure : fault;
            if (startNanos == 0) {
                finish();
            }
            return;
        }
        openReaders++;
        if (openReaders == plan.readers()) {
            IntStream.range(0, plan.publishers()).forEach(i -> connectPublisher());
            loop.schedule(this::start, SETTLE.toMillis(), TimeUnit.MILLISECONDS);
        } else {
            connectReader();
        }
    }

    private void connectPublisher() {
        Publisher publisher = new Publisher(target, plan, kind.payloadBytes);
        publishers.add(publisher);
        connect(channel -> publisher.addTo(channel.pipeline()));
    }

    private void connect(Consumer<Channel> initializer) {
        ChannelFuture connected = new Bootstrap()
                .group(loop)
                .channel(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        initializer.accept(channel);
                    }
                })
                .connect(target.host(), target.port());
        connected.addListener((ChannelFutureListener) done -> {
            if (!done.isSuccess()) {
                opened(String.valueOf(done.cause()));
            }
        });
    }

    // ---- publishing

    private void start() {
        startNanos = System.nanoTime();
        ledger.started(startNanos);
        for (int i = 0; i < kind.stalled; i++) {
            readers.get(i).stall(true);
        }
        publishDue();
    }

    private void publishDue() {
        long now = System.nanoTime() - startNanos;
        while (published < plan.publications() && plan.dueNanos(published) <= now) {
            if (published == plan.firstMeasured()) {
                costBefore = server.used();
            }
            publishers.get(plan.publisherOf(published)).publish(published);
            published++;
        }
        if (published < plan.publications()) {
            long wait = plan.dueNanos(published) - (System.nanoTime() - startNanos);
            loop.schedule(this::publishDue, Math.max(0, wait), TimeUnit.NANOSECONDS);
        } else {
            readers.forEach(reader -> reader.stall(false));
            seenNanos = System.nanoTime();
            awaitRest();
        }
    }

    // ---- ending

    private void awaitRest() {
        cost = server.used().minus(costBefore);
        long now = System.nanoTime();
        if (ledger.deliveries() != seenDeliveries) {
            seenDeliveries = ledger.deliveries();
            seenNanos = now;
        }
        if (ledger.deliveries() >= ledger.expected()
                || now - seenNanos > patience().toNanos()) {
            finish();
        } else {
            loop.schedule(this::awaitRest, LOOK_AGAIN.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** Returns how long to wait for what does not come: not long if the server did not take it in the first place. */
    private Duration patience() {
        return publishers.stream().anyMatch(publisher -> publisher.fault() != null) ? SETTLE : PATIENCE;
    }

    private void finish() {
        int refused = 0;
        for (Publisher publisher : publishers) {
            refused += publisher.refused();
            fault = fault == null ? publisher.fault() : fault;
        }
        int incomplete = Math.toIntExact(IntStream.range(0, plan.readers())
                .filter(reader -> !ledger.isComplete(reader))
                .count());
        outcome.complete(new Outcome(ledger, cost, refused, incomplete, fault));
    }
}
