package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Authenticator;
import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.PublishResult;
import dev.fanfare.Resume;
import dev.fanfare.RpcHandler;
import dev.fanfare.SubscriptionAuthenticator;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.presence.PresenceEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** F6 of the conformance list: whatever calls the host, the host may call anything. */
@ParameterizedClass
@EnumSource(Wire.class)
class CallbacksConformanceTest {

    private static final ChannelId EXTRA = ChannelId.of("extra");
    private static final int CLIENTS = 10;

    private final Wire wire;
    private final AtomicInteger disconnected = new AtomicInteger();
    /** Which callback sends its client away. */
    private volatile String leaving = "";

    private final Fanfare fanfare = Fanfare.builder()
            .namespace("", rules -> rules.retain(10, Duration.ofMinutes(5)).presence())
            .authorizer((user, action, channel) -> meddle("authorizer", user))
            .subscriptionAuthenticator(shown -> {
                meddle("judge", shown.connection().user());
                return CompletableFuture.completedFuture(SubscriptionAuthenticator.Granted.forever());
            })
            .rpcHandler(call -> {
                meddle("rpc", call.connection().user());
                return CompletableFuture.completedFuture(new RpcHandler.Reply.Ok(call.data()));
            })
            .messageHandler((connection, data) -> leave(connection.user()))
            .listener(new Meddler())
            .build();
    private final NettyTransport transport = NettyTransport.builder(fanfare)
            .host("localhost")
            .port(0)
            .authenticator(shown -> {
                meddle("authenticator", shown.token());
                return CompletableFuture.completedFuture(Authenticator.Accepted.user(shown.token()));
            })
            .start();
    private final List<ProtocolClient> clients = new ArrayList<>();

    CallbacksConformanceTest(Wire wire) {
        this.wire = wire;
    }

    @AfterEach
    void close() {
        clients.forEach(ProtocolClient::close);
        fanfare.close();
        transport.close();
    }

    /** Does what a host may do, without waiting. */
    private boolean meddle(String callback, String user) {
        fanfare.connections().subscribe(user, EXTRA);
        fanfare.connections().unsubscribe(user, EXTRA);
        fanfare.connections().of(user);
        fanfare.presence(EXTRA);
        if (callback.equals(leaving)) {
            fanfare.connections().disconnect(user, DisconnectReason.FORCE_DISCONNECT);
        }
        return true;
    }

    private void leave(String user) {
        meddle("leave", user);
        fanfare.connections().disconnect(user, DisconnectReason.FORCE_DISCONNECT);
    }

    private final class Meddler implements FanfareListener {
        @Override
        public void onConnect(ConnectionInfo connection) {
            meddle("connect", connection.user());
        }

        @Override
        public void onSubscribe(@Nullable ConnectionInfo connection, ChannelId channel, Resume resume) {
            if (!channel.equals(EXTRA)) {
                meddle("subscribe", "user");
                fanfare.publish("log", "1");
            }
        }

        @Override
        public void onUnsubscribe(@Nullable ConnectionInfo connection, ChannelId channel, UnsubscribeReason reason) {
            if (!channel.equals(EXTRA)) {
                meddle("unsubscribe", "user");
            }
        }

        @Override
        public void onPublish(ChannelId channel, PublishResult result) {
            if (channel.value().equals("c")) {
                meddle("publish", "user");
            }
        }

        @Override
        public void onPresence(ChannelId channel, PresenceEvent event) {
            if (channel.value().equals("c")) {
                meddle("presence", event.member().user());
            }
        }

        @Override
        public void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {
            leave(connection.user());
            disconnected.incrementAndGet();
        }
    }

    @Test
    void everyCallbackMayCallBack() {
        for (int i = 0; i < CLIENTS; i++) {
            ProtocolClient client = new ProtocolClient(transport.port(), wire, "");
            clients.add(client);
            client.connect("user");
            client.subscribe("c");
            client.call("publish", "{'channel':'c','data':" + i + "}");
            assertThat(client.call("rpc", "{'method':'m','data':1}")
                            .at("/rpc/data")
                            .asInt())
                    .isEqualTo(1);
        }

        clients.get(0).send("{'send':{'data':1}}");

        for (ProtocolClient client : clients) {
            assertThat(client.closeCode()).isEqualTo(3503);
        }
        await().until(() -> disconnected.get() == CLIENTS);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "connect     | connect {'token':'user'}",
                "authorizer  | connect {'token':'user'}; subscribe {'channel':'c'}",
                "judge       | connect {'token':'user'}; subscribe {'channel':'c','token':'t'}",
                "subscribe   | connect {'token':'user'}; subscribe {'channel':'c'}",
                "presence    | connect {'token':'user'}; subscribe {'channel':'c'}",
                "publish     | connect {'token':'user'}; subscribe {'channel':'c'}; publish {'channel':'c','data':1}",
                "rpc         | connect {'token':'user'}; subscribe {'channel':'c'}; rpc {'method':'m','data':1}",
                "unsubscribe | connect {'token':'user'}; subscribe {'channel':'c'}; unsubscribe {'channel':'c'}"
            })
    void everyCallbackMaySendItsClientAway(String callback, String conversation) {
        leaving = callback;
        ProtocolClient client = new ProtocolClient(transport.port(), wire, "");
        clients.add(client);

        String[] steps = conversation.split("; ");
        for (int i = 0; i < steps.length; i++) {
            int id = client.begin(steps[i].split(" ")[0], steps[i].split(" ")[1]);
            if (i < steps.length - 1) {
                client.reply(id);
            }
        }

        assertThat(client.closeCode()).isEqualTo(3503);
        await().until(() -> disconnected.get() == 1);
        assertThat(fanfare.stats().connections()).isZero();
    }
}
