package dev.fanfare.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Rejection;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.testkit.HistoryChecker;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A node with two thousand clients empties itself, while others publish, and nobody notices. */
class DrainIT {

    private static final int CLIENTS = 2_000;
    private static final int CHANNELS = 20;
    private static final int MOST_LAG = 50;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final AtomicInteger presenceEvents = new AtomicInteger();
    private final Map<Rejection, Integer> rejections = new ConcurrentHashMap<>();
    private final MemoryStore store = MemoryStore.create();
    private final Fanfare leaving = node();
    private final Fanfare staying = node();
    private final NettyTransport from = transport(leaving);
    private final NettyTransport to = transport(staying);
    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final HistoryChecker checker = new HistoryChecker();
    private final List<MovingClient> clients = new ArrayList<>();
    private final AtomicLongArray tops = new AtomicLongArray(CHANNELS);
    private final ExecutorService publisher = Executors.newSingleThreadExecutor();

    private Fanfare node() {
        return Fanfare.builder()
                .store(store)
                .namespace(
                        "room",
                        rules -> rules.retain(10_000, Duration.ofHours(1))
                                .recoveryLimit(10_000)
                                .presence()
                                .presenceGrace(Duration.ofMinutes(2))) // a busy machine takes its time
                .authorizer(Authorizer.allowAll())
                .listener(new FanfareListener() {
                    @Override
                    public void onReject(Rejection reason) {
                        rejections.merge(reason, 1, Integer::sum);
                    }

                    @Override
                    public void onPresence(ChannelId channel, PresenceEvent event) {
                        presenceEvents.incrementAndGet();
                    }
                })
                .build();
    }

    private static NettyTransport transport(Fanfare fanfare) {
        return NettyTransport.builder(fanfare)
                .host("localhost")
                .port(0)
                .eventLoopThreads(1)
                .pingInterval(Duration.ofMinutes(10)) // a busy machine is no matter here
                .handshakeTimeout(PATIENCE)
                .maxAuthentications(CLIENTS) // all come at once
                .authenticator(credentials ->
                        CompletableFuture.completedFuture(Authenticator.Accepted.user(credentials.token())))
                .start();
    }

    @AfterEach
    void close() {
        publisher.shutdownNow();
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        leaving.close();
        staying.close();
        from.close();
        to.close();
    }

    private static ChannelId channel(int number) {
        return ChannelId.of("room:" + number % CHANNELS);
    }

    @Test
    void twoThousandClientsMoveToAnotherNodeAndMissNothing() throws Exception {
        checker.payloadsAreUnique();
        for (int i = 0; i < CLIENTS; i++) {
            ChannelId channel = channel(i);
            clients.add(new MovingClient(loops, "user-" + i, channel, checker.client("user-" + i, channel), to.port()));
        }
        clients.forEach(client -> client.connect(from.port()));
        await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(leaving.stats().subscriptions()).as(this::progress).isEqualTo(CLIENTS);
            assertThat(presenceEvents).as(this::progress).hasValue(CLIENTS);
        });
        AtomicBoolean goesOn = new AtomicBoolean(true);
        Future<Integer> published = publisher.submit(() -> publish(goesOn));

        leaving.drain(Duration.ofSeconds(5)).toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        assertThat(leaving.stats().connections()).as(this::progress).isZero();
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(staying.stats().subscriptions())
                        .as(this::progress)
                        .isEqualTo(CLIENTS));
        goesOn.set(false);
        assertThat(published.get(10, TimeUnit.SECONDS)).as("publications").isGreaterThan(CHANNELS);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(clients)
                        .as(this::progress)
                        .filteredOn(client -> lag(client) > 0)
                        .isEmpty());

        assertThat(clients).extracting(MovingClient::state).containsOnly("subscribed");
        clients.forEach(client -> client.seen().claimsEverything());
        checker.assertHolds();
        assertThat(clients.stream().map(MovingClient::closeCodes).distinct())
                .as("moved once, by 3001")
                .containsExactly(List.of(3001));
        assertThat(presenceEvents)
                .as("nobody was told that anybody left or came")
                .hasValue(CLIENTS);
    }

    /** Tells what a test that waited in vain wants to know. */
    private String progress() {
        return "turned away: " + rejections + "; clients: "
                + clients.stream().collect(Collectors.groupingBy(MovingClient::state, Collectors.counting()));
    }

    private long lag(MovingClient client) {
        return tops.get(Integer.parseInt(client.channel().value().substring(5))) - client.offset();
    }

    /**
     * Publishes to all rooms in turn, until told to stop; the last ones through the node that stays. It waits for one
     * reader of each room, so that a busy machine has no more to do than another.
     */
    private int publish(AtomicBoolean goesOn) throws Exception {
        int count = 0;
        while (goesOn.get()) {
            if (lag(clients.get(count % CHANNELS)) < MOST_LAG) {
                Fanfare node = count % 2 == 0 ? leaving : staying;
                Payload data = Payload.of("\"" + count + "\"");
                ChannelId channel = channel(count);
                PublishResult result = node.publish(channel, data, PublishOptions.none())
                        .toCompletableFuture()
                        .get(10, TimeUnit.SECONDS);
                checker.published(channel, data, result);
                tops.set(count % CHANNELS, result.position().orElseThrow().offset());
                count++;
            }
            TimeUnit.MILLISECONDS.sleep(2);
        }
        return count;
    }
}
