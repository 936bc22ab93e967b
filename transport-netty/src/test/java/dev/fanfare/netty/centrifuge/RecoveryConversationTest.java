package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.netty.centrifuge.DeltaClient.Format;
import dev.fanfare.netty.centrifuge.DeltaClient.Got;
import dev.fanfare.netty.centrifuge.DeltaClient.Start;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which positions recover what, on the wire, in both formats, with the real core. */
class RecoveryConversationTest {

    private static final Duration LONG = Duration.ofMinutes(5);

    private final Fanfare fanfare = Fanfare.builder()
            .namespace("", rules -> rules.retain(5, LONG))
            .namespace("few", rules -> rules.retain(100, LONG).recoveryLimit(3))
            .namespace("tags", rules -> rules.retain(100, LONG).filters())
            .namespace("latest", rules -> rules.retain(5, LONG).recoveryLimit(1).resumeWithLatest())
            .authorizer(Authorizer.allowAll())
            .build();
    private final WireServer server = new WireServer(fanfare, Authenticator.anonymous());
    private final List<AutoCloseable> clients = new ArrayList<>();
    private String epoch = "";

    @BeforeEach
    void publishTen() {
        for (String channel : List.of("a", "few:a", "latest:a")) {
            publish(channel, 1, 10);
        }
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable client : clients) {
            client.close();
        }
        fanfare.close();
        server.close();
    }

    @ParameterizedTest
    @EnumSource
    void recoversFromWhereverEverythingIsStillThere(Format format) {
        recovers(format, "a", 10, true);
        recovers(format, "a", 9, true, 10);
        recovers(format, "a", 5, true, 6, 7, 8, 9, 10);
        recovers(format, "few:a", 7, true, 8, 9, 10);
    }

    @ParameterizedTest
    @EnumSource
    void recoversNothingFromAnywhereElse(Format format) {
        recovers(format, "a", 4, false);
        recovers(format, "a", 0, false);
        recovers(format, "a", 11, false);
        recovers(format, "few:a", 6, false);
        recovers(format, "few:a", 0, false);
    }

    @ParameterizedTest
    @EnumSource
    void looksAtTheEpochIfThereIsOne(Format format) {
        DeltaClient client = client(format);
        epoch = client.subscribe("a").epoch();

        assertThat(again(client, "a", 9, epoch).isRecovered()).isTrue();
        assertThat(again(client, "a", 9, "").isRecovered()).isTrue();
        assertThat(again(client, "a", 9, "other").isRecovered()).isFalse();
        assertThat(again(client, "a", 10, "other").isRecovered()).isFalse();
        assertThat(again(client, "a", 0, "_").isRecovered()).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void recoversAllOfAChannelThatIsStillWhole(Format format) {
        publish("b", 1, 3);

        Start start = client(format).subscribe("b", "", 0, "");

        assertThat(start.isRecovered()).isTrue();
        assertThat(start.offset()).isZero();
        assertThat(offsets(start)).containsExactly(1L, 2L, 3L);
    }

    @ParameterizedTest
    @EnumSource
    void recoversAChannelThatWasNeverWritten(Format format) {
        DeltaClient client = client(format);
        epoch = client.subscribe("empty").epoch();

        assertThat(epoch).isNotEmpty();
        assertThat(again(client, "empty", 0, epoch).isRecovered()).isTrue();
        assertThat(again(client, "empty", 0, "").isRecovered()).isTrue();
        assertThat(again(client, "empty", 0, "_").isRecovered()).isFalse();
        publish("empty", 1, 1);
        assertThat(client.next().offset()).isEqualTo(1);
    }

    // ---- with a filter

    @ParameterizedTest
    @EnumSource
    void whatIsFilteredCountsAsSeen(Format format) {
        publishTagged("tags:a", "1", "wanted");
        publishTagged("tags:a", "2", "other");
        publishTagged("tags:a", "3", "wanted");
        publishTagged("tags:a", "4", "other");
        DeltaClient client = client(format);

        Start start = client.subscribe("tags:a", "wanted", 1, "");
        publishTagged("tags:a", "5", "other");
        publishTagged("tags:a", "6", "wanted");

        assertThat(start.isRecovered()).isTrue();
        assertThat(start.offset()).isEqualTo(1);
        assertThat(offsets(start)).containsExactly(3L);
        assertThat(client.next()).isEqualTo(new Got("6", false, 6));
        client.unsubscribe("tags:a");
        Start again = client.subscribe("tags:a", "wanted", 6, start.epoch());
        assertThat(again.isRecovered()).isTrue();
        assertThat(again.publications()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void whereAllIsFilteredTheTopIsThePosition(Format format) {
        publishTagged("tags:a", "1", "other");
        publishTagged("tags:a", "2", "other");

        Start start = client(format).subscribe("tags:a", "wanted", 0, "");

        assertThat(start.isRecovered()).isTrue();
        assertThat(start.offset()).isEqualTo(2);
        assertThat(start.publications()).isEmpty();
    }

    @Test
    void refusesAFilterThatIsNotAllowedOrMakesNoSense() {
        SocketClient client = SocketClient.connected(server.port());
        clients.add(client);

        assertThat(client.call(subscribe("a", "{\"key\":\"k\",\"cmp\":\"ex\"}")))
                .isEqualTo("{\"id\":2,\"error\":{\"code\":107,\"message\":\"bad request\"}}");
        assertThat(client.call(subscribe("tags:a", "{\"key\":\"k\",\"cmp\":\"no\"}")))
                .contains("\"code\":107");
        assertThat(client.call(subscribe("tags:a", "{\"key\":\"k\",\"cmp\":\"ex\"}")))
                .contains("\"subscribe\":{");
        client.send(subscribe("tags:b", "[]"));
        client.assertClosed(3501);
    }

    // ---- where only the newest counts

    @ParameterizedTest
    @EnumSource
    void recoversTheNewestAloneWhereTheRulesSaySo(Format format) {
        recovers(format, "latest:a", 0, true, 10);
        recovers(format, "latest:a", 3, true, 10);
        recovers(format, "latest:a", 99, true, 10);
        DeltaClient client = client(format);
        epoch = client.subscribe("latest:a").epoch();
        assertThat(offsets(again(client, "latest:a", 3, epoch))).containsExactly(10L);
        assertThat(offsets(again(client, "latest:a", 10, "other"))).containsExactly(10L);
        Start atTheTop = again(client, "latest:a", 10, epoch);
        assertThat(atTheTop.isRecovered()).isTrue();
        assertThat(atTheTop.publications()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void recoversNothingWhereThereIsNoNewest(Format format) {
        recovers(format, "latest:empty", 5, false);
    }

    private void recovers(Format format, String channel, long offset, boolean isRecovered, Integer... offsets) {
        Start start = client(format).subscribe(channel, "", offset, "");

        assertThat(start.isRecovered()).as("%s from %s", channel, offset).isEqualTo(isRecovered);
        assertThat(offsets(start))
                .as("%s from %s", channel, offset)
                .containsExactlyElementsOf(
                        List.of(offsets).stream().map(Integer::longValue).toList());
        if (!isRecovered) {
            assertThat(start.publications()).isEmpty();
        }
    }

    private static Start again(DeltaClient client, String channel, long offset, String epoch) {
        client.unsubscribe(channel);
        return client.subscribe(channel, "", offset, epoch);
    }

    private DeltaClient client(Format format) {
        DeltaClient client = new DeltaClient(server.port(), format);
        clients.add(client);
        return client;
    }

    private static String subscribe(String channel, String filter) {
        return "{\"id\":2,\"subscribe\":{\"channel\":\"" + channel + "\",\"tf\":" + filter + "}}";
    }

    private static List<Long> offsets(Start start) {
        return start.publications().stream().map(Got::offset).toList();
    }

    private void publish(String channel, int from, int to) {
        IntStream.rangeClosed(from, to)
                .forEach(i -> fanfare.publish(channel, Integer.toString(i))
                        .toCompletableFuture()
                        .join());
    }

    private void publishTagged(String channel, String text, String tag) {
        fanfare.publish(
                        ChannelId.of(channel),
                        Payload.of(text),
                        PublishOptions.none().withHeader(tag, "1"))
                .toCompletableFuture()
                .join();
    }
}
