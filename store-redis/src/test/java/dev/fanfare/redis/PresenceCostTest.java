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

/** To keep members present costs commands per node, not per member. */
class PresenceCostTest {

    private static final int CONNECTIONS = 100;
    private static final int CHANNELS_OF_EACH = 100;
    private static final int MEMBERS = CONNECTIONS * CHANNELS_OF_EACH;
    private static final Duration LEASE = Duration.ofSeconds(3);
    /** Two heartbeats of each node. */
    private static final Duration WINDOW = Duration.ofSeconds(2);

    private final AtomicInteger joins = new AtomicInteger();

    @Test
    void tenThousandMembersAreRefreshedWithAsFewCommandsAsNone() {
        ManualLoop loop = new ManualLoop();
        RecordingFormat format = new RecordingFormat();
        try (RedisServer server = RedisServer.start();
                RedisStore storeA = RedisStore.of(server.uri());
                RedisStore storeB = RedisStore.of(server.uri());
                Fanfare a = fanfare(storeA);
                Fanfare b = fanfare(storeB)) {
            long ofNone = commandsInAWindow(server);

            List<RecordingOutlet> outlets = new ArrayList<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                RecordingOutlet outlet = RecordingOutlet.connect(i % 2 == 0 ? a : b, loop, format, "user" + i);
                outlets.add(outlet);
                for (int j = 0; j < CHANNELS_OF_EACH; j++) {
                    outlet.subscribe("room:" + i + '-' + j, StartAt.live());
                }
            }
            await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(() -> {
                loop.runAll();
                return joins.get() == MEMBERS;
            });
            long ofMany = commandsInAWindow(server);

            assertThat(ofNone).isPositive();
            assertThat(ofMany)
                    .as("commands with %d members, %d with none", MEMBERS, ofNone)
                    .isLessThan(2 * ofNone + 50);
            assertThat(b.presence("room:0-0").toCompletableFuture().join().users())
                    .as("still there")
                    .isEqualTo(1);
            outlets.forEach(RecordingOutlet::vanish);
            loop.runAll();
        }
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

    private static long commandsInAWindow(RedisServer server) {
        long[] count = new long[1];
        admin(server.uri(), redis -> {
            redis.configResetstat();
            await().pollDelay(WINDOW).atMost(PATIENCE).until(() -> true);
            CommandStats stats = CommandStats.of(redis);
            System.out.println("Commands in " + WINDOW + ": " + stats);
            count[0] = stats.all();
        });
        return count[0];
    }
}
