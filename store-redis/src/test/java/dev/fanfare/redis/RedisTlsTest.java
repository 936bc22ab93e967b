package dev.fanfare.redis;

import static dev.fanfare.redis.TwoNodes.CHANNEL;
import static dev.fanfare.redis.TwoNodes.admin;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.StoreException;
import dev.fanfare.presence.Member;
import dev.fanfare.servers.RedisCluster;
import dev.fanfare.servers.RedisServer;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Redis behind TLS, and a cluster of them, with a certificate that it signed itself. */
class RedisTlsTest {

    @TempDir
    Path folder;

    @Test
    void aCertificateIsAcceptedOnlyIfItIsTrusted() throws Exception {
        SelfSigned own = new SelfSigned(folder);
        try (RedisServer server = RedisServer.startWithTls(own.certificate, own.key)) {
            String uri = "rediss://127.0.0.1:" + server.tlsPort();

            try (TwoNodes nodes = new TwoNodes(uri, options -> options.trustedCertificates(own.certificate))) {
                nodes.publish(20);
                nodes.settle();
                assertThat(nodes.storeA.state().isGood()).isTrue();
            }
            assertThatThrownBy(() -> RedisStore.of(uri)).isInstanceOf(StoreException.class);
        }
    }

    @Test
    void aUserWithFewRightsIsEnoughOnAClusterThatSpeaksTls() throws Exception {
        SelfSigned own = new SelfSigned(folder);
        try (RedisCluster cluster = RedisCluster.startWithTls(own.certificate, own.key)) {
            for (int i = 0; i < 3; i++) {
                admin(cluster.server(i).uri(), RedisTlsTest::addUser);
            }
            String uri = cluster.uri("rediss-cluster://fan:secret@");

            // Many handshakes on a busy machine take their time.
            try (TwoNodes nodes = new TwoNodes(
                    uri, options -> options.trustedCertificates(own.certificate).timeout(Duration.ofSeconds(10)))) {
                nodes.publish(50);
                nodes.settle();
                Member ana = new Member("ana", "c1", null);
                nodes.storeA
                        .presence()
                        .renew("n1", Duration.ofSeconds(5))
                        .thenCompose(
                                renewed -> nodes.storeA.presence().enter("n1", CHANNEL, ana, Duration.ofSeconds(1)))
                        .toCompletableFuture()
                        .join();
                assertThat(nodes.storeB.control().nodes().toCompletableFuture().join())
                        .hasSize(2);
                assertThat(nodes.onA.resets).isEmpty();
                assertThat(nodes.storeA.state().isGood()).isTrue();
                assertThat(nodes.storeB.state().reconnects()).isZero();
            }
            assertThatThrownBy(() -> RedisStore.of(uri)).isInstanceOf(StoreException.class);
            assertThatThrownBy(() -> RedisStore.builder(cluster.uri("rediss-cluster://fan:wrong-word@"))
                            .trustedCertificates(own.certificate)
                            .build())
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("WRONGPASS")
                    .hasMessageNotContaining("wrong-word");
        }
    }

    private static void addUser(RedisCommands<String, String> redis) {
        redis.dispatch(
                CommandType.ACL,
                new StatusOutput<>(StringCodec.UTF8),
                new CommandArgs<>(StringCodec.UTF8)
                        .add("SETUSER")
                        .add("fan")
                        .add("on")
                        .add(">secret")
                        .add("~fanfare:*")
                        .add("&fanfare:*")
                        .add("+@all")
                        .add("-@admin")
                        .add("-@dangerous")
                        .add("+info")
                        .add("+cluster|slots"));
    }
}
