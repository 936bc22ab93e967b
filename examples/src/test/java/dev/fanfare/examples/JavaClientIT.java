package dev.fanfare.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.DisconnectReason;
import io.github.centrifugal.centrifuge.Client;
import io.github.centrifugal.centrifuge.ClientInfo;
import io.github.centrifugal.centrifuge.ConnectedEvent;
import io.github.centrifugal.centrifuge.ConnectingEvent;
import io.github.centrifugal.centrifuge.DisconnectedEvent;
import io.github.centrifugal.centrifuge.DuplicateSubscriptionException;
import io.github.centrifugal.centrifuge.EventListener;
import io.github.centrifugal.centrifuge.HistoryOptions;
import io.github.centrifugal.centrifuge.HistoryResult;
import io.github.centrifugal.centrifuge.JoinEvent;
import io.github.centrifugal.centrifuge.LeaveEvent;
import io.github.centrifugal.centrifuge.Options;
import io.github.centrifugal.centrifuge.PresenceResult;
import io.github.centrifugal.centrifuge.PresenceStatsResult;
import io.github.centrifugal.centrifuge.PublicationEvent;
import io.github.centrifugal.centrifuge.PublishResult;
import io.github.centrifugal.centrifuge.RPCResult;
import io.github.centrifugal.centrifuge.ReplyError;
import io.github.centrifugal.centrifuge.ResultCallback;
import io.github.centrifugal.centrifuge.SubscribedEvent;
import io.github.centrifugal.centrifuge.SubscribingEvent;
import io.github.centrifugal.centrifuge.Subscription;
import io.github.centrifugal.centrifuge.SubscriptionEventListener;
import io.github.centrifugal.centrifuge.SubscriptionOptions;
import io.github.centrifugal.centrifuge.UnsubscribedEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The published Java client, which speaks Protobuf over WebSocket. */
@Timeout(60)
class JavaClientIT {

    private static final AtomicInteger CHANNELS = new AtomicInteger();
    private static TestServer server;

    private final List<Client> clients = new ArrayList<>();

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
    void aSubscriberGetsWhatIsPublishedInOrderWithOffsets() {
        String channel = fresh("room");
        Recorder recorder = subscribe(connect("ada"), channel);
        publish(channel, "one", "two", "three");

        recorder.awaitTexts("one", "two", "three");
        assertThat(recorder.offsets).containsExactly(1L, 2L, 3L);
        assertThat(recorder.subscribed.get(0).getRecoverable()).isTrue();
        assertThat(recorder.subscribed.get(0).wasRecovering()).isFalse();
    }

    @Test
    void aClientPublishesAndEverybodyLearnsWhoDid() {
        String channel = fresh("room");
        Recorder recorder = subscribe(connect("grace"), channel);
        PublishResult published = ask(result -> connect("ada").publish(channel, bytes("from ada"), result));

        recorder.awaitTexts("from ada");
        assertThat(published).isNotNull();
        assertThat(recorder.publishers).containsExactly("ada");
    }

    @Test
    void historyIsReadBackward() {
        String channel = fresh("room");
        publish(channel, "one", "two", "three");
        HistoryOptions newestTwo =
                new HistoryOptions.Builder().withLimit(2).withReverse(true).build();
        HistoryResult history = ask(result -> connect("ada").history(channel, newestTwo, result));

        assertThat(history.getPublications().stream().map(p -> new String(p.getData(), UTF_8)))
                .containsExactly("three", "two");
        assertThat(history.getOffset()).isEqualTo(3);
    }

    @Test
    void presenceListsEveryConnectionAndItsStatisticsCountUsers() {
        String channel = fresh("room");
        subscribe(connect("ada"), channel);
        subscribe(connect("ada"), channel);
        Client grace = connect("grace");
        subscribe(grace, channel);

        PresenceResult presence = ask(result -> grace.presence(channel, result));
        PresenceStatsResult stats = ask(result -> grace.presenceStats(channel, result));

        assertThat(presence.getClients().values().stream().map(ClientInfo::getUser))
                .containsExactlyInAnyOrder("ada", "ada", "grace");
        assertThat(stats.getNumClients()).isEqualTo(3);
        assertThat(stats.getNumUsers()).isEqualTo(2);
    }

    @Test
    void joinsAndLeavesAreTold() {
        String channel = fresh("room");
        Recorder recorder = subscribe(connect("ada"), channel);
        Recorder grace = subscribe(connect("grace"), channel);
        await().until(() -> recorder.joins.contains("grace"));
        grace.subscription.unsubscribe();

        await().until(() -> recorder.leaves.contains("grace"));
        assertThat(recorder.joins).containsOnlyOnce("grace");
        assertThat(recorder.leaves).containsExactly("grace");
    }

    @Test
    void aCallIsAnsweredOrFailsInTheWordsOfTheHost() {
        Client client = connect("ada");
        RPCResult answer = ask(result -> client.rpc("echo", bytes("there and back"), result));
        Throwable failure = JavaClientIT.<RPCResult>failureOf(result -> client.rpc("fail", bytes("x"), result));

        assertThat(new String(answer.getData(), UTF_8)).isEqualTo("there and back");
        assertThat(failure).isInstanceOfSatisfying(ReplyError.class, error -> {
            assertThat(error.getCode()).isEqualTo(450);
            assertThat(error.getMessage()).isEqualTo("no luck today");
        });
    }

    @Test
    void whatTheAuthorizerRefusesIsError103() {
        Recorder recorder = new Recorder();
        recorder.begin(connect("ada"), "room:forbidden");

        await().until(() -> recorder.unsubscribed.size() == 1);
        assertThat(recorder.unsubscribed.get(0).getCode()).isEqualTo(103);
    }

    @Test
    void aTokenThatIsNoneEndsIn3500() {
        Events events = new Events();
        client("nobody knows", port(), events).connect();

        await().until(() -> events.disconnected.size() == 1);
        assertThat(events.disconnected.get(0).getCode()).isEqualTo(3500);
        assertThat(events.disconnected.get(0).getReason()).isEqualTo("invalid token");
    }

    @Test
    void afterACutItGetsWhatItMissedEachOnceInOrder() throws Exception {
        String channel = fresh("room");
        try (CutProxy proxy = new CutProxy(server.url())) {
            Recorder recorder = subscribe(connect("ada", proxy.port()), channel);
            publish(channel, "seen");
            recorder.awaitTexts("seen");
            proxy.cut();
            await().until(() -> recorder.subscribing.size() == 2);
            publish(channel, "missed 1", "missed 2");
            proxy.mend();
            recorder.awaitSubscribed(2);
            publish(channel, "after");

            recorder.awaitTexts("seen", "missed 1", "missed 2", "after");
            assertThat(recorder.offsets).containsExactly(1L, 2L, 3L, 4L);
            assertThat(recorder.subscribed.get(1).wasRecovering()).isTrue();
            assertThat(recorder.subscribed.get(1).getRecovered()).isTrue();
        }
    }

    @Test
    void afterACutWithNothingMissedItContinues() throws Exception {
        String channel = fresh("room");
        try (CutProxy proxy = new CutProxy(server.url())) {
            Recorder recorder = subscribe(connect("ada", proxy.port()), channel);
            proxy.cut();
            await().until(() -> recorder.subscribing.size() == 2);
            proxy.mend();
            recorder.awaitSubscribed(2);
            publish(channel, "after");

            recorder.awaitTexts("after");
            assertThat(recorder.subscribed.get(1).getRecovered()).isTrue();
        }
    }

    @Test
    void afterACutWithMoreMissedThanIsKeptItIsToldSo() throws Exception {
        String channel = fresh("short");
        try (CutProxy proxy = new CutProxy(server.url())) {
            Recorder recorder = subscribe(connect("ada", proxy.port()), channel);
            publish(channel, "seen");
            recorder.awaitTexts("seen");
            proxy.cut();
            await().until(() -> recorder.subscribing.size() == 2);
            publish(channel, "2", "3", "4", "5", "6");
            proxy.mend();
            recorder.awaitSubscribed(2);
            publish(channel, "after");

            recorder.awaitTexts("seen", "after");
            assertThat(recorder.subscribed.get(1).wasRecovering()).isTrue();
            assertThat(recorder.subscribed.get(1).getRecovered()).isFalse();
        }
    }

    @Test
    void aClientThatTheServerDropsComesBackAndContinues() {
        String channel = fresh("room");
        Events events = new Events();
        Client client = client("dropped", port(), events);
        client.connect();
        Recorder recorder = subscribe(client, channel);
        join(server.fanfare().connections().disconnect("dropped", DisconnectReason.FORCE_RECONNECT));
        recorder.awaitSubscribed(2);

        assertThat(events.connecting).anySatisfy(event -> {
            assertThat(event.getCode()).isEqualTo(3011);
            assertThat(event.getReason()).isEqualTo("force reconnect");
        });
        assertThat(recorder.subscribed.get(1).getRecovered()).isTrue();
    }

    @Test
    void aSubscriptionThatTheHostEndsIsOver() {
        String channel = fresh("room");
        Recorder recorder = subscribe(connect("ended"), channel);
        join(server.fanfare().connections().unsubscribe("ended", ChannelId.of(channel)));

        await().until(() -> recorder.unsubscribed.size() == 1);
        assertThat(recorder.unsubscribed.get(0).getCode()).isEqualTo(2000);
    }

    private static int port() {
        return Integer.parseInt(server.url().substring(server.url().lastIndexOf(':') + 1));
    }

    private Client connect(String user) {
        return connect(user, port());
    }

    private Client connect(String user, int port) {
        Events events = new Events();
        Client client = client(user, port, events);
        client.connect();
        await().until(() -> !events.connected.isEmpty());
        return client;
    }

    private Client client(String user, int port, EventListener events) {
        Options options = new Options();
        options.setToken(user);
        options.setMinReconnectDelay(20);
        options.setMaxReconnectDelay(100);
        Client client = new Client("ws://127.0.0.1:" + port + "/connection/websocket", options, events);
        clients.add(client);
        return client;
    }

    @CanIgnoreReturnValue
    private static Recorder subscribe(Client client, String channel) {
        Recorder recorder = new Recorder();
        recorder.begin(client, channel);
        recorder.awaitSubscribed(1);
        return recorder;
    }

    private static String fresh(String namespace) {
        return namespace + ":java-" + CHANNELS.incrementAndGet();
    }

    private static void publish(String channel, String... texts) {
        for (String text : texts) {
            server.fanfare().publish(channel, text).toCompletableFuture().join();
        }
    }

    private static void join(CompletionStage<Void> stage) {
        stage.toCompletableFuture().orTimeout(10, SECONDS).join();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static <T> T ask(Consumer<ResultCallback<T>> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        question.accept((failure, result) -> {
            if (failure != null) {
                answer.completeExceptionally(failure);
            } else {
                answer.complete(result);
            }
        });
        return answer.orTimeout(10, SECONDS).join();
    }

    private static <T> Throwable failureOf(Consumer<ResultCallback<T>> question) {
        CompletableFuture<Throwable> answer = new CompletableFuture<>();
        question.accept((failure, result) -> answer.complete(failure));
        return answer.orTimeout(10, SECONDS).join();
    }

    /** What happened to a client. */
    private static final class Events extends EventListener {
        final List<ConnectedEvent> connected = new CopyOnWriteArrayList<>();
        final List<ConnectingEvent> connecting = new CopyOnWriteArrayList<>();
        final List<DisconnectedEvent> disconnected = new CopyOnWriteArrayList<>();

        @Override
        public void onConnected(Client client, ConnectedEvent event) {
            connected.add(event);
        }

        @Override
        public void onConnecting(Client client, ConnectingEvent event) {
            connecting.add(event);
        }

        @Override
        public void onDisconnected(Client client, DisconnectedEvent event) {
            disconnected.add(event);
        }
    }

    /** What happened to a subscription. */
    private static final class Recorder extends SubscriptionEventListener {
        final List<SubscribedEvent> subscribed = new CopyOnWriteArrayList<>();
        final List<SubscribingEvent> subscribing = new CopyOnWriteArrayList<>();
        final List<UnsubscribedEvent> unsubscribed = new CopyOnWriteArrayList<>();
        final List<String> texts = new CopyOnWriteArrayList<>();
        final List<Long> offsets = new CopyOnWriteArrayList<>();
        final List<String> publishers = new CopyOnWriteArrayList<>();
        final List<String> joins = new CopyOnWriteArrayList<>();
        final List<String> leaves = new CopyOnWriteArrayList<>();
        Subscription subscription;

        void begin(Client client, String channel) {
            SubscriptionOptions options = new SubscriptionOptions();
            options.setRecoverable(true);
            options.setPositioned(true);
            options.setJoinLeave(true);
            try {
                subscription = client.newSubscription(channel, options, this);
            } catch (DuplicateSubscriptionException e) {
                throw new AssertionError(e);
            }
            subscription.subscribe();
        }

        void awaitSubscribed(int times) {
            await().until(() -> subscribed.size() >= times);
        }

        void awaitTexts(String... expected) {
            await().untilAsserted(() -> assertThat(texts).containsExactly(expected));
        }

        @Override
        public void onSubscribed(Subscription subscription, SubscribedEvent event) {
            subscribed.add(event);
        }

        @Override
        public void onSubscribing(Subscription subscription, SubscribingEvent event) {
            subscribing.add(event);
        }

        @Override
        public void onUnsubscribed(Subscription subscription, UnsubscribedEvent event) {
            unsubscribed.add(event);
        }

        @Override
        public void onPublication(Subscription subscription, PublicationEvent event) {
            texts.add(new String(event.getData(), UTF_8));
            offsets.add(event.getOffset());
            if (event.getInfo() != null) {
                publishers.add(event.getInfo().getUser());
            }
        }

        @Override
        public void onJoin(Subscription subscription, JoinEvent event) {
            joins.add(event.getInfo().getUser());
        }

        @Override
        public void onLeave(Subscription subscription, LeaveEvent event) {
            leaves.add(event.getInfo().getUser());
        }
    }
}
