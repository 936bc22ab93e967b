package dev.fanfare.netty.centrifuge;

import static dev.fanfare.netty.centrifuge.ProtocolClient.error;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.DisconnectReason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** E10 and E11 of the conformance list, and what bad input gets: one code, one count, and nothing else. */
@ParameterizedClass
@EnumSource(Wire.class)
class DecodingConformanceTest extends ConformanceCases {

    private static final int VARINT = 0x80;

    /** What is no message, by what is wrong with it. */
    private Map<String, byte[]> badFrames() {
        Map<String, byte[]> bad = new LinkedHashMap<>();
        bad.put("nothing at all", new byte[0]);
        if (wire == Wire.JSON) {
            bad.put("a line feed alone", text("\n"));
            bad.put("a blank line", text("{\"id\":2,\"rpc\":{\"data\":1}}\n\n{\"id\":3,\"rpc\":{\"data\":1}}"));
            bad.put("no JSON", text("hello"));
            bad.put("no object", text("[1]"));
            bad.put("half an object", text("{\"id\":2,\"rpc\":{\"data\""));
            bad.put("two objects in one line", text("{\"id\":2,\"rpc\":{}} {\"id\":3,\"rpc\":{}}"));
            bad.put("broken UTF-8", new byte[] {'{', '"', (byte) 0xc3, '"', ':', '1', '}'});
            bad.put("a number for a channel", text("{\"id\":2,\"subscribe\":{\"channel\":7}}"));
            bad.put("a text for an id", text("{\"id\":\"2\",\"rpc\":{\"data\":1}}"));
            bad.put("an id below zero", text("{\"id\":-1,\"rpc\":{\"data\":1}}"));
            bad.put("a nesting bomb", text("{\"id\":2,\"rpc\":{\"data\":" + "[".repeat(30_000)));
            bad.put("a nesting bomb of unknown fields", text("{\"x\":" + "{\"x\":".repeat(10_000)));
        } else {
            bad.put("a length without a message", bytes(4));
            bad.put("a length beyond the frame", bytes(5, 8, 2, 0x6a, 0));
            bad.put("a length beyond all bounds", bytes(0xff, 0xff, 0xff, 0xff, 0x7f, 8, 2));
            bad.put("a length below zero", bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 8));
            bad.put("a varint that is cut", bytes(VARINT | 4));
            bad.put(
                    "a varint without end",
                    bytes(IntStream.generate(() -> 0xff).limit(20).toArray()));
            bad.put("a field that is cut", bytes(2, 8, VARINT));
            bad.put("a field beyond its message", bytes(4, 0x6a, 9, 0x0a, 1));
            bad.put("field number 0", bytes(2, 0, 1));
            bad.put("a group that is not ended", bytes(1, 0x0b));
            bad.put("an unknown wire type", bytes(1, 0x0f));
            bad.put("a name that is no UTF-8", bytes(7, 8, 2, 0x2a, 3, 0x0a, 1, 0xff));
            bad.put("good, and then garbage", bytes(4, 8, 2, 0x6a, 0, 0xff));
        }
        return bad;
    }

    private static byte[] text(String text) {
        return text.getBytes(UTF_8);
    }

    private static byte[] bytes(int... octets) {
        byte[] bytes = new byte[octets.length];
        for (int i = 0; i < octets.length; i++) {
            bytes[i] = (byte) octets[i];
        }
        return bytes;
    }

    @Test
    void whatIsNoMessageIsABadRequestAndHarmsNobodyElse() {
        ProtocolClient bystander = subscribed("live:bystander");
        int before = count(DisconnectReason.BAD_REQUEST);
        List<String> wrong = new ArrayList<>();

        badFrames().forEach((what, frame) -> {
            ProtocolClient client = connected();
            client.sendBytes(frame);
            int code = client.closeCode();
            if (code != 3501) {
                wrong.add(what + " was closed with " + code);
            }
        });

        assertThat(wrong).isEmpty();
        awaitCount(DisconnectReason.BAD_REQUEST, before + badFrames().size());
        publish("live:bystander", 1);
        assertThat(bystander.push("pub").path("data").asInt()).isEqualTo(1);
    }

    @Test
    void aLineFeedAtTheEndIsFineInJson() {
        ProtocolClient client = connected();

        client.sendBytes(
                wire == Wire.JSON
                        ? text("{\"id\":9,\"rpc\":{\"method\":\"echo\",\"data\":1}}\n")
                        : wire.encode(List.of("{\"id\":9,\"rpc\":{\"method\":\"echo\",\"data\":1}}")));

        assertThat(client.next().at("/rpc/data").asInt()).isEqualTo(1);
    }

    @Test
    void manyCommandsOfOneFrameAreDoneInTheirOrder() {
        String channel = fresh("c");
        ProtocolClient client = connected();

        client.send(
                "{'id':11,'subscribe':{'channel':'" + channel + "'}}",
                "{'id':12,'unsubscribe':{'channel':'" + channel + "'}}",
                "{'id':13,'subscribe':{'channel':'" + channel + "'}}");
        List<Integer> ids = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ids.add(client.next().path("id").asInt());
        }
        publish(channel, 1);

        assertThat(ids).containsExactlyInAnyOrder(11, 12, 13).last().isEqualTo(13);
        assertComes(client, channel, 1, 1);
    }

    @Test
    void methodsThatThereAreNotAreToldApart() {
        ProtocolClient client = connected();

        assertThat(error(client.call("rpc", "{'method':'nosuch','data':1}"))).isEqualTo(104);
        client.send("{'id':77,'ping':{}}");
        assertThat(client.closeCode()).isEqualTo(3501);
    }

    @Test
    void aMessageThatIsTooLargeIsClosedByTheCodeOfWebSocket() {
        int before = count(DisconnectReason.BAD_REQUEST);
        ProtocolClient client = connected();

        client.sendBytes(new byte[65 * 1024]);

        assertThat(client.closeCode()).isEqualTo(1009);
        awaitCount(DisconnectReason.BAD_REQUEST, before + 1);
    }

    @Test
    void textAndBinaryFramesAreTakenForTheSame() {
        ProtocolClient client = connected();

        client.sendFrame(
                0x83 - wire.firstOctet + 0x80,
                wire.encode(List.of("{\"id\":9,\"rpc\":{\"method\":\"echo\",\"data\":1}}")));

        assertThat(client.next().at("/rpc/data").asInt()).isEqualTo(1);
    }

    @Test
    void replyMembersAreThereEvenWhenTheyAreEmpty() {
        String channel = fresh("c");
        ProtocolClient client = connected();

        assertThat(client.call("publish", "{'channel':'" + channel + "','data':1}")
                        .has("publish"))
                .isTrue();
        assertThat(client.call("history", "{'channel':'" + channel + "'}").has("history"))
                .isTrue();
        assertThat(client.call("unsubscribe", "{'channel':'" + channel + "'}").has("unsubscribe"))
                .isTrue();
    }

    @Test
    void positionsFromTheFutureOrAnotherLifeAreNotReadFrom() {
        String channel = fresh("c");
        publish(channel, 3);
        ProtocolClient client = connected();

        assertThat(error(client.call(
                        "history", "{'channel':'" + channel + "','limit':5,'since':{'offset':1,'epoch':'other'}}")))
                .isEqualTo(112);
        assertThat(error(client.call(
                        "history", "{'channel':'" + channel + "','limit':5,'reverse':true,'since':{'offset':0}}")))
                .isEqualTo(107);
        assertThat(client.call("history", "{'channel':'" + channel + "','limit':5,'since':{'offset':99}}")
                        .at("/history/publications")
                        .size())
                .isZero();
        assertThat(client.recover(channel, 99, "", "")
                        .at("/subscribe/recovered")
                        .asBoolean())
                .isFalse();
    }
}
