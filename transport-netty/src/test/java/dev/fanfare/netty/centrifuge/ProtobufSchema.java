package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The published schema, and what turns messages in the shape of JSON into Protobuf and back by it; it shares nothing
 * with the server's own codec. Fields that the schema does not have are an error, in both directions.
 */
final class ProtobufSchema {

    /** Kinds: u number, b bool, s string, j JSON in bytes, .X message; * before it repeated, % before it map from strings. */
    private static final String TEXT = """
            Command id=1u connect=4.ConnectRequest subscribe=5.SubscribeRequest unsubscribe=6.Channel publish=7.PublishRequest \
            presence=8.Channel presence_stats=9.Channel history=10.HistoryRequest ping=11.Empty send=12.Data \
            rpc=13.RpcRequest refresh=14.Token sub_refresh=15.SubRefreshRequest
            Reply id=1u error=2.Error push=4.Push connect=5.ConnectResult subscribe=6.SubscribeResult unsubscribe=7.Empty \
            publish=8.Empty presence=9.PresenceResult presence_stats=10.PresenceStatsResult history=11.HistoryResult \
            ping=12.Empty rpc=13.Data refresh=14.RefreshResult sub_refresh=15.SubRefreshResult
            Push id=1u channel=2s pub=4.Publication join=5.Presence leave=6.Presence unsubscribe=7.Unsubscribe \
            message=8.Data subscribe=9.Subscribe connect=10.ConnectResult disconnect=11.Disconnect refresh=12.Expiry
            Error code=1u message=2s temporary=3b
            ClientInfo user=1s client=2s conn_info=3j chan_info=4j
            Publication data=4j info=5.ClientInfo offset=6u tags=7%s delta=8b time=9u channel=10s key=11s removed=12b epoch=14s
            Presence info=1.ClientInfo
            Unsubscribe code=2u reason=3s
            Subscribe recoverable=1b epoch=4s offset=5u positioned=6b data=7j
            Disconnect code=1u reason=2s reconnect=3b
            Expiry expires=1b ttl=2u
            ConnectRequest token=1s data=2j subs=3%.SubscribeRequest name=4s version=5s headers=6%s flag=7u
            ConnectResult client=1s version=2s expires=3b ttl=4u data=5j subs=6%.SubscribeResult ping=7u pong=8b session=9s node=10s
            RefreshResult client=1s version=2s expires=3b ttl=4u
            SubscribeRequest channel=1s token=2s recover=3b epoch=6s offset=7u data=8j positioned=9b recoverable=10b \
            join_leave=11b delta=12s tf=13.FilterNode flag=14u type=15u
            SubscribeResult expires=1b ttl=2u recoverable=3b epoch=6s publications=7*.Publication recovered=8b offset=9u \
            positioned=10b data=11j was_recovering=12b delta=13b id=14u
            SubRefreshRequest channel=1s token=2s type=3u
            SubRefreshResult expires=1b ttl=2u
            PublishRequest channel=1s data=2j type=3u key=4s removed=5b
            PresenceResult presence=1%.ClientInfo
            PresenceStatsResult num_clients=1u num_users=2u
            StreamPosition offset=1u epoch=2s
            HistoryRequest channel=1s limit=7u since=8.StreamPosition reverse=9b
            HistoryResult publications=1*.Publication epoch=2s offset=3u
            RpcRequest data=1j method=2s
            FilterNode op=1s key=2s cmp=3s val=4s vals=5*s nodes=6*.FilterNode
            Channel channel=1s
            Data data=1j
            Token token=1s
            Empty
            """;

    private static final Map<String, List<Field>> MESSAGES = new HashMap<>();
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    static {
        Pattern field = Pattern.compile("(\\w+)=(\\d+)([*%]?)(\\.?)(\\w+)");
        TEXT.lines().forEach(line -> {
            List<Field> fields = new ArrayList<>();
            Matcher found = field.matcher(line);
            while (found.find()) {
                fields.add(new Field(
                        found.group(1),
                        Integer.parseInt(found.group(2)),
                        found.group(3),
                        !found.group(4).isEmpty(),
                        found.group(5)));
            }
            MESSAGES.put(line.split(" ")[0], fields);
        });
    }

    private record Field(String name, int number, String multiplicity, boolean isMessage, String type) {
        int wireType() {
            return multiplicity.isEmpty() && (type.equals("u") || type.equals("b")) && !isMessage ? 0 : 2;
        }
    }

    private ProtobufSchema() {}

    static byte[] encode(String message, JsonNode node) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        node.properties().forEach(entry -> {
            Field field = field(message, entry.getKey());
            JsonNode value = entry.getValue();
            switch (field.multiplicity()) {
                case "*" -> value.forEach(each -> value(out, field, each));
                case "%" ->
                    value.properties().forEach(each -> {
                        ByteArrayOutputStream pair = new ByteArrayOutputStream();
                        delimited(pair, 1, each.getKey().getBytes(UTF_8));
                        value(pair, new Field("value", 2, "", field.isMessage(), field.type()), each.getValue());
                        delimited(out, field.number(), pair.toByteArray());
                    });
                default -> value(out, field, value);
            }
        });
        return out.toByteArray();
    }

    private static Field field(String message, String name) {
        return MESSAGES.get(message).stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(message + " has no field " + name));
    }

    private static void value(ByteArrayOutputStream out, Field field, JsonNode value) {
        if (field.isMessage()) {
            delimited(out, field.number(), encode(field.type(), value));
            return;
        }
        switch (field.type()) {
            case "u" -> number(out, field.number(), value.longValue());
            case "b" -> number(out, field.number(), value.booleanValue() ? 1 : 0);
            case "s" -> delimited(out, field.number(), value.textValue().getBytes(UTF_8));
            default -> delimited(out, field.number(), value.toString().getBytes(UTF_8));
        }
    }

    private static void number(ByteArrayOutputStream out, int field, long value) {
        varint(out, (long) field << 3);
        varint(out, value);
    }

    private static void delimited(ByteArrayOutputStream out, int field, byte[] value) {
        varint(out, (long) field << 3 | 2);
        varint(out, value.length);
        out.writeBytes(value);
    }

    static void varint(ByteArrayOutputStream out, long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) (rest & 0x7f | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    static ObjectNode decode(String message, byte[] bytes) {
        ObjectNode node = NODES.objectNode();
        Reading in = new Reading(bytes);
        while (in.hasMore()) {
            int tag = (int) in.varint();
            Optional<Field> known = MESSAGES.get(message).stream()
                    .filter(each -> each.number() == tag >>> 3)
                    .findFirst();
            Field field = known.orElseThrow(() -> new AssertionError(message + " has no field " + (tag >>> 3)));
            if ((tag & 7) != field.wireType()) {
                throw new AssertionError(message + "." + field.name() + " has wire type " + (tag & 7));
            }
            read(in, field, node);
        }
        return node;
    }

    private static void read(Reading in, Field field, ObjectNode node) {
        switch (field.multiplicity()) {
            case "*" -> node.withArray(field.name()).add(value(in, field));
            case "%" -> {
                Reading pair = new Reading(in.delimited());
                pair.varint();
                String key = new String(pair.delimited(), UTF_8);
                JsonNode value = NODES.objectNode();
                if (pair.hasMore()) {
                    pair.varint();
                    value = value(pair, field);
                }
                node.withObjectProperty(field.name()).set(key, value);
            }
            default -> node.set(field.name(), value(in, field));
        }
    }

    private static JsonNode value(Reading in, Field field) {
        if (field.isMessage()) {
            return decode(field.type(), in.delimited());
        }
        return switch (field.type()) {
            case "u" -> NODES.numberNode(in.varint());
            case "b" -> NODES.booleanNode(in.varint() == 1);
            case "s" -> NODES.textNode(new String(in.delimited(), UTF_8));
            default -> payload(in.delimited());
        };
    }

    private static JsonNode payload(byte[] bytes) {
        try {
            return MAPPER.readTree(bytes);
        } catch (IOException noJson) {
            return NODES.binaryNode(bytes);
        }
    }

    /** Takes a frame apart. */
    static List<byte[]> messages(byte[] frame) {
        List<byte[]> messages = new ArrayList<>();
        Reading in = new Reading(frame);
        while (in.hasMore()) {
            messages.add(in.delimited());
        }
        return messages;
    }

    private static final class Reading {
        private final byte[] bytes;
        private int at;

        Reading(byte[] bytes) {
            this.bytes = bytes;
        }

        boolean hasMore() {
            return at < bytes.length;
        }

        long varint() {
            long value = 0;
            int shift = 0;
            byte octet;
            do {
                octet = bytes[at++];
                value |= (long) (octet & 0x7f) << shift;
                shift += 7;
            } while (octet < 0);
            return value;
        }

        byte[] delimited() {
            int length = (int) varint();
            at += length;
            return Arrays.copyOfRange(bytes, at - length, at);
        }
    }
}
