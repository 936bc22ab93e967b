package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.Publisher;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.presence.PresenceSnapshot;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonMessagesTest {

    private static final ChannelId NEWS = ChannelId.of("news");

    private final JsonMessages messages = new JsonMessages();

    @Test
    void writesConnectedWithAPingThatIsNeverZero() {
        Welcome welcome = new Welcome("6e2d", null, Map.of(), 25, 0, null);

        assertThat(text(messages.connected(1, welcome)))
                .isEqualTo(
                        "{\"id\":1,\"connect\":{\"client\":\"6e2d\",\"version\":\"Fanfare\",\"ping\":25,\"pong\":true}}");
    }

    @Test
    void writesConnectedWithSubscriptionsOfTheServer() {
        SubscriptionStart start = new SubscriptionStart(true, "e", 3, true, false, false, List.of());
        Welcome welcome = new Welcome("c", Payload.of("{\"a\":1}"), Map.of("ch\"1", start), 25, 0, null);

        assertThat(text(messages.connected(1, welcome)))
                .isEqualTo(
                        "{\"id\":1,\"connect\":{\"client\":\"c\",\"version\":\"Fanfare\",\"data\":{\"a\":1},\"subs\":{\"ch\\\"1\":"
                                + "{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e\",\"offset\":3,"
                                + "\"was_recovering\":true}},\"ping\":25,\"pong\":true}}");
    }

    @Test
    void writesWhereAnEmulatedClientPosts() {
        Welcome welcome = new Welcome("c", null, Map.of(), 25, 0, new Emulated("node 1", "secret"));

        assertThat(text(messages.connected(1, welcome)))
                .endsWith("\"pong\":true,\"session\":\"secret\",\"node\":\"node 1\"}}");
        assertThat(welcome.toString()).doesNotContain("secret");
    }

    @Test
    void writesADisconnect() {
        assertThat(text(messages.disconnectPush(3001, "shutdown", true)))
                .isEqualTo("{\"push\":{\"disconnect\":{\"code\":3001,\"reason\":\"shutdown\",\"reconnect\":true}}}");
    }

    @Test
    void writesAFreshSubscription() {
        SubscriptionStart start = new SubscriptionStart(true, "Kq3v", 17, false, false, false, List.of());

        assertThat(text(messages.subscribed(2, start)))
                .isEqualTo("{\"id\":2,\"subscribe\":{\"recoverable\":true,\"positioned\":true,"
                        + "\"epoch\":\"Kq3v\",\"offset\":17}}");
    }

    @Test
    void writesASubscriptionWithoutPositions() {
        SubscriptionStart start = new SubscriptionStart(false, "", 0, false, false, false, List.of());

        assertThat(text(messages.subscribed(2, start))).isEqualTo("{\"id\":2,\"subscribe\":{}}");
    }

    @Test
    void writesARecoveredSubscription() {
        SubscriptionStart start =
                new SubscriptionStart(true, "Kq3v", 18, true, true, false, List.of(publication(19), publication(20)));

        assertThat(text(messages.subscribed(9, start)))
                .isEqualTo("{\"id\":9,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"Kq3v\","
                        + "\"offset\":18,\"was_recovering\":true,\"recovered\":true,"
                        + "\"publications\":[{\"data\":{\"t\":1},\"offset\":19},{\"data\":{\"t\":1},\"offset\":20}]}}");
    }

    @Test
    void writesEmptyResultsWithTheirMember() {
        assertThat(text(messages.unsubscribed(3))).isEqualTo("{\"id\":3,\"unsubscribe\":{}}");
        assertThat(text(messages.published(4))).isEqualTo("{\"id\":4,\"publish\":{}}");
        assertThat(text(messages.answered(5, Payload.EMPTY))).isEqualTo("{\"id\":5,\"rpc\":{}}");
    }

    @Test
    void writesErrors() {
        assertThat(text(messages.error(4, 108, "not available", false)))
                .isEqualTo("{\"id\":4,\"error\":{\"code\":108,\"message\":\"not available\"}}");
        assertThat(text(messages.error(4, 100, "internal server error", true)))
                .isEqualTo(
                        "{\"id\":4,\"error\":{\"code\":100,\"message\":\"internal server error\",\"temporary\":true}}");
    }

    @Test
    void writesZerosThatSdksRead() {
        PresenceSnapshot nobody = new PresenceSnapshot(List.of(), 0, 0);

        assertThat(text(messages.presence(1, nobody))).isEqualTo("{\"id\":1,\"presence\":{\"presence\":{}}}");
        assertThat(text(messages.presenceStats(1, nobody)))
                .isEqualTo("{\"id\":1,\"presence_stats\":{\"num_clients\":0,\"num_users\":0}}");
        assertThat(text(messages.history(1, List.of(), Cursor.of("", 0))))
                .isEqualTo("{\"id\":1,\"history\":{\"publications\":[],\"epoch\":\"\",\"offset\":0}}");
    }

    @Test
    void writesPresence() {
        PresenceSnapshot snapshot = new PresenceSnapshot(
                List.of(new Member("", "c1", null), new Member("ann", "c2", Payload.of("{\"n\":\"A\"}"))), 2, 2);

        assertThat(text(messages.presence(1, snapshot)))
                .isEqualTo("{\"id\":1,\"presence\":{\"presence\":{\"c1\":{\"user\":\"\",\"client\":\"c1\"},"
                        + "\"c2\":{\"user\":\"ann\",\"client\":\"c2\",\"conn_info\":{\"n\":\"A\"}}}}}");
    }

    @Test
    void writesHistory() {
        assertThat(text(messages.history(1, List.of(publication(2)), Cursor.of("e", 2))))
                .isEqualTo("{\"id\":1,\"history\":{\"publications\":[{\"data\":{\"t\":1},\"offset\":2}],"
                        + "\"epoch\":\"e\",\"offset\":2}}");
    }

    @Test
    void pushesAPublication() {
        assertThat(text(messages.publicationPush(NEWS, publication(18))))
                .isEqualTo("{\"push\":{\"channel\":\"news\",\"pub\":{\"data\":{\"t\":1},\"offset\":18}}}");
    }

    @Test
    void pushesTheEpochWithTheFirstPublicationOnly() {
        assertThat(text(messages.publicationPush(NEWS, publication(1)))).contains("\"epoch\":\"Kq3v\"");
        assertThat(text(messages.publicationPush(NEWS, publication(2)))).doesNotContain("epoch");
    }

    @Test
    void pushesAllThatAPublicationMayHave() {
        Publication full = Publication.builder(Payload.of("1"))
                .headers(Map.of("ké", "\"v\""))
                .key("k")
                .publisher(new Publisher("ann", "c2", Payload.of("{}")))
                .build();

        assertThat(text(messages.publicationPush(NEWS, full)))
                .isEqualTo("{\"push\":{\"channel\":\"news\",\"pub\":{\"data\":1,"
                        + "\"info\":{\"user\":\"ann\",\"client\":\"c2\",\"conn_info\":{}},"
                        + "\"tags\":{\"ké\":\"\\\"v\\\"\"},\"key\":\"k\"}}}");
    }

    @Test
    void pushesJoinsAndLeaves() {
        Member ann = new Member("ann", "c2", null);

        assertThat(text(messages.presencePush(NEWS, new PresenceEvent(PresenceEvent.Kind.JOIN, ann))))
                .isEqualTo(
                        "{\"push\":{\"channel\":\"news\",\"join\":{\"info\":{\"user\":\"ann\",\"client\":\"c2\"}}}}");
        assertThat(text(messages.presencePush(NEWS, new PresenceEvent(PresenceEvent.Kind.LEAVE, ann))))
                .isEqualTo(
                        "{\"push\":{\"channel\":\"news\",\"leave\":{\"info\":{\"user\":\"ann\",\"client\":\"c2\"}}}}");
    }

    @Test
    void pushesUnsubscribes() {
        assertThat(text(messages.unsubscribePush(NEWS, 2500, "insufficient state")))
                .isEqualTo("{\"push\":{\"channel\":\"news\",\"unsubscribe\":{\"code\":2500,"
                        + "\"reason\":\"insufficient state\"}}}");
    }

    @Test
    void pingsWithAnEmptyReply() {
        assertThat(text(messages.ping())).isEqualTo("{}");
    }

    @Test
    void takesLineBreaksOutOfPayloads() {
        Publication pretty =
                Publication.builder(Payload.of("{\r\n  \"a\": \"x\\ny\"\n}\n")).build();

        assertThat(text(messages.publicationPush(NEWS, pretty)))
                .isEqualTo("{\"push\":{\"channel\":\"news\",\"pub\":{\"data\":{  \"a\": \"x\\ny\"}}}}");
    }

    @Test
    void escapesNames() {
        String text = text(messages.presencePush(
                ChannelId.of("a\"b\\c\u2028é"),
                new PresenceEvent(PresenceEvent.Kind.JOIN, new Member("\n\t\u0001", "c", null))));

        assertThat(text).contains("\"a\\\"b\\\\c\u2028é\"").contains("\"\\u000a\\u0009\\u0001\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"nope", "{", "{} {}", "1 2", "\uFEFF{}", " ", "'a'", "{\"a\":\"\u0000\"}", "[1,]", "01"})
    void refusesPayloadsThatAreNotJson(String payload) {
        assertUnencodable(payload.getBytes(UTF_8));
    }

    @Test
    void refusesPayloadsThatAreNotUtf8() {
        assertUnencodable("\"\u00e9\"".getBytes(ISO_8859_1));
        assertUnencodable("\"\u00c0\u00af\"".getBytes(ISO_8859_1));
        assertUnencodable(new byte[] {'1', 0});
    }

    private void assertUnencodable(byte[] payload) {
        Publication publication = Publication.builder(Payload.of(payload)).build();
        assertThatThrownBy(() -> messages.publicationPush(NEWS, publication))
                .isInstanceOf(UnencodableException.class)
                .hasMessageContaining(payload.length + " bytes");
    }

    private static Publication publication(long offset) {
        return Publication.builder(Payload.of("{\"t\":1}"))
                .position("Kq3v", offset, 1, 1)
                .build();
    }

    private static String text(MessageBuffer message) {
        ByteBuf out = Unpooled.buffer();
        message.writeTo(out);
        return out.toString(UTF_8);
    }
}
