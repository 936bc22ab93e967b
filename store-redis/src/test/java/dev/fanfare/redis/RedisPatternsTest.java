package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.PATIENCE;
import static dev.fanfare.redis.TwoNodes.admin;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.PatternSubscriber;
import dev.fanfare.PatternSubscription;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.StoreException;
import dev.fanfare.servers.RedisServer;
import io.lettuce.core.AclCategory;
import io.lettuce.core.AclSetuserArgs;
import io.lettuce.core.KillArgs;
import io.lettuce.core.protocol.CommandType;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** Subscriptions by pattern, through PSUBSCRIBE. */
class RedisPatternsTest {

    private static final class Heard implements PatternSubscriber {
        final List<String> events = new CopyOnWriteArrayList<>();

        @Override
        public void onPublication(ChannelId channel, Publication publication) {
            events.add(channel + "=" + publication.data().text().charAt(0));
        }

        @Override
        public void onMissed(ChannelId channel) {
            events.add("missed " + channel);
        }

        @Override
        public void onInterrupted() {
            events.add("interrupted");
        }
    }

    private static Fanfare fanfare(RedisStore store) {
        return Fanfare.builder()
                .store(store)
                .namespace("metrics", rules -> rules.retain(100, Duration.ofHours(1)))
                .namespace("typing", rules -> rules)
                .build();
    }

    private static void publish(Fanfare node, String channel, String text) {
        assertThat(node.publish(ChannelId.of(channel), Payload.of(text), PublishOptions.none())
                        .toCompletableFuture()
                        .join()
                        .isAccepted())
                .isTrue();
    }

    @Test
    void otherNodesAreHeardThroughOneSubscriptionAndWhatWasLostMeanwhileIsTold() {
        try (RedisServer server = RedisServer.start();
                RedisStore storeA = RedisStore.of(server.uri());
                RedisStore storeB = RedisStore.of(server.uri());
                Fanfare a = fanfare(storeA);
                Fanfare b = fanfare(storeB)) {
            Heard heard = new Heard();
            PatternSubscription subscription = a.subscribeMatching("metrics:*", heard);
            subscription.ready().toCompletableFuture().join();

            publish(b, "metrics:cpu", "1");
            publish(b, "typing:x", "elsewhere");
            publish(b, "metrics:cpu", "2".repeat(50_000));
            publish(b, "metrics:cpu", "3");
            await().atMost(PATIENCE).until(() -> heard.events.size() == 3);
            assertThat(heard.events).containsExactly("metrics:cpu=1", "metrics:cpu=2", "metrics:cpu=3");
            admin(server.uri(), redis -> assertThat(redis.pubsubNumpat()).isEqualTo(1));

            admin(server.uri(), redis -> redis.clientKill(KillArgs.Builder.typePubsub()));
            publish(b, "metrics:cpu", "4");
            await().atMost(PATIENCE).until(() -> heard.events.contains("interrupted"));
            publish(b, "metrics:cpu", "5");
            await().atMost(PATIENCE).until(() -> heard.events.contains("metrics:cpu=5"));
            assertThat(heard.events.stream().filter(event -> event.startsWith("metrics")))
                    .containsExactly(
                            "metrics:cpu=1", "metrics:cpu=2", "metrics:cpu=3", "metrics:cpu=4", "metrics:cpu=5");

            subscription.close();
            admin(server.uri(), redis -> await().atMost(PATIENCE).until(() -> redis.pubsubNumpat() == 0));
        }
    }

    @Test
    void aUserMustBeAllowedTheVeryPattern() {
        try (RedisServer server = RedisServer.start()) {
            AclSetuserArgs few = AclSetuserArgs.Builder.on()
                    .addPassword("secret")
                    .keyPattern("fanfare:*")
                    .channelPattern("fanfare:*")
                    .allCommands()
                    .removeCategory(AclCategory.ADMIN)
                    .removeCategory(AclCategory.DANGEROUS)
                    .addCommand(CommandType.INFO);
            admin(server.uri(), redis -> redis.aclSetuser("fan", few));
            try (RedisStore store = RedisStore.of("redis://fan:secret@127.0.0.1:" + server.port());
                    Fanfare fanfare = fanfare(store)) {
                assertThatThrownBy(() -> fanfare.subscribeMatching("metrics:*", new Heard())
                                .ready()
                                .toCompletableFuture()
                                .join())
                        .hasCauseInstanceOf(StoreException.class);

                admin(
                        server.uri(),
                        redis -> redis.aclSetuser(
                                "fan", AclSetuserArgs.Builder.channelPattern("fanfare:1:b:{*}metrics:*")));
                Heard heard = new Heard();
                fanfare.subscribeMatching("metrics:*", heard)
                        .ready()
                        .toCompletableFuture()
                        .join();
                publish(fanfare, "metrics:a", "1");
                await().atMost(PATIENCE).until(() -> heard.events.contains("metrics:a=1"));
            }
        }
    }
}
