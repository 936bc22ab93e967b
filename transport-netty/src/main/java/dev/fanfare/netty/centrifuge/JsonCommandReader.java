package dev.fanfare.netty.centrifuge;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.fanfare.Payload;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads one command from one JSON object. Fields come in any order, unknown ones are skipped, {@code
 * null} stands for a field that is not there, and {@code data} is the very bytes of the input.
 *
 * <p><b>Threading:</b> not thread-safe; used once.
 */
final class JsonCommandReader {

    private final JsonParser parser;
    private final byte[] message;
    private final int start;

    /**
     * Reads from a parser.
     *
     * @param message the bytes under the parser
     * @param start where in them the parser began
     */
    JsonCommandReader(JsonParser parser, byte[] message, int start) {
        this.parser = parser;
        this.message = message;
        this.start = start;
    }

    Command read(int bytes) throws IOException, BadCommandException {
        require(parser.nextToken() == JsonToken.START_OBJECT);
        long id = 0;
        Request request = null;
        for (String field = nextField(); field != null; field = nextField()) {
            if (field.equals("id")) {
                id = number();
            } else {
                Request found = request(field);
                require(found == null || request == null);
                request = found == null ? request : found;
            }
        }
        require(parser.nextToken() == null);
        return Command.of(id, request, bytes);
    }

    private @Nullable Request request(String kind) throws IOException, BadCommandException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return null;
        }
        return switch (kind) {
            case "connect" -> connect();
            case "subscribe" -> subscribe();
            case "unsubscribe" -> new Request.Unsubscribe(channel());
            case "publish" -> publish();
            case "presence" -> new Request.Presence(channel());
            case "presence_stats" -> new Request.PresenceStats(channel());
            case "history" -> history();
            case "rpc" -> rpc();
            case "send" -> new Request.Send(onlyData());
            case "refresh" -> refresh();
            case "sub_refresh" -> subRefresh();
            case "ping" -> throw new BadCommandException("clients do not ping");
            default -> skipped();
        };
    }

    private Request connect() throws IOException, BadCommandException {
        String token = "";
        Payload data = null;
        Map<String, Request.Subscribe> subs = Map.of();
        for (String field = firstField(); field != null; field = nextField()) {
            switch (field) {
                case "token" -> token = text();
                case "data" -> data = data();
                case "subs" -> subs = subs();
                default -> skip();
            }
        }
        return new Request.Connect(token, data, subs);
    }

    private Map<String, Request.Subscribe> subs() throws IOException, BadCommandException {
        Map<String, Request.Subscribe> subs = new LinkedHashMap<>();
        if (parser.currentToken() != JsonToken.VALUE_NULL) {
            for (String channel = firstField(); channel != null; channel = nextField()) {
                subs.put(channel, subscribe());
            }
        }
        return subs;
    }

    private Request.Subscribe subscribe() throws IOException, BadCommandException {
        SubscribeDraft draft = new SubscribeDraft();
        for (String field = firstField(); field != null; field = nextField()) {
            switch (field) {
                case "channel" -> draft.channel = text();
                case "token" -> draft.token = text();
                case "recover" -> draft.recovers = flag();
                case "epoch" -> draft.epoch = text();
                case "offset" -> draft.offset = number();
                case "join_leave" -> draft.wantsPresence = flag();
                case "delta" -> draft.delta = text();
                case "tf" -> draft.filter = filter();
                case "flag" -> draft.flag = number();
                case "type" -> draft.type = small();
                default -> skip();
            }
        }
        return draft.request();
    }

    private @Nullable TagsFilter filter() throws IOException, BadCommandException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return null;
        }
        FilterDraft root = new FilterDraft();
        filterNode(root);
        return root.filter();
    }

    private void filterNode(FilterDraft node) throws IOException, BadCommandException {
        for (String field = firstField(); field != null; field = nextField()) {
            switch (field) {
                case "op" -> node.op = text();
                case "key" -> node.key = text();
                case "cmp" -> node.comparison = text();
                case "val" -> node.value = text();
                case "vals" -> filterValues(node);
                case "nodes" -> filterNodes(node);
                default -> skip();
            }
        }
    }

    private void filterValues(FilterDraft node) throws IOException, BadCommandException {
        for (boolean more = firstElement(); more; more = nextElement()) {
            node.addValue(text());
        }
    }

    private void filterNodes(FilterDraft node) throws IOException, BadCommandException {
        for (boolean more = firstElement(); more; more = nextElement()) {
            FilterDraft below = node.addNode();
            if (below == null) {
                skip();
            } else {
                filterNode(below);
            }
        }
    }

    private Request publish() throws IOException, BadCommandException {
        String channel = "";
        Payload data = Payload.EMPTY;
        int type = 0;
        String key = "";
        boolean isRemoval = false;
        for (String field = firstField(); field != null; field = nextField()) {
            switch (field) {
                case "channel" -> channel = text();
                case "data" -> data = data();
                case "type" -> type = small();
                case "key" -> key = text();
                case "removed" -> isRemoval = flag();
                default -> skip();
            }
        }
        return new Request.Publish(channel, data, type, key, isRemoval);
    }

    private Request history() throws IOException, BadCommandException {
        String channel = "";
        int limit = 0;
        Position since = null;
        boolean isReverse = false;
        for (String field = firstField(); field != null; field = nextField()) {
            switch (field) {
                case "channel" -> channel = text();
                case "limit" -> limit = small();
                case "since" -> since = position();
                case "reverse" -> isReverse = flag();
                default -> skip();
            }
        }
        return new Request.History(channel, limit, since, isReverse);
    }

    private @Nullable Position position() throws IOException, BadCommandException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return null;
        }
        String epoch = "";
        long offset = 0;
        for (String field = firstField(); field != null; field = nextField()) {
            switch (field) {
                case "offset" -> offset = number();
                case "epoch" -> epoch = text();
                default -> skip();
            }
        }
        return new Position(epoch, offset);
    }

    private Request rpc() throws IOException, BadCommandException {
        String method = "";
        Payload data = Payload.EMPTY;
        for (String field = firstField(); field != null; field = nextField()) {
            switch (field) {
                case "method" -> method = text();
                case "data" -> data = data();
                default -> skip();
            }
        }
        return new Request.Rpc(method, data);
    }

    private String channel() throws IOException, BadCommandException {
        String channel = "";
        for (String field = firstField(); field != null; field = nextField()) {
            if (field.equals("channel")) {
                channel = text();
            } else {
                skip();
            }
        }
        return channel;
    }

    private Payload onlyData() throws IOException, BadCommandException {
        Payload data = Payload.EMPTY;
        for (String field = firstField(); field != null; field = nextField()) {
            if (field.equals("data")) {
                data = data();
            } else {
                skip();
            }
        }
        return data;
    }

    private Request refresh() throws IOException, BadCommandException {
        String token = "";
        for (String field = firstField(); field != null; field = nextField()) {
            if (field.equals("token")) {
                token = text();
            } else {
                skip();
            }
        }
        return new Request.Refresh(token);
    }

    private Request subRefresh() throws IOException, BadCommandException {
        String channel = "";
        String token = "";
        for (String field = firstField(); field != null; field = nextField()) {
            switch (field) {
                case "channel" -> channel = text();
                case "token" -> token = text();
                default -> skip();
            }
        }
        return new Request.SubRefresh(channel, token);
    }

    private @Nullable Request skipped() throws IOException {
        skip();
        return null;
    }

    /** Goes to the value of the first field of the object at hand; null if it has none. */
    private @Nullable String firstField() throws IOException, BadCommandException {
        require(parser.currentToken() == JsonToken.START_OBJECT);
        return nextField();
    }

    /** Goes to the value of the next field; null at the end of the object. */
    private @Nullable String nextField() throws IOException {
        String field = parser.nextFieldName();
        if (field != null) {
            parser.nextToken();
        }
        return field;
    }

    /** Goes to the first element of the array at hand; false if it has none. */
    private boolean firstElement() throws IOException, BadCommandException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return false;
        }
        require(parser.currentToken() == JsonToken.START_ARRAY);
        return nextElement();
    }

    /** Goes to the next element; false at the end of the array. */
    private boolean nextElement() throws IOException {
        return parser.nextToken() != JsonToken.END_ARRAY;
    }

    private String text() throws IOException, BadCommandException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return "";
        }
        require(parser.currentToken() == JsonToken.VALUE_STRING);
        return parser.getText();
    }

    private boolean flag() throws BadCommandException {
        JsonToken token = parser.currentToken();
        require(token == JsonToken.VALUE_TRUE || token == JsonToken.VALUE_FALSE || token == JsonToken.VALUE_NULL);
        return token == JsonToken.VALUE_TRUE;
    }

    private int small() throws IOException, BadCommandException {
        long number = signed();
        require(number >= Integer.MIN_VALUE && number <= Integer.MAX_VALUE);
        return (int) number;
    }

    /** Reads what is unsigned on the wire; beyond a {@code long} one number is as good as another. */
    private long number() throws IOException, BadCommandException {
        if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT
                && parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
            require(parser.getBigIntegerValue().signum() > 0);
            return Long.MAX_VALUE;
        }
        long number = signed();
        require(number >= 0);
        return number;
    }

    private long signed() throws IOException, BadCommandException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return 0;
        }
        require(parser.currentToken() == JsonToken.VALUE_NUMBER_INT);
        return parser.getLongValue();
    }

    /** Copies the value at hand out of the input, byte by byte as it is. */
    private Payload data() throws IOException {
        int from = start + (int) parser.currentTokenLocation().getByteOffset();
        skip();
        int to = start + (int) parser.currentLocation().getByteOffset();
        return Payload.wrap(Arrays.copyOfRange(message, from, to));
    }

    /** Goes to the very end of the value at hand. */
    private void skip() throws IOException {
        parser.skipChildren();
        parser.finishToken();
    }

    private static void require(boolean condition) throws BadCommandException {
        if (!condition) {
            throw new BadCommandException("not as the protocol has it");
        }
    }
}
