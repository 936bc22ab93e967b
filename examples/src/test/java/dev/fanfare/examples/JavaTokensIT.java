package dev.fanfare.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.centrifugal.centrifuge.Client;
import io.github.centrifugal.centrifuge.ConnectedEvent;
import io.github.centrifugal.centrifuge.ConnectingEvent;
import io.github.centrifugal.centrifuge.ConnectionTokenEvent;
import io.github.centrifugal.centrifuge.ConnectionTokenGetter;
import io.github.centrifugal.centrifuge.DisconnectedEvent;
import io.github.centrifugal.centrifuge.EventListener;
import io.github.centrifugal.centrifuge.Options;
import io.github.centrifugal.centrifuge.SubscribedEvent;
import io.github.centrifugal.centrifuge.SubscribingEvent;
import io.github.centrifugal.centrifuge.Subscription;
import io.github.centrifugal.centrifuge.SubscriptionEventListener;
import io.github.centrifugal.centrifuge.SubscriptionOptions;
import io.github.centrifugal.centrifuge.SubscriptionTokenEvent;
import io.github.centrifugal.centrifuge.SubscriptionTokenGetter;
import io.github.centrifugal.centrifuge.TokenCallback;
import io.github.centrifugal.centrifuge.UnsubscribedEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the published Java client, over Protobuf, does with tokens that end. */
@Timeout(60)
class JavaTokensIT {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static TestServer server;

    private final List<Client> clients = new ArrayList<>();
    private final List<String> story = new CopyOnWriteArrayList<>();
    private final AtomicInteger asked = new AtomicInteger();

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void disconnectEverybody() throws InterruptedException {
        for (Client client : clients) {
            client.close(5_000);
        }
    }

    @Test
    void aConnectionIsRefreshedAgainAndAgainAndNeverReconnects() {
        connect("", () -> token("{\"sub\":\"ada\"", 2));

        await().atMost(PATIENCE).until(() -> asked.get() >= 4);

        assertThat(story).containsExactly("connecting 0", "connected");
    }

    @Test
    void aClientWhoseTokenIsExpiredFetchesANewOneAndConnects() {
        connect(token("{\"sub\":\"ada\"", -10), () -> token("{\"sub\":\"ada\"", 600));

        await().atMost(PATIENCE).until(() -> story.contains("connected"));

        assertThat(asked).hasValue(1);
    }

    @Test
    void aForgedTokenIsTheEnd() {
        connect(token("{\"sub\":\"ada\"", 600) + "x", () -> "");

        await().atMost(PATIENCE).until(() -> story.contains("disconnected 3500"));

        assertThat(story).doesNotContain("connected");
    }

    @Test
    void aSubscriptionIsRefreshedAgainAndAgainAndNeverSubscribesAnew() throws Exception {
        String claims = "{\"sub\":\"ada\",\"channel\":\"room:tokens:forbidden\"";
        Client client = connect(token("{\"sub\":\"ada\"", 600), () -> "");

        subscribe(client, "", () -> token(claims, 2));
        await().atMost(PATIENCE).until(() -> asked.get() >= 4);

        assertThat(story).containsOnlyOnce("subscribing 0", "subscribed").noneMatch(each -> each.contains("uns"));
    }

    /** This version of the client gives up then; newer ones fetch a new token. */
    @Test
    void anExpiredSubscriptionTokenIsToldAsSuch() throws Exception {
        String claims = "{\"sub\":\"ada\",\"channel\":\"room:tokens:forbidden\"";
        Client client = connect(token("{\"sub\":\"ada\"", 600), () -> "");

        subscribe(client, token(claims, -10), () -> token(claims, 600));
        await().atMost(PATIENCE).until(() -> story.contains("unsubscribed 109"));

        assertThat(story).noneMatch(each -> each.startsWith("disconnected"));
    }

    @Test
    void aForgedSubscriptionTokenIsRefused() throws Exception {
        Client client = connect(token("{\"sub\":\"ada\"", 600), () -> "");

        subscribe(client, "forged", () -> "");

        await().atMost(PATIENCE).until(() -> story.contains("unsubscribed 103"));
        assertThat(story).noneMatch(each -> each.startsWith("disconnected"));
    }

    private static String token(String claims, int seconds) {
        long exp = Instant.now().getEpochSecond() + seconds;
        String signed = encoded("{\"alg\":\"HS256\"}".getBytes(UTF_8)) + "."
                + encoded((claims + ",\"exp\":" + exp + "}").getBytes(UTF_8));
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(TestServer.SECRET.getBytes(UTF_8), "HmacSHA256"));
            return signed + "." + encoded(mac.doFinal(signed.getBytes(UTF_8)));
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String encoded(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private Client connect(String token, Supplier<String> next) {
        Options options = new Options();
        options.setToken(token);
        options.setTokenGetter(new ConnectionTokenGetter() {
            @Override
            public void getConnectionToken(ConnectionTokenEvent event, TokenCallback callback) {
                asked.incrementAndGet();
                callback.Done(null, next.get());
            }
        });
        Client client = new Client(server.url().replace("http", "ws") + "/connection/websocket", options, new Events());
        clients.add(client);
        client.connect();
        return client;
    }

    private void subscribe(Client client, String token, Supplier<String> next) throws Exception {
        SubscriptionOptions options = new SubscriptionOptions();
        options.setToken(token);
        options.setTokenGetter(new SubscriptionTokenGetter() {
            @Override
            public void getSubscriptionToken(SubscriptionTokenEvent event, TokenCallback callback) {
                asked.incrementAndGet();
                callback.Done(null, next.get());
            }
        });
        client.newSubscription("room:tokens:forbidden", options, new SubscriptionEvents())
                .subscribe();
    }

    private final class Events extends EventListener {
        @Override
        public void onConnecting(Client client, ConnectingEvent event) {
            story.add("connecting " + event.getCode());
        }

        @Override
        public void onConnected(Client client, ConnectedEvent event) {
            story.add("connected");
        }

        @Override
        public void onDisconnected(Client client, DisconnectedEvent event) {
            story.add("disconnected " + event.getCode());
        }
    }

    private final class SubscriptionEvents extends SubscriptionEventListener {
        @Override
        public void onSubscribing(Subscription subscription, SubscribingEvent event) {
            story.add("subscribing " + event.getCode());
        }

        @Override
        public void onSubscribed(Subscription subscription, SubscribedEvent event) {
            story.add("subscribed");
        }

        @Override
        public void onUnsubscribed(Subscription subscription, UnsubscribedEvent event) {
            story.add("unsubscribed " + event.getCode());
        }
    }
}
