package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.Payload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProtobufCommandsTest {

    private final ProtobufCommands commands = new ProtobufCommands();

    @Test
    void readsSubscribeFromTheWire() throws Exception {
        List<Command> read = decode("0a 0801 2a06 0a04 6e657773");

        assertThat(read)
                .containsExactly(new Command(1, new Request.Subscribe("news", "", null, false, "", null, 0, 0), 10));
    }

    @Test
    void readsSeveralCommandsOfOneFrame() throws Exception {
        List<Command> read = decode("00 04 0802 6a00 04 0803 6a00");

        assertThat(read).extracting(Command::id).containsExactly(0L, 2L, 3L);
    }

    @Test
    void readsTheEmptyCommandAsPong() throws Exception {
        assertThat(decode("00")).containsExactly(new Command(0, Request.Pong.PONG, 0));
    }

    @Test
    void readsConnect() throws Exception {
        Request.Connect connect = (Request.Connect) only(4, out -> {
            out.field(1, "token");
            out.field(2, Payload.of("raw\0"));
            int entry = out.begin(3);
            out.field(1, "a");
            int value = out.begin(2);
            out.field(3, true);
            out.field(6, "e");
            out.field(7, 7);
            out.end(value);
            out.end(entry);
            int bare = out.begin(3);
            out.field(1, "b");
            out.end(bare);
            out.field(4, "java");
            out.field(7, 1);
        });

        assertThat(connect.token()).isEqualTo("token");
        assertThat(connect.data()).isEqualTo(Payload.of("raw\0"));
        assertThat(connect.subs().get("a").recoverFrom()).isEqualTo(new Position("e", 7));
        assertThat(connect.subs().get("b").recoverFrom()).isNull();
    }

    @Test
    void readsEveryFieldOfASubscribe() throws Exception {
        Request subscribe = only(5, out -> {
            out.field(1, "c");
            out.field(2, "token");
            out.field(3, true);
            out.field(6, "Kq3v");
            out.field(7, 18);
            out.field(11, true);
            out.field(12, "fossil");
            out.end(out.begin(13));
            out.field(14, 3);
            out.field(15, 4);
        });

        assertThat(subscribe)
                .isEqualTo(new Request.Subscribe(
                        "c", "token", new Position("Kq3v", 18), true, "fossil", TagsFilter.INVALID, 3, 4));
    }

    @Test
    void readsTheOtherRequests() throws Exception {
        Consumer<ProtobufBuffer> channel = out -> out.field(1, "c");
        assertThat(only(6, channel)).isEqualTo(new Request.Unsubscribe("c"));
        assertThat(only(8, channel)).isEqualTo(new Request.Presence("c"));
        assertThat(only(9, channel)).isEqualTo(new Request.PresenceStats("c"));
        assertThat(only(12, out -> out.field(1, Payload.of("m")))).isEqualTo(new Request.Send(Payload.of("m")));
        assertThat(only(14, channel)).isEqualTo(new Request.Refresh("c"));
        assertThat(only(15, out -> {
                    out.field(1, "c");
                    out.field(2, "t");
                }))
                .isEqualTo(new Request.SubRefresh("c", "t"));
        assertThat(only(13, out -> {
                    out.field(1, Payload.of("d"));
                    out.field(2, "m");
                }))
                .isEqualTo(new Request.Rpc("m", Payload.of("d")));
        assertThat(only(7, out -> {
                    out.field(1, "c");
                    out.field(2, Payload.of("d"));
                    out.field(3, 1);
                    out.field(4, "k");
                    out.field(5, true);
                }))
                .isEqualTo(new Request.Publish("c", Payload.of("d"), 1, "k", true));
        assertThat(only(10, out -> {
                    out.field(1, "c");
                    out.field(7, -1);
                    int since = out.begin(8);
                    out.field(1, 5);
                    out.field(2, "x");
                    out.end(since);
                    out.field(9, true);
                }))
                .isEqualTo(new Request.History("c", -1, new Position("x", 5), true));
    }

    @Test
    void skipsFieldsThatItDoesNotKnowAndKnownOnesOfAnotherType() throws Exception {
        // 20: varint, 21: fixed64, 22: bytes, 23: fixed32, and the channel as a varint before the real one.
        String unknown = "a00101" + "a9010102030405060708" + "b2010161" + "bd0101020304" + "0805";
        String channel = "0a0163";
        assertThat(decode("20 0801 321c" + unknown + channel))
                .containsExactly(new Command(1, new Request.Unsubscribe("c"), 32));
    }

    @Test
    void takesUnsignedNumbersBeyondALongForTheLargest() throws Exception {
        Request.Subscribe subscribe = (Request.Subscribe) only(5, out -> {
            out.field(1, "c");
            out.field(3, true);
            out.field(7, -1);
        });

        assertThat(subscribe.recoverFrom()).isEqualTo(new Position("", Long.MAX_VALUE));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", // nothing at all
                "01", // a length, and nothing
                "80", // half a length
                "ffffffff0f", // a length of 4 GiB
                "ffffffffffffffff7f", // a length beyond everything
                "ffffffffffffffffff01", // a negative length
                "80808080808080808080808000", // a varint without end
                "02 0801", // an id and no request
                "04 0801 5a00", // a ping
                "06 0801 3a00 4200", // two requests
                "04 0801 3a7f", // a request longer than the command
                "03 0801 3a", // a field without content
                "06 0801 3a02 0a05", // a string longer than its message
                "07 0801 3203 0a01ff", // a channel that is not UTF-8
                "02 0001", // field number 0
                "02 0b00", // a group
                "02 0e00", // an unknown wire type
                "09 0801 3205 0d010203", // a fixed32 cut short
                "08 08ffffffff1f 6a00" // an id of more than 32 bits
            })
    void refusesWhatIsNoCommand(String hex) {
        assertThatThrownBy(() -> decode(hex)).isInstanceOf(BadCommandException.class);
    }

    @Test
    void throwsNothingElseWhateverItIsGiven() {
        byte[] good = command(4, out -> {
            out.field(1, "tökén");
            out.field(2, Payload.of("some data"));
            int entry = out.begin(3);
            out.field(1, "c");
            int value = out.begin(2);
            out.field(3, true);
            out.field(7, 1L << 40);
            int filter = out.begin(13);
            out.field(1, "not");
            int node = out.begin(6);
            out.field(2, "k");
            out.field(3, "in");
            out.field(5, "v");
            out.end(node);
            out.end(filter);
            out.end(value);
            out.end(entry);
        });
        Random random = new Random(4711);
        for (int i = 0; i < 20_000; i++) {
            byte[] mutant = Mutation.of(good, random);
            try {
                assertThat(commands.decode(mutant)).isNotEmpty();
            } catch (BadCommandException expected) {
                assertThat(expected).hasMessageMatching(".+");
            }
        }
    }

    private Request only(int number, Consumer<ProtobufBuffer> content) throws BadCommandException {
        List<Command> read = commands.decode(command(number, content));
        assertThat(read).hasSize(1);
        assertThat(read.get(0).id()).isEqualTo(300);
        return read.get(0).request();
    }

    private static byte[] command(int number, Consumer<ProtobufBuffer> content) {
        ProtobufBuffer out = new ProtobufBuffer(64);
        out.field(1, 300);
        int request = out.begin(number);
        content.accept(out);
        out.end(request);
        ByteBuf frame = Unpooled.buffer();
        frame.writeByte(out.size());
        assertThat(out.size()).isLessThan(128);
        out.writeTo(frame);
        return ByteBufUtil.getBytes(frame);
    }

    private List<Command> decode(String hex) throws BadCommandException {
        return commands.decode(ByteBufUtil.decodeHexDump(hex.replace(" ", "")));
    }
}
