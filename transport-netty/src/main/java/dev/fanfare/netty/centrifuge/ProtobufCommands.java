package dev.fanfare.netty.centrifuge;

import static dev.fanfare.netty.centrifuge.ProtobufReader.DELIMITED;
import static dev.fanfare.netty.centrifuge.ProtobufReader.VARINT;

import dev.fanfare.Payload;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads commands in Protobuf, each with its length in front. Unknown fields are skipped, as are known
 * ones of another wire type.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class ProtobufCommands implements CommandDecoder {

    @Override
    public List<Command> decode(byte[] message) throws BadCommandException {
        List<Command> commands = new ArrayList<>(1);
        ProtobufReader reader = new ProtobufReader(message, 0, message.length);
        do {
            commands.add(command(reader.nested()));
        } while (reader.hasMore());
        return commands;
    }

    private static Command command(ProtobufReader reader) throws BadCommandException {
        int bytes = reader.remaining();
        long id = 0;
        Request request = null;
        while (reader.hasMore()) {
            int tag = reader.tag();
            if (tag == (1 << 3 | VARINT)) {
                id = reader.unsigned();
            } else {
                Request found = request(tag, reader);
                if (found != null && request != null) {
                    throw new BadCommandException("two requests in one command");
                }
                request = found == null ? request : found;
            }
        }
        return Command.of(id, request, bytes);
    }

    private static @Nullable Request request(int tag, ProtobufReader reader) throws BadCommandException {
        return switch (tag) {
            case 4 << 3 | DELIMITED -> connect(reader.nested());
            case 5 << 3 | DELIMITED -> subscribe(reader.nested());
            case 6 << 3 | DELIMITED -> new Request.Unsubscribe(onlyText(reader.nested()));
            case 7 << 3 | DELIMITED -> publish(reader.nested());
            case 8 << 3 | DELIMITED -> new Request.Presence(onlyText(reader.nested()));
            case 9 << 3 | DELIMITED -> new Request.PresenceStats(onlyText(reader.nested()));
            case 10 << 3 | DELIMITED -> history(reader.nested());
            case 11 << 3 | DELIMITED -> throw new BadCommandException("clients do not ping");
            case 12 << 3 | DELIMITED -> new Request.Send(onlyData(reader.nested()));
            case 13 << 3 | DELIMITED -> rpc(reader.nested());
            case 14 << 3 | DELIMITED -> new Request.Refresh(onlyText(reader.nested()));
            case 15 << 3 | DELIMITED -> subRefresh(reader.nested());
            default -> skipped(tag, reader);
        };
    }

    private static Request connect(ProtobufReader reader) throws BadCommandException {
        String token = "";
        Payload data = null;
        Map<String, Request.Subscribe> subs = new LinkedHashMap<>();
        while (reader.hasMore()) {
            int tag = reader.tag();
            switch (tag) {
                case 1 << 3 | DELIMITED -> token = reader.text();
                case 2 << 3 | DELIMITED -> data = reader.data();
                case 3 << 3 | DELIMITED -> putSub(subs, reader.nested());
                default -> reader.skip(tag);
            }
        }
        return new Request.Connect(token, data, subs);
    }

    private static void putSub(Map<String, Request.Subscribe> subs, ProtobufReader entry) throws BadCommandException {
        String channel = "";
        Request.Subscribe request = new SubscribeDraft().request();
        while (entry.hasMore()) {
            int tag = entry.tag();
            switch (tag) {
                case 1 << 3 | DELIMITED -> channel = entry.text();
                case 2 << 3 | DELIMITED -> request = subscribe(entry.nested());
                default -> entry.skip(tag);
            }
        }
        subs.put(channel, request);
    }

    private static Request.Subscribe subscribe(ProtobufReader reader) throws BadCommandException {
        SubscribeDraft draft = new SubscribeDraft();
        while (reader.hasMore()) {
            int tag = reader.tag();
            switch (tag) {
                case 1 << 3 | DELIMITED -> draft.channel = reader.text();
                case 2 << 3 | DELIMITED -> draft.token = reader.text();
                case 3 << 3 | VARINT -> draft.recovers = reader.flag();
                case 6 << 3 | DELIMITED -> draft.epoch = reader.text();
                case 7 << 3 | VARINT -> draft.offset = reader.unsigned();
                case 11 << 3 | VARINT -> draft.wantsPresence = reader.flag();
                case 12 << 3 | DELIMITED -> draft.delta = reader.text();
                case 13 << 3 | DELIMITED -> draft.filter = filter(reader.nested());
                case 14 << 3 | VARINT -> draft.flag = reader.varint();
                case 15 << 3 | VARINT -> draft.type = (int) reader.varint();
                default -> reader.skip(tag);
            }
        }
        return draft.request();
    }

    private static TagsFilter filter(ProtobufReader reader) throws BadCommandException {
        FilterDraft root = new FilterDraft();
        filterNode(root, reader);
        return root.filter();
    }

    private static void filterNode(FilterDraft node, ProtobufReader reader) throws BadCommandException {
        while (reader.hasMore()) {
            int tag = reader.tag();
            switch (tag) {
                case 1 << 3 | DELIMITED -> node.op = reader.text();
                case 2 << 3 | DELIMITED -> node.key = reader.text();
                case 3 << 3 | DELIMITED -> node.comparison = reader.text();
                case 4 << 3 | DELIMITED -> node.value = reader.text();
                case 5 << 3 | DELIMITED -> node.addValue(reader.text());
                case 6 << 3 | DELIMITED -> {
                    FilterDraft below = node.addNode();
                    if (below == null) {
                        reader.skip(tag);
                    } else {
                        filterNode(below, reader.nested());
                    }
                }
                default -> reader.skip(tag);
            }
        }
    }

    private static Request publish(ProtobufReader reader) throws BadCommandException {
        String channel = "";
        Payload data = Payload.EMPTY;
        int type = 0;
        String key = "";
        boolean isRemoval = false;
        while (reader.hasMore()) {
            int tag = reader.tag();
            switch (tag) {
                case 1 << 3 | DELIMITED -> channel = reader.text();
                case 2 << 3 | DELIMITED -> data = reader.data();
                case 3 << 3 | VARINT -> type = (int) reader.varint();
                case 4 << 3 | DELIMITED -> key = reader.text();
                case 5 << 3 | VARINT -> isRemoval = reader.flag();
                default -> reader.skip(tag);
            }
        }
        return new Request.Publish(channel, data, type, key, isRemoval);
    }

    private static Request history(ProtobufReader reader) throws BadCommandException {
        String channel = "";
        int limit = 0;
        Position since = null;
        boolean isReverse = false;
        while (reader.hasMore()) {
            int tag = reader.tag();
            switch (tag) {
                case 1 << 3 | DELIMITED -> channel = reader.text();
                case 7 << 3 | VARINT -> limit = (int) reader.varint();
                case 8 << 3 | DELIMITED -> since = position(reader.nested());
                case 9 << 3 | VARINT -> isReverse = reader.flag();
                default -> reader.skip(tag);
            }
        }
        return new Request.History(channel, limit, since, isReverse);
    }

    private static Position position(ProtobufReader reader) throws BadCommandException {
        long offset = 0;
        String epoch = "";
        while (reader.hasMore()) {
            int tag = reader.tag();
            switch (tag) {
                case 1 << 3 | VARINT -> offset = reader.unsigned();
                case 2 << 3 | DELIMITED -> epoch = reader.text();
                default -> reader.skip(tag);
            }
        }
        return new Position(epoch, offset);
    }

    private static Request rpc(ProtobufReader reader) throws BadCommandException {
        Payload data = Payload.EMPTY;
        String method = "";
        while (reader.hasMore()) {
            int tag = reader.tag();
            switch (tag) {
                case 1 << 3 | DELIMITED -> data = reader.data();
                case 2 << 3 | DELIMITED -> method = reader.text();
                default -> reader.skip(tag);
            }
        }
        return new Request.Rpc(method, data);
    }

    private static String onlyText(ProtobufReader reader) throws BadCommandException {
        String text = "";
        while (reader.hasMore()) {
            int tag = reader.tag();
            if (tag == (1 << 3 | DELIMITED)) {
                text = reader.text();
            } else {
                reader.skip(tag);
            }
        }
        return text;
    }

    private static Payload onlyData(ProtobufReader reader) throws BadCommandException {
        Payload data = Payload.EMPTY;
        while (reader.hasMore()) {
            int tag = reader.tag();
            if (tag == (1 << 3 | DELIMITED)) {
                data = reader.data();
            } else {
                reader.skip(tag);
            }
        }
        return data;
    }

    private static Request subRefresh(ProtobufReader reader) throws BadCommandException {
        String channel = "";
        String token = "";
        while (reader.hasMore()) {
            int tag = reader.tag();
            switch (tag) {
                case 1 << 3 | DELIMITED -> channel = reader.text();
                case 2 << 3 | DELIMITED -> token = reader.text();
                default -> reader.skip(tag);
            }
        }
        return new Request.SubRefresh(channel, token);
    }

    private static @Nullable Request skipped(int tag, ProtobufReader reader) throws BadCommandException {
        reader.skip(tag);
        return null;
    }
}
