package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Action;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.Payload;
import dev.fanfare.Refusal;
import dev.fanfare.RpcHandler;
import dev.fanfare.StartAt;
import dev.fanfare.spi.Connection.RpcResult;
import dev.fanfare.spi.Connection.SubscribeRequest;
import dev.fanfare.spi.Connection.SubscribeResult.Refused;
import dev.fanfare.spi.Connection.SubscribeResult.Subscribed;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import dev.fanfare.testkit.RecordingOutlet.Disconnected;
import dev.fanfare.testkit.RecordingOutlet.Presence;
import dev.fanfare.testkit.RecordingOutlet.Written;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Calls and messages of clients, and what needs which permission. */
@ExtendWith(Quiet.class)
class ClientCommandTest {

    private static final String LOG = "log:a";
    private static final String ROOM = "room:a";

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);

    // ---- calls

    @Test
    void aCallIsAnswered() {
        RpcHandler echo = call -> CompletableFuture.completedFuture(new RpcHandler.Reply.Ok(Payload.of(call.method()
                + " " + call.data().text() + " " + call.connection().user())));

        assertThat(call(echo)).containsExactly(new RpcResult.Answered(new RpcHandler.Reply.Ok(Payload.of("m d ann"))));
    }

    @Test
    void aCallWithoutAHandlerIsNotAvailable() {
        assertThat(call(null)).containsExactly(new RpcResult.Refused(Refusal.NOT_AVAILABLE));
    }

    @Test
    void aHandlerThatThrowsIsUnavailable() {
        RpcHandler thrower = call -> {
            throw new IllegalStateException("no database");
        };

        assertThat(call(thrower)).containsExactly(new RpcResult.Refused(Refusal.UNAVAILABLE));
    }

    @Test
    void aHandlerThatAnswersNullIsUnavailable() {
        assertThat(call(call -> null)).containsExactly(new RpcResult.Refused(Refusal.UNAVAILABLE));
    }

    @Test
    void aHandlerThatFailsLaterIsUnavailable() {
        assertThat(call(call -> CompletableFuture.failedFuture(new IllegalStateException("no database"))))
                .containsExactly(new RpcResult.Refused(Refusal.UNAVAILABLE));
    }

    @Test
    void aHandlerThatIsTooLateIsUnavailable() {
        try (ManualNode node = open(builder -> builder.rpcHandler(call -> new CompletableFuture<>()))) {
            List<RpcResult> results = new ArrayList<>();
            node.connect("ann").connection().rpc("m", Payload.of("d"), results::add);

            node.pass(Duration.ofSeconds(11));

            assertThat(results).containsExactly(new RpcResult.Refused(Refusal.UNAVAILABLE));
        }
    }

    // ---- messages

    @Test
    void aMessageReachesTheHost() {
        List<String> received = new ArrayList<>();
        try (ManualNode node = open(builder ->
                builder.messageHandler((connection, data) -> received.add(connection.user() + ": " + data.text())))) {

            boolean isTaken = node.connect("ann").connection().message(Payload.of("hello"));
            node.settle();

            assertThat(isTaken).isTrue();
            assertThat(received).containsExactly("ann: hello");
        }
    }

    @Test
    void withoutAHandlerAMessageIsNotTaken() {
        try (ManualNode node = open(builder -> builder)) {
            boolean isTaken = node.connect("ann").connection().message(Payload.of("hello"));

            assertThat(isTaken).isFalse();
        }
    }

    @Test
    void aHandlerThatThrowsDoesNotHarmTheConnection() {
        List<String> received = new ArrayList<>();
        try (ManualNode node = open(builder -> builder.messageHandler((connection, data) -> {
            received.add(data.text());
            throw new IllegalStateException("no database");
        }))) {
            RecordingOutlet client = node.connect("ann");

            for (int i = 0; i < 200; i++) {
                assertThat(client.connection().message(Payload.of("m" + i))).isTrue();
                node.settle();
            }

            assertThat(received).hasSize(200);
            assertThat(client.events()).isEmpty();
        }
    }

    @Test
    void tooManyMessagesAtATimeCloseTheConnection() {
        try (ManualNode node = open(builder -> builder.messageHandler((connection, data) -> {}))) {
            RecordingOutlet client = node.connect("ann");

            for (int i = 0; i < 65; i++) {
                assertThat(client.connection().message(Payload.of("m" + i))).isTrue();
            }

            assertThat(client.events()).containsExactly(new Disconnected(DisconnectReason.TOO_MANY_REQUESTS));
        }
    }

    @Test
    void aMessageIsUnderWayUntilTheHandlerReturnsAlsoIfItTakesLongerThanWeWaitForIt() {
        try (ManualNode node = open(builder -> builder.messageHandler((connection, data) -> {}))) {
            RecordingOutlet client = node.connect("ann");
            for (int i = 0; i < 64; i++) {
                assertThat(client.connection().message(Payload.of("m" + i))).isTrue();
            }
            node.time.advance(Duration.ofSeconds(11));
            boolean hasRun = true;
            while (hasRun) {
                hasRun = node.loop.runOne();
            }

            assertThat(client.connection().message(Payload.of("one more"))).isTrue();

            assertThat(client.events()).containsExactly(new Disconnected(DisconnectReason.TOO_MANY_REQUESTS));
        }
    }

    // ---- permissions

    @Test
    void subscribingToWhatComesNextNeedsNoHistory() {
        try (ManualNode node = mayOnly(Action.SUBSCRIBE)) {
            RecordingOutlet client = node.connect("ann").subscribe(LOG, StartAt.live());
            node.settle();

            assertThat(((Answered) client.events().get(0)).result()).isInstanceOf(Subscribed.class);
        }
    }

    @Test
    void resumingFromACursorNeedsNoHistory() {
        try (ManualNode node = mayOnly(Action.SUBSCRIBE)) {
            node.publishMany(LOG, 1, 3);
            Cursor one = Cursor.of(store.head(LOG).epoch(), 1);

            RecordingOutlet client = node.connect("ann").subscribe(LOG, StartAt.after(one));
            node.settle();

            assertThat(client.texts(LOG)).containsExactly("2", "3");
        }
    }

    @Test
    void beginningWithTheNewestNeedsHistory() {
        try (ManualNode node = mayOnly(Action.SUBSCRIBE)) {
            RecordingOutlet client = node.connect("ann").subscribe(LOG, StartAt.latest(1));
            node.settle();

            assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.NOT_ALLOWED)));
        }
    }

    @Test
    void namingAnOffsetWithoutAnEpochNeedsHistory() {
        try (ManualNode node = mayOnly(Action.SUBSCRIBE)) {
            RecordingOutlet client = node.connect("ann").subscribe(LOG, StartAt.after(Cursor.ofUnknownEpoch(0)));
            node.settle();

            assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.NOT_ALLOWED)));
        }
    }

    @Test
    void whoMayReadHistoryMayNotSubscribeForThatReason() {
        try (ManualNode node = mayOnly(Action.HISTORY)) {
            RecordingOutlet client = node.connect("ann").subscribe(LOG, StartAt.latest(1));
            node.settle();

            assertThat(client.events()).containsExactly(new Answered(LOG, new Refused(Refusal.NOT_ALLOWED)));
        }
    }

    @Test
    void whoMayNotSeeWhoIsThereIsNotToldWhoComesAndGoes() {
        try (ManualNode node = mayOnly(Action.SUBSCRIBE)) {
            RecordingOutlet watcher = node.connect("ann").subscribe(ROOM, StartAt.live());
            node.settle();
            watcher.takeEvents();

            node.connect("bob").subscribe(ROOM, StartAt.live());
            node.settle();
            node.publish(ROOM, "1");

            assertThat(watcher.texts(ROOM)).containsExactly("1");
            assertThat(watcher.events()).hasOnlyElementsOfType(Written.class);
        }
    }

    @Test
    void whomTheHostLetInIsNotToldWhoComesAndGoesForThat() {
        try (ManualNode node = mayOnly(Action.SUBSCRIBE)) {
            RecordingOutlet watcher = node.connect("ann");
            watcher.connection()
                    .subscribe(ChannelId.of(ROOM), new SubscribeRequest(StartAt.live(), true, true), answer -> {});
            node.settle();

            node.connect("bob").subscribe(ROOM, StartAt.live());
            node.settle();
            node.publish(ROOM, "1");

            assertThat(watcher.texts(ROOM)).containsExactly("1");
            assertThat(watcher.events()).hasOnlyElementsOfType(Written.class);
        }
    }

    @Test
    void whoMaySeeWhoIsThereIsToldWhoComes() {
        try (ManualNode node = mayOnly(Action.SUBSCRIBE, Action.PRESENCE)) {
            RecordingOutlet watcher = node.connect("ann").subscribe(ROOM, StartAt.live());
            node.settle();
            watcher.takeEvents();

            node.connect("bob").subscribe(ROOM, StartAt.live());
            node.settle();

            assertThat(watcher.events()).hasOnlyElementsOfType(Presence.class);
        }
    }

    @Test
    void anAuthorizerThatCannotSayWhetherJoinsMayBeSeenRefusesForNow() {
        try (ManualNode node = new ManualNode(
                store,
                time,
                builder -> namespaces(builder).authorizer((user, action, channel) -> {
                    if (action == Action.PRESENCE) {
                        throw new IllegalStateException("no database");
                    }
                    return true;
                }))) {
            RecordingOutlet client = node.connect("ann").subscribe(ROOM, StartAt.live());
            node.settle();

            assertThat(client.events()).containsExactly(new Answered(ROOM, new Refused(Refusal.UNAVAILABLE)));
        }
    }

    private List<RpcResult> call(RpcHandler handler) {
        try (ManualNode node = open(builder -> handler == null ? builder : builder.rpcHandler(handler))) {
            List<RpcResult> results = new ArrayList<>();
            node.connect("ann").connection().rpc("m", Payload.of("d"), results::add);
            node.settle();
            return results;
        }
    }

    private ManualNode mayOnly(Action... allowed) {
        return new ManualNode(
                store,
                time,
                builder -> namespaces(builder)
                        .authorizer((user, action, channel) -> List.of(allowed).contains(action)));
    }

    private ManualNode open(UnaryOperator<FanfareBuilder> settings) {
        return new ManualNode(
                store, time, builder -> settings.apply(namespaces(builder).authorizer(Authorizer.allowAll())));
    }

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace("log", rules -> rules.retain(100, Duration.ofHours(1)))
                .namespace("room", rules -> rules.presence());
    }
}
