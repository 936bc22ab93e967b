package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The fields of one Protobuf message, by their number. */
final class ProtobufFields {

    private final Map<Integer, List<Object>> fields = new HashMap<>();
    private final byte[] bytes;
    private int at;

    private ProtobufFields(byte[] bytes) {
        this.bytes = bytes;
        while (at < bytes.length) {
            int tag = (int) varint();
            Object value = (tag & 7) == 0 ? (Object) varint() : delimited();
            fields.computeIfAbsent(tag >>> 3, number -> new ArrayList<>()).add(value);
        }
    }

    static ProtobufFields of(byte[] message) {
        return new ProtobufFields(message);
    }

    long number(int field) {
        return (long) last(field, 0L);
    }

    byte[] bytes(int field) {
        return (byte[]) last(field, new byte[0]);
    }

    String text(int field) {
        return new String(bytes(field), UTF_8);
    }

    ProtobufFields message(int field) {
        if (!fields.containsKey(field)) {
            throw new AssertionError("no field " + field + ", but " + fields.keySet());
        }
        return of(bytes(field));
    }

    List<ProtobufFields> messages(int field) {
        return fields.getOrDefault(field, List.of()).stream()
                .map(value -> of((byte[]) value))
                .toList();
    }

    private Object last(int field, Object otherwise) {
        List<Object> values = fields.getOrDefault(field, List.of(otherwise));
        return values.get(values.size() - 1);
    }

    private long varint() {
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

    private byte[] delimited() {
        ByteArrayOutputStream value = new ByteArrayOutputStream();
        for (long left = varint(); left > 0; left--) {
            value.write(bytes[at++]);
        }
        return value.toByteArray();
    }
}
