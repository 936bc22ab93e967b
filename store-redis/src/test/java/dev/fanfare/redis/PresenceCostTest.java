package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.PATIENCE;
import static dev.fanfare.redis.TwoNodes.admin;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ClientLimits;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.StartAt;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.servers.RedisServer;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.RecordingFormat;
import dev.fanfare.testkit.RecordingOutlet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * To keep members present costs commands per node, not per member. Of more members with {@code
 * -Dfanfare.members=10000}.
 */
class PresenceCostTest {

    private static final int MEMBERS = Integer.getInteger("fanfare.members", 2_000);
    private static final int OF_EACH_CONNECTION = 100;
    private static final Duration LEASE = Duration.ofSeconds(6);
    /** At least one heartbeat of each node, two sweeps, and what nodes tell each other. */
    private static final Duration WINDOW = Duration.ofMillis(2_500);

    private static final int FEW_COMMANDS = 200;

    private final AtomicInteger joins = new AtomicInteger();
    private final ManualLoop loop = new ManualLoop();
    private final RecordingFormat format = new RecordingFormat();

    @Test
    void manyMembersAreRefreshedWithFewCommands() {
        try (RedisServer server = RedisServer.start();
                RedisStore storeA = RedisStore.of(server.uri());
                RedisStore storeB = RedisStore.of(server.uri());
                Fanfare a = fanfare(storeA);
                Fanfare b = fanfare(storeB)) {
            List<RecordingOutlet> outlets = new ArrayList<>();
            for (int i = 0; i < MEMBERS / OF_EACH_CONNECTION; i++) {
                outlets.add(enterMany(i % 2 == 0 ? a : b, i));
            }

            admin(server.uri(), redis -> {
                redis.configResetstat();
                await().pollDelay(WINDOW).atMost(PATIENCE).until(() -> true);
                CommandStats stats = CommandStats.of(redis);
                System.out.printf("%d members, commands in %s: %s%n", MEMBERS, WINDOW, stats);
                assertThat(stats.calls("zadd")).as("leases renewed").isPositive();
                assertThat(stats.all()).as(stats.toString()).isLessThan(FEW_COMMANDS);
            });
            assertThat(b.presence("room:0-0").toCompletableFuture().join().users())
                    .as("still there")
                    .isEqualTo(1);
            outlets.forEach(RecordingOutlet::vanish);
            loop.runAll();
        }
    }

    /** Lets one connection enter many channels, and waits until it has joined all. */
    private RecordingOutlet enterMany(Fanfare node, int number) {
        int before = joins.get();
        RecordingOutlet outlet = RecordingOutlet.connect(node, loop, format, "user" + number);
        for (int i = 0; i < OF_EACH_CONNECTION; i++) {
            outlet.subscribe("room:" + number + '-' + i, StartAt.live());
        }
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(2)).until(() -> {
            loop.runAll();
            return joins.get() == before + OF_EACH_CONNECTION;
        });
        return outlet;
    }

    private Fanfare fanfare(RedisStore store) {
        return Fanfare.builder()
                .store(store)
                .presenceLease(LEASE)
                .limits(ClientLimits.unlimited())
                .authorizer(Authorizer.allowAll())
                .namespace("room", rules -> rules.presence())
                .listener(new FanfareListener() {
                    @Override
                    public void onPresence(ChannelId channel, PresenceEvent event) {
                        joins.incrementAndGet();
                    }
                })
                .build();
    }
}
