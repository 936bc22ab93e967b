package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.Payload;
import dev.fanfare.netty.http.JsonText;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonCommandsTest {

    private final JsonCommands commands = new JsonCommands();

    @Test
    void readsWhatTheJavaScriptSdkSendsFirst() throws Exception {
        List<Command> read = decode("{\"connect\":{\"token\":\"eyJ\",\"name\":\"js\"},\"id\":1}\n"
                + "{\"subscribe\":{\"channel\":\"news\",\"recoverable\":true,\"flag\":1},\"id\":2}");

        assertThat(read).extracting(Command::id).containsExactly(1L, 2L);
        Request.Connect connect = (Request.Connect) read.get(0).request();
        assertThat(connect.token()).isEqualTo("eyJ");
        assertThat(connect.data()).isNull();
        Request.Subscribe subscribe = (Request.Subscribe) read.get(1).request();
        assertThat(subscribe.channel()).isEqualTo("news");
        assertThat(subscribe.recoverFrom()).isNull();
        assertThat(subscribe.flag()).isEqualTo(1);
    }

    @Test
    void readsPositionsOfServerSideSubscriptions() throws Exception {
        Request.Connect connect = (Request.Connect) only(
                "{\"id\":1,\"connect\":{\"subs\":{\"a\":{\"recover\":true,\"offset\":7,\"epoch\":\"e\"},\"b\":{}}}}");

        assertThat(connect.subs().get("a").recoverFrom()).isEqualTo(new Position("e", 7));
        assertThat(connect.subs().get("b").recoverFrom()).isNull();
    }

    @Test
    void readsEveryFieldOfASubscribe() throws Exception {
        Request.Subscribe subscribe = (Request.Subscribe) only("{\"id\":1,\"subscribe\":{\"channel\":\"c\","
                + "\"recover\":true,\"offset\":18,\"epoch\":\"Kq3v\",\"join_leave\":true,\"delta\":\"fossil\","
                + "\"tf\":{\"op\":\"and\",\"nodes\":[{}]},\"flag\":3,\"type\":4}}");

        assertThat(subscribe)
                .isEqualTo(new Request.Subscribe(
                        "c", "", new Position("Kq3v", 18), true, "fossil", TagsFilter.INVALID, 3, 4));
    }

    @Test
    void readsTheOtherRequests() throws Exception {
        assertThat(only("{\"id\":1,\"unsubscribe\":{\"channel\":\"c\"}}")).isEqualTo(new Request.Unsubscribe("c"));
        assertThat(only("{\"id\":1,\"presence\":{\"channel\":\"c\"}}")).isEqualTo(new Request.Presence("c"));
        assertThat(only("{\"id\":1,\"presence_stats\":{\"channel\":\"c\"}}")).isEqualTo(new Request.PresenceStats("c"));
        assertThat(only("{\"id\":1,\"history\":{\"channel\":\"c\",\"limit\":-1,\"reverse\":true,"
                        + "\"since\":{\"offset\":5,\"epoch\":\"x\"}}}"))
                .isEqualTo(new Request.History("c", -1, new Position("x", 5), true));
        assertThat(only("{\"id\":1,\"rpc\":{\"method\":\"m\",\"data\":[1]}}"))
                .isEqualTo(new Request.Rpc("m", Payload.of("[1]")));
        assertThat(
                        only(
                                "{\"id\":1,\"publish\":{\"channel\":\"c\",\"data\":1,\"type\":1,\"key\":\"k\",\"removed\":true}}"))
                .isEqualTo(new Request.Publish("c", Payload.of("1"), 1, "k", true));
        assertThat(only("{\"id\":1,\"refresh\":{\"token\":\"t\"}}")).isEqualTo(new Request.Refresh("t"));
        assertThat(only("{\"id\":1,\"sub_refresh\":{\"channel\":\"c\",\"token\":\"t\"}}"))
                .isEqualTo(new Request.SubRefresh("c", "t"));
        assertThat(only("{\"send\":{\"data\":{}}}")).isEqualTo(new Request.Send(Payload.of("{}")));
    }

    @Test
    void tokensAreNotTold() throws Exception {
        for (String command : List.of(
                "{\"id\":1,\"connect\":{\"token\":\"S3CRET\"}}",
                "{\"id\":1,\"subscribe\":{\"channel\":\"c\",\"token\":\"S3CRET\"}}",
                "{\"id\":1,\"refresh\":{\"token\":\"S3CRET\"}}",
                "{\"id\":1,\"sub_refresh\":{\"channel\":\"c\",\"token\":\"S3CRET\"}}")) {
            assertThat(only(command).toString()).doesNotContain("S3CRET");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[]",
                "\"\"",
                "null",
                "true",
                "false",
                "0",
                "-0.10e+2",
                "12345678901234567890123456789012345678901234567890.000",
                "\"a\\n\\u00e9\\\"\\\\ é \uD83D\uDE00 \\ud83d\"",
                "{ \"a\" : [ 1 ,\t2.50 , { \"b\" : \"}]\" } ] , \"a\" : null }",
                "[[[[[[[[\"deep\"]]]]]]]]"
            })
    void keepsDataByteForByte(String data) throws Exception {
        String line = "{\"id\":1,\"publish\":{\"é\":\"\uD83D\uDE00\",\"data\": " + data + " ,\"channel\":\"ü\"}}";

        List<Command> read = decode(line + "\n" + line);

        for (Command command : read) {
            Request.Publish publish = (Request.Publish) command.request();
            assertThat(publish.data().text()).isEqualTo(data);
            assertThat(publish.channel()).isEqualTo("ü");
        }
    }

    @Test
    void skipsFieldsThatItDoesNotKnow() throws Exception {
        assertThat(
                        only(
                                "{\"x\":[{\"id\":9}],\"id\":1,\"unsubscribe\":{\"y\":{\"channel\":\"no\"},\"channel\":\"c\"},\"z\":1}"))
                .isEqualTo(new Request.Unsubscribe("c"));
    }

    @Test
    void takesNullForAbsent() throws Exception {
        Request.Subscribe subscribe =
                (Request.Subscribe) only("{\"id\":1,\"connect\":null,\"subscribe\":{\"channel\":\"c\","
                        + "\"recover\":null,\"epoch\":null,\"offset\":null,\"tf\":null,\"delta\":null,\"type\":null}}");

        assertThat(subscribe).isEqualTo(new Request.Subscribe("c", "", null, false, "", null, 0, 0));
    }

    @Test
    void takesACommandWithoutIdForAPong() throws Exception {
        assertThat(only("{}")).isEqualTo(Request.Pong.PONG);
        assertThat(only("{\"publish\":{\"channel\":\"c\",\"data\":1}}")).isEqualTo(Request.Pong.PONG);
    }

    @Test
    void acceptsOneTrailingLineFeed() throws Exception {
        assertThat(decode("{}\n")).hasSize(1);
        assertThat(decode("{}\n{}\n")).hasSize(2);
    }

    @Test
    void takesOffsetsBeyondALongForTheLargest() throws Exception {
        Request.History history = (Request.History)
                only("{\"id\":1,\"history\":{\"channel\":\"c\",\"since\":{\"offset\":18446744073709551615}}}");

        assertThat(history.since()).isEqualTo(new Position("", Long.MAX_VALUE));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n",
                "{}\n\n",
                "{}\n\n{}",
                "\n{}",
                "   ",
                "garbage",
                "[]",
                "1",
                "null",
                "{",
                "{}}",
                "{} {}",
                "{\"id\":1}",
                "{\"id\":1,\"nosuch\":{}}",
                "{\"id\":-1,\"rpc\":{}}",
                "{\"id\":4294967296,\"rpc\":{}}",
                "{\"id\":1.0,\"rpc\":{}}",
                "{\"id\":\"1\",\"rpc\":{}}",
                "{\"id\":1,\"rpc\":[]}",
                "{\"id\":1,\"ping\":{}}",
                "{\"id\":1,\"rpc\":{},\"presence\":{\"channel\":\"c\"}}",
                "{\"id\":1,\"subscribe\":{\"channel\":1}}",
                "{\"id\":1,\"subscribe\":{\"channel\":\"c\",\"recover\":1}}",
                "{\"id\":1,\"subscribe\":{\"channel\":\"c\",\"offset\":-1}}",
                "{\"id\":1,\"subscribe\":{\"channel\":\"c\",\"offset\":1.5}}",
                "{\"id\":1,\"subscribe\":{\"channel\":\"c\",\"offset\":-18446744073709551615}}",
                "{\"id\":1,\"history\":{\"channel\":\"c\",\"limit\":2147483648}}",
                "{\"id\":1,\"history\":{\"channel\":\"c\",\"limit\":18446744073709551615}}",
                "{\"id\":1,\"publish\":{\"data\":01}}",
                "{\"id\":1,\"publish\":{\"data\":NaN}}",
                "{\"id\":1,\"publish\":{\"data\":'a'}}",
                "{\"id\":1,\"publish\":{\"data\":\"a\tb\"}}",
                "{\"id\":1,\"publish\":{\"data\":[1,]}}",
                "\uFEFF{}"
            })
    void refusesWhatIsNoCommand(String message) {
        assertBad(message.getBytes(UTF_8));
    }

    @Test
    void refusesTextThatIsNotUtf8() {
        assertBad("{\"id\":1,\"rpc\":{\"data\":\"\u00e9\"}}".getBytes(ISO_8859_1));
        assertBad("{\"id\":1,\"rpc\":{\"data\":\"\u00c0\u0080\"}}".getBytes(ISO_8859_1));
        assertBad("{\"id\":1,\"rpc\":{\"data\":\"\u00ed\u00a0\u0080\"}}".getBytes(ISO_8859_1));
        assertBad("{}".getBytes(UTF_16LE));
    }

    @Test
    void refusesNestingWithoutEnd() throws Exception {
        String allowed = "[".repeat(JsonText.MAX_DEPTH - 2) + "]".repeat(JsonText.MAX_DEPTH - 2);
        assertThat(decode("{\"id\":1,\"rpc\":{\"data\":" + allowed + "}}")).hasSize(1);

        assertBad(("{\"id\":1,\"rpc\":{\"data\":[" + allowed + "]}}").getBytes(UTF_8));
        assertBad(("{\"x\":" + "[".repeat(60_000)).getBytes(UTF_8));
    }

    @Test
    void throwsNothingElseWhateverItIsGiven() {
        byte[] good =
                ("{\"id\":1,\"connect\":{\"token\":\"é\",\"data\":{\"a\":[1,2.5,\"\\u00e9\"]},\"subs\":{\"c\":{\"offset\":5}}}}\n"
                                + "{\"id\":2,\"publish\":{\"channel\":\"c\",\"data\":\"\uD83D\uDE00\"}}\n"
                                + "{\"id\":3,\"subscribe\":{\"tf\":{\"op\":\"or\",\"nodes\":[{\"key\":\"k\",\"cmp\":\"in\","
                                + "\"vals\":[\"v\",\"w\"]},{\"key\":\"k\",\"cmp\":\"lt\",\"val\":\"1.5\"}]}}}")
                        .getBytes(UTF_8);
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

    private Request only(String message) throws BadCommandException {
        List<Command> read = decode(message);
        assertThat(read).hasSize(1);
        return read.get(0).request();
    }

    private List<Command> decode(String message) throws BadCommandException {
        return commands.decode(message.getBytes(UTF_8));
    }

    private void assertBad(byte[] message) {
        assertThatThrownBy(() -> commands.decode(message)).isInstanceOf(BadCommandException.class);
    }
}
