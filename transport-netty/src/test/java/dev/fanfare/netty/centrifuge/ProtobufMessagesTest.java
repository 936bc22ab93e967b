package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.Publisher;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import dev.fanfare.presence.PresenceSnapshot;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The bytes were put together by hand from the field numbers of the published schema. */
class ProtobufMessagesTest {

    private static final ChannelId C = ChannelId.of("c");
    private static final Member ANN = new Member("ann", "x", null);
    private static final String ANN_HEX = "0a03 616e6e 1201 78";

    private final ProtobufMessages messages = new ProtobufMessages();

    @Test
    void writesEmptyResultsWithTheirMember() {
        assertHex(messages.published(3), "0803 4200");
        assertHex(messages.unsubscribed(3), "0803 3a00");
        assertHex(messages.answered(3, Payload.EMPTY), "0803 6a00");
        assertHex(messages.presence(3, new PresenceSnapshot(List.of(), 0, 0)), "0803 4a00");
    }

    @Test
    void writesConnected() {
        SubscriptionStart start = new SubscriptionStart(true, "e", 3, true, false, false, List.of());
        Welcome welcome = new Welcome("x", Payload.of("d"), Map.of("c", start), 25, 0, null);

        assertHex(
                messages.connected(1, welcome),
                "0801 2a25 0a0178 1207 46616e66617265 2a0164 3210 0a0163 120b 1801 320165 4803 5001 6001 3819 4001");
    }

    @Test
    void writesWhereAnEmulatedClientPosts() {
        Welcome welcome = new Welcome("x", null, Map.of(), 25, 0, new Emulated("n", "s"));

        assertHex(messages.connected(1, welcome), "0801 2a16 0a0178 1207 46616e66617265 3819 4001 4a0173 52016e");
    }

    @Test
    void writesADisconnect() {
        assertHex(messages.disconnectPush(3001, "bye", true), "220c 5a0a 08b917 1203 627965 1801");
    }

    @Test
    void writesARecoveredSubscription() {
        SubscriptionStart start = new SubscriptionStart(true, "e", 18, true, true, false, List.of(publication(300)));

        assertHex(messages.subscribed(9, start), "0809 3215 1801 320165 3a06 220164 30ac02 4001 4812 5001 6001");
    }

    @Test
    void writesHowLongTokensLast() {
        SubscriptionStart start = new SubscriptionStart(false, "", 0, false, false, false, List.of()).withTtl(300);

        assertHex(
                messages.connected(1, new Welcome("x", null, Map.of(), 25, 60, null)),
                "0801 2a14 0a0178 1207 46616e66617265 1801 203c 3819 4001");
        assertHex(messages.subscribed(2, start), "0802 3205 0801 10ac02");
        assertHex(messages.refreshed(3, "x", 60), "0803 7207 0a0178 1801 203c");
        assertHex(messages.refreshed(3, "x", 0), "0803 7203 0a0178");
        assertHex(messages.subRefreshed(4, 60), "0804 7a04 0801 103c");
        assertHex(messages.subRefreshed(4, 0), "0804 7a00");
    }

    @Test
    void writesErrors() {
        assertHex(messages.error(4, 100, "no", true), "0804 1208 0864 12026e6f 1801");
    }

    @Test
    void writesPresence() {
        assertHex(
                messages.presence(1, new PresenceSnapshot(List.of(ANN), 1, 1)), "0801 4a0f 0a0d 0a0178 1208" + ANN_HEX);
        assertHex(messages.presenceStats(1, new PresenceSnapshot(List.of(ANN), 3, 2)), "0801 5204 0803 1002");
    }

    @Test
    void writesHistory() {
        assertHex(
                messages.history(1, List.of(publication(2)), Cursor.of("e", 2)),
                "0801 5a0c 0a05 220164 3002 120165 1802");
    }

    @Test
    void pushesAPublication() {
        assertHex(messages.publicationPush(C, publication(2)), "220a 120163 2205 220164 3002");
    }

    @Test
    void pushesAllThatAPublicationMayHave() {
        Publication full = Publication.builder(Payload.of("d"))
                .position("e", 1, 1, 0)
                .headers(Map.of("h", "v"))
                .key("k")
                .publisher(new Publisher("ann", "x", Payload.of("i")))
                .build();

        assertHex(
                messages.publicationPush(C, full),
                "2225 120163 2220 220164 2a0b" + ANN_HEX + "1a0169 3001 3a06 0a0168 120176 5a016b 720165");
    }

    @Test
    void pushesJoinsLeavesAndUnsubscribes() {
        assertHex(
                messages.presencePush(C, new PresenceEvent(PresenceEvent.Kind.JOIN, ANN)),
                "220f 120163 2a0a 0a08" + ANN_HEX);
        assertHex(
                messages.presencePush(C, new PresenceEvent(PresenceEvent.Kind.LEAVE, ANN)),
                "220f 120163 320a 0a08" + ANN_HEX);
        assertHex(messages.unsubscribePush(C, 2500, "is"), "220c 120163 3a07 10c413 1a026973");
    }

    @Test
    void pingsWithAnEmptyReply() {
        assertHex(messages.ping(), "");
    }

    @Test
    void growsLengthsThatDoNotFitOneByte() throws Exception {
        Publication large = Publication.builder(Payload.of("x".repeat(20_000))).build();

        ProtobufReader reply = new ProtobufReader(bytes(messages.publicationPush(C, large)), 0, 20_000 + 15);
        assertThat(reply.tag()).isEqualTo(4 << 3 | ProtobufReader.DELIMITED);
        ProtobufReader push = reply.nested();
        assertThat(reply.hasMore()).isFalse();
        assertThat(push.tag()).isEqualTo(2 << 3 | ProtobufReader.DELIMITED);
        assertThat(push.text()).isEqualTo("c");
        assertThat(push.tag()).isEqualTo(4 << 3 | ProtobufReader.DELIMITED);
        ProtobufReader publication = push.nested();
        assertThat(push.hasMore()).isFalse();
        assertThat(publication.tag()).isEqualTo(4 << 3 | ProtobufReader.DELIMITED);
        assertThat(publication.data()).isEqualTo(large.data());
        assertThat(publication.hasMore()).isFalse();
    }

    private static Publication publication(long offset) {
        return Publication.builder(Payload.of("d")).position("e", offset, 1, 1).build();
    }

    private static void assertHex(MessageBuffer message, String hex) {
        assertThat(ByteBufUtil.hexDump(bytes(message))).isEqualTo(hex.replace(" ", ""));
    }

    private static byte[] bytes(MessageBuffer message) {
        ByteBuf out = Unpooled.buffer();
        message.writeTo(out);
        return ByteBufUtil.getBytes(out);
    }
}
