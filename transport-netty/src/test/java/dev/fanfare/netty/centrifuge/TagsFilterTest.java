package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Payload;
import dev.fanfare.Publication;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client may write into a filter, and what it then gets. */
class TagsFilterTest {

    private static final Publication TAGGED = Publication.builder(Payload.of("1"))
            .headers(Map.of("type", "goal", "minute", "74", "price", "-1.50", "empty", "", "long", "9".repeat(80)))
            .build();

    @ParameterizedTest
    @CsvSource({
        "type,eq,goal,true",
        "type,eq,foul,false",
        "none,eq,goal,false",
        "type,neq,goal,false",
        "type,neq,foul,true",
        "none,neq,goal,true",
        "type,sw,go,true",
        "type,sw,al,false",
        "none,sw,go,false",
        "type,ew,al,true",
        "type,ew,go,false",
        "type,ct,oa,true",
        "type,ct,ao,false",
        "minute,lt,75,true",
        "minute,lt,74,false",
        "minute,lte,74,true",
        "minute,lte,73.9,false",
        "minute,gt,9,true",
        "minute,gt,74.0,false",
        "minute,gte,74.00,true",
        "minute,gte,75,false",
        "price,lt,-1.4999,true",
        "price,gt,+1,false",
        "type,gt,1,false",
        "type,lt,1,false",
        "minute,lt,many,false",
        "minute,lt,1e9,false",
        "none,lt,1,false",
        "empty,gte,0,false",
        "long,gt,1,false"
    })
    void compares(String key, String comparison, String value, boolean isWanted) throws Exception {
        assertThat(filter("{\"key\":\"%s\",\"cmp\":\"%s\",\"val\":\"%s\"}", key, comparison, value)
                        .test(TAGGED))
                .isEqualTo(isWanted);
    }

    @Test
    void looksWhetherThereIsATag() throws Exception {
        assertThat(filter("{\"key\":\"type\",\"cmp\":\"ex\"}").test(TAGGED)).isTrue();
        assertThat(filter("{\"key\":\"none\",\"cmp\":\"ex\"}").test(TAGGED)).isFalse();
        assertThat(filter("{\"key\":\"type\",\"cmp\":\"nex\"}").test(TAGGED)).isFalse();
        assertThat(filter("{\"key\":\"none\",\"cmp\":\"nex\"}").test(TAGGED)).isTrue();
    }

    @Test
    void looksWhetherATagIsOneOfSeveral() throws Exception {
        assertThat(filter("{\"key\":\"type\",\"cmp\":\"in\",\"vals\":[\"foul\",\"goal\"]}")
                        .test(TAGGED))
                .isTrue();
        assertThat(filter("{\"key\":\"type\",\"cmp\":\"in\",\"vals\":[\"foul\"]}")
                        .test(TAGGED))
                .isFalse();
        assertThat(filter("{\"key\":\"none\",\"cmp\":\"in\",\"vals\":[\"\"]}").test(TAGGED))
                .isFalse();
        assertThat(filter("{\"key\":\"type\",\"cmp\":\"nin\",\"vals\":[\"goal\"]}")
                        .test(TAGGED))
                .isFalse();
        assertThat(filter("{\"key\":\"none\",\"cmp\":\"nin\",\"vals\":[\"goal\"]}")
                        .test(TAGGED))
                .isTrue();
    }

    @Test
    void combines() throws Exception {
        String yes = "{\"key\":\"type\",\"cmp\":\"ex\"}";
        String no = "{\"key\":\"none\",\"cmp\":\"ex\"}";

        assertThat(filter("{\"op\":\"and\",\"nodes\":[%s,%s]}", yes, yes).test(TAGGED))
                .isTrue();
        assertThat(filter("{\"op\":\"and\",\"nodes\":[%s,%s]}", yes, no).test(TAGGED))
                .isFalse();
        assertThat(filter("{\"op\":\"or\",\"nodes\":[%s,%s]}", no, yes).test(TAGGED))
                .isTrue();
        assertThat(filter("{\"op\":\"or\",\"nodes\":[%s,%s]}", no, no).test(TAGGED))
                .isFalse();
        assertThat(filter("{\"op\":\"not\",\"nodes\":[%s]}", no).test(TAGGED)).isTrue();
        assertThat(filter("{\"nodes\":[{\"nodes\":[%s],\"op\":\"not\"},%s],\"op\":\"and\"}", no, yes)
                        .test(TAGGED))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"op\":\"xor\",\"nodes\":[]}",
                "{\"op\":\"and\"}",
                "{\"op\":\"or\",\"nodes\":[]}",
                "{\"op\":\"not\"}",
                "{\"op\":\"and\",\"nodes\":[{}]}",
                "{\"key\":\"a\"}",
                "{\"key\":\"a\",\"cmp\":\"like\",\"val\":\"b\"}",
                "{\"key\":\"a\",\"cmp\":\"eq\"}",
                "{\"cmp\":\"eq\",\"val\":\"b\"}",
                "{\"key\":\"a\",\"cmp\":\"eq\",\"val\":\"b\",\"vals\":[\"c\"]}",
                "{\"key\":\"a\",\"cmp\":\"in\",\"val\":\"b\"}",
                "{\"key\":\"a\",\"cmp\":\"in\",\"vals\":[]}",
                "{\"key\":\"a\",\"cmp\":\"ex\",\"val\":\"b\"}",
                "{\"key\":\"a\",\"cmp\":\"nex\",\"vals\":[\"b\"]}",
                "{\"op\":\"not\",\"nodes\":[{\"key\":\"a\",\"cmp\":\"ex\"},{\"key\":\"a\",\"cmp\":\"ex\"}]}"
            })
    void takesNothingElse(String json) throws Exception {
        assertThat(parse(json)).isSameAs(TagsFilter.INVALID);
    }

    @Test
    void takesNoMoreThanItsBounds() throws Exception {
        String leaf = "{\"key\":\"a\",\"cmp\":\"ex\"}";

        assertThat(parse(nested(leaf, 15))).isNotSameAs(TagsFilter.INVALID);
        assertThat(parse(nested(leaf, 16))).isSameAs(TagsFilter.INVALID);
        assertThat(parse(nested(leaf, 200))).isSameAs(TagsFilter.INVALID);
        assertThat(parse("{\"op\":\"or\",\"nodes\":[" + leaf + ("," + leaf).repeat(254) + "]}"))
                .isNotSameAs(TagsFilter.INVALID);
        assertThat(parse("{\"op\":\"or\",\"nodes\":[" + leaf + ("," + leaf).repeat(255) + "]}"))
                .isSameAs(TagsFilter.INVALID);
        assertThat(parse("{\"key\":\"a\",\"cmp\":\"in\",\"vals\":[\"b\"" + ",\"b\"".repeat(254) + "]}"))
                .isNotSameAs(TagsFilter.INVALID);
        assertThat(parse("{\"key\":\"a\",\"cmp\":\"in\",\"vals\":[\"b\"" + ",\"b\"".repeat(255) + "]}"))
                .isSameAs(TagsFilter.INVALID);
        assertThat(parse("{\"key\":\"" + "a".repeat(257) + "\",\"cmp\":\"ex\"}"))
                .isSameAs(TagsFilter.INVALID);
    }

    @Test
    void readsTheSameFromProtobuf() throws Exception {
        TagsFilter filter = parse(out -> {
            out.field(1, "and");
            node(out, child -> {
                child.field(2, "type");
                child.field(3, "in");
                child.field(5, "foul");
                child.field(5, "goal");
            });
            node(out, child -> {
                child.field(2, "minute");
                child.field(3, "gt");
                child.field(4, "70");
            });
            out.field(99, "unknown");
        });

        assertThat(filter.test(TAGGED)).isTrue();
        assertThat(filter.test(Publication.builder(Payload.of("1"))
                        .headers(Map.of("type", "goal", "minute", "69"))
                        .build()))
                .isFalse();
    }

    @Test
    void holdsProtobufToTheSameBounds() throws Exception {
        assertThat(parse(out -> nested(out, 15))).isNotSameAs(TagsFilter.INVALID);
        assertThat(parse(out -> nested(out, 16))).isSameAs(TagsFilter.INVALID);
        assertThat(parse(out -> nested(out, 2_000))).isSameAs(TagsFilter.INVALID);
    }

    private static String nested(String leaf, int levels) {
        return "{\"op\":\"not\",\"nodes\":[".repeat(levels) + leaf + "]}".repeat(levels);
    }

    private static void nested(ProtobufBuffer out, int levels) {
        int[] starts = new int[levels];
        for (int i = 0; i < levels; i++) {
            out.field(1, "not");
            starts[i] = out.begin(6);
        }
        out.field(2, "a");
        out.field(3, "ex");
        for (int i = levels - 1; i >= 0; i--) {
            out.end(starts[i]);
        }
    }

    private static void node(ProtobufBuffer out, Consumer<ProtobufBuffer> fields) {
        int start = out.begin(6);
        fields.accept(out);
        out.end(start);
    }

    private static TagsFilter filter(String json, Object... parts) throws Exception {
        TagsFilter filter = parse(String.format(json, parts));
        assertThat(filter).isNotSameAs(TagsFilter.INVALID);
        return filter;
    }

    private static TagsFilter parse(String json) throws Exception {
        String command = "{\"id\":1,\"subscribe\":{\"channel\":\"c\",\"tf\":" + json + ",\"flag\":2}}";
        return filterOf(new JsonCommands()
                .decode(command.getBytes(StandardCharsets.UTF_8))
                .get(0));
    }

    private static TagsFilter parse(Consumer<ProtobufBuffer> fields) throws Exception {
        ProtobufBuffer out = new ProtobufBuffer(64);
        int framed = out.begin(1);
        out.field(1, 7);
        int subscribe = out.begin(5);
        int filter = out.begin(13);
        fields.accept(out);
        out.end(filter);
        out.field(14, 2);
        out.end(subscribe);
        out.end(framed);
        ByteBuf frame = Unpooled.buffer();
        out.writeTo(frame);
        return filterOf(new ProtobufCommands()
                .decode(ByteBufUtil.getBytes(frame.skipBytes(1)))
                .get(0));
    }

    private static TagsFilter filterOf(Command command) {
        Request.Subscribe subscribe = (Request.Subscribe) command.request();
        assertThat(subscribe.flag()).as("what comes after the filter").isEqualTo(2);
        return subscribe.filter();
    }
}
