package dev.fanfare.netty.api;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import dev.fanfare.Authenticator;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Expiry;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HostCode;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.Selection;
import dev.fanfare.netty.connection.ErrorCode;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.RequestRefused;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The arguments of one call, read from its body. Fields that no method knows are passed over; what a
 * method needs and does not find is refused when it asks.
 *
 * <p>{@code data} is not looked into: the very bytes between its first and its last are handed on.
 *
 * <p><b>Threading:</b> not thread-safe.
 */
final class ApiRequest {

    private static final int DEFAULT_LIMIT = 100;
    private static final int MAX_COMMANDS = 1000;
    /** The year 9999. */
    private static final long MAX_SECONDS = 253_402_300_799L;

    private final byte[] body;
    private @Nullable String channel;
    private @Nullable List<String> channels;
    private @Nullable Payload data;
    private @Nullable String dedupKey;
    private @Nullable String key;
    private @Nullable String event;
    private @Nullable Map<String, String> headers;
    private @Nullable String user;
    private @Nullable String cursor;
    private @Nullable Cursor since;
    private int limit = DEFAULT_LIMIT;
    private boolean isReverse;
    private boolean isReconnect;
    private @Nullable String client;
    private @Nullable String session;
    private List<String> exceptions = List.of();
    private @Nullable Code code;
    private long expireAt;
    private @Nullable Payload info;
    private boolean isExpired;
    private @Nullable String pattern;
    private @Nullable List<ApiBatch.Command> commands;

    private ApiRequest(byte[] body) {
        this.body = body;
    }

    /**
     * Reads a body.
     *
     * @throws RequestRefused with 400 if it is no JSON object, with an error in 200 if a field has the wrong
     *     type
     */
    static ApiRequest parse(byte[] body) {
        ApiRequest request = new ApiRequest(body);
        if (body.length == 0) {
            return request;
        }
        if (!JsonText.isText(body)) {
            throw malformed("it is not UTF-8, or begins with a byte order mark");
        }
        try (JsonParser parser = JsonText.parser(body, 0, body.length)) {
            request.read(parser);
        } catch (StreamConstraintsException e) {
            throw malformed("its JSON is beyond a limit: " + JsonText.LIMITS);
        } catch (JsonProcessingException e) {
            JsonLocation where = e.getLocation();
            throw malformed("no JSON" + (where == null ? "" : " at byte " + where.getByteOffset()));
        } catch (IOException e) {
            throw malformed("no JSON");
        }
        return request;
    }

    /** Reads the parameters of a query instead of a body. */
    static ApiRequest ofHistoryQuery(Map<String, String> parameters) {
        ApiRequest request = new ApiRequest(new byte[0]);
        request.channel = parameters.get("channel");
        request.cursor = parameters.get("cursor");
        request.isReverse = parameters.getOrDefault("reverse", "false").equals("true");
        try {
            request.limit = Integer.parseInt(parameters.getOrDefault("limit", String.valueOf(DEFAULT_LIMIT)));
        } catch (NumberFormatException e) {
            throw badRequest("limit must be a number");
        }
        return request;
    }

    private void read(JsonParser parser) throws IOException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw malformed("it must be a JSON object");
        }
        String name;
        while ((name = parser.nextFieldName()) != null) {
            parser.nextToken();
            readField(name, parser);
        }
        if (parser.nextToken() != null) {
            throw malformed("something follows the object");
        }
    }

    private void readField(String name, JsonParser parser) throws IOException {
        switch (name) {
            case "channel" -> channel = string(name, parser);
            case "channels" -> channels = strings(name, parser);
            case "data" -> data = once(data, slice(parser));
            case "b64data" -> data = once(data, base64(parser));
            case "dedup_key", "idempotency_key" -> dedupKey = string(name, parser);
            case "key" -> key = textOrNull(name, parser);
            case "event" -> event = textOrNull(name, parser);
            case "headers", "tags" -> headers = stringMap(name, parser);
            case "user" -> user = string(name, parser);
            case "cursor" -> cursor = textOrNull(name, parser);
            case "since" -> since = position(parser);
            case "limit" -> limit = (int) number(name, -1, HistoryQuery.MAX_LIMIT, parser);
            case "reverse" -> isReverse = truth(name, parser);
            case "reconnect" -> isReconnect = truth(name, parser);
            case "client" -> client = textOrNull(name, parser);
            case "session" -> session = textOrNull(name, parser);
            case "whitelist" -> exceptions = strings(name, parser);
            case "disconnect", "unsubscribe" -> code = code(name, parser);
            case "expire_at" -> expireAt = number(name, 0, MAX_SECONDS, parser);
            case "info" -> info = slice(parser);
            case "expired" -> isExpired = truth(name, parser);
            case "pattern" -> pattern = textOrNull(name, parser);
            case "commands" -> commands = commands(parser);
            default -> parser.skipChildren();
        }
    }

    // ---- what methods ask for

    ChannelId channel() {
        return channelId(required(channel, "channel"));
    }

    List<String> channels() {
        List<String> present = channels;
        if (present == null || present.isEmpty()) {
            throw badRequest("channels is missing");
        }
        return present;
    }

    static ChannelId channelId(String name) {
        if (!ChannelId.isValid(name)) {
            throw badRequest(ErrorCode.CHANNEL_NAME);
        }
        return ChannelId.of(name);
    }

    Payload data() {
        return required(data, "data");
    }

    String user() {
        String present = required(user, "user");
        if (present.isEmpty()) {
            throw badRequest("user must not be empty");
        }
        return present;
    }

    @Nullable
    String userIfAny() {
        return user;
    }

    /** Returns which connections are meant: of a user, or one client, or one client of a user. */
    Selection selection() {
        if (session != null) {
            throw badRequest("session is not known here; a connection is named by client");
        }
        String only = client;
        if (only != null && user == null) {
            return Selection.ofConnection(only);
        }
        Selection selection = Selection.ofUser(user());
        try {
            return (only == null ? selection : selection.only(only)).except(Set.copyOf(exceptions));
        } catch (IllegalArgumentException tooMany) {
            throw badRequest("whitelist is too long");
        }
    }

    DisconnectReason disconnectReason() {
        Code asked = code;
        if (asked == null) {
            return isReconnect ? DisconnectReason.FORCE_RECONNECT : DisconnectReason.FORCE_DISCONNECT;
        }
        for (DisconnectReason each : DisconnectReason.values()) {
            if (each.code() == asked.number()) {
                return each;
            }
        }
        throw badRequest("disconnect.code must be one of the protocol's, or from 4000 to 4999");
    }

    /** Returns the host's own code; null if one of the protocol's is meant. */
    @Nullable
    HostCode disconnectCode() {
        Code asked = code;
        return asked == null || asked.number() < 4000 ? null : hostCode(HostCode::disconnect, asked, "disconnect");
    }

    @Nullable
    HostCode unsubscribeCode() {
        Code asked = code;
        return asked == null ? null : hostCode(HostCode::unsubscribe, asked, "unsubscribe");
    }

    private static HostCode hostCode(BiFunction<Integer, String, HostCode> maker, Code asked, String name) {
        try {
            return maker.apply(asked.number(), asked.reason());
        } catch (IllegalArgumentException refused) {
            throw badRequest(name + ": " + refused.getMessage());
        }
    }

    /** Returns when it ends; null for never. */
    @Nullable
    Instant expireAt() {
        return expireAt == 0 ? null : Instant.ofEpochSecond(expireAt);
    }

    /** Returns as what a client is let in. */
    Authenticator.Accepted admission() {
        Instant end = expireAt();
        List<ChannelId> subscribed = channels == null
                ? List.of()
                : channels.stream().map(ApiRequest::channelId).toList();
        return Authenticator.Accepted.user(required(user, "user"))
                .withInfo(info)
                .withData(data)
                .withChannels(subscribed)
                .withExpiry(end == null ? null : Expiry.prolongedByClient(end));
    }

    boolean isExpired() {
        return isExpired;
    }

    String pattern() {
        String present = pattern == null ? "*" : pattern;
        if (present.length() > ChannelId.MAX_LENGTH) {
            throw badRequest("pattern is longer than " + ChannelId.MAX_LENGTH + " characters");
        }
        return present;
    }

    List<ApiBatch.Command> commands() {
        return required(commands, "commands");
    }

    PublishOptions options() {
        PublishOptions options = PublishOptions.none();
        try {
            options = dedupKey != null ? options.withDedupKey(dedupKey) : options;
            options = key != null ? options.withKey(key) : options;
            options = event != null ? options.withEventType(event) : options;
            return headers != null && !headers.isEmpty() ? options.withHeaders(headers) : options;
        } catch (IllegalArgumentException refused) {
            throw badRequest(String.valueOf(refused.getMessage()));
        }
    }

    HistoryQuery historyQuery() {
        int count = limit == -1 ? HistoryQuery.MAX_LIMIT : limit;
        if (count < 0 || count > HistoryQuery.MAX_LIMIT) {
            throw badRequest("limit must be from -1 to " + HistoryQuery.MAX_LIMIT);
        }
        return new HistoryQuery(historyStart(), count, isReverse);
    }

    private @Nullable Cursor historyStart() {
        return cursor != null ? Cursor.parse(cursor).orElseThrow(() -> badRequest("cursor is not a cursor")) : since;
    }

    // ---- reading

    private Payload slice(JsonParser parser) throws IOException {
        int start = (int) parser.currentTokenLocation().getByteOffset();
        parser.skipChildren();
        parser.finishToken();
        int end = (int) parser.currentLocation().getByteOffset();
        return Payload.wrap(Arrays.copyOfRange(body, start, end));
    }

    private static Payload base64(JsonParser parser) throws IOException {
        expect(JsonToken.VALUE_STRING, parser, "b64data", "a string");
        try {
            return Payload.wrap(Base64.getDecoder().decode(parser.getText()));
        } catch (IllegalArgumentException notBase64) {
            throw badRequest("b64data must be in base64");
        }
    }

    private static Cursor position(JsonParser parser) throws IOException {
        expect(JsonToken.START_OBJECT, parser, "since", "an object");
        long offset = 0;
        String epoch = "";
        String name;
        while ((name = parser.nextFieldName()) != null) {
            parser.nextToken();
            switch (name) {
                case "offset" -> offset = number("since.offset", 0, Long.MAX_VALUE, parser);
                case "epoch" -> epoch = string("since.epoch", parser);
                default -> parser.skipChildren();
            }
        }
        try {
            return epoch.isEmpty() ? Cursor.ofUnknownEpoch(offset) : Cursor.of(epoch, offset);
        } catch (IllegalArgumentException e) {
            throw badRequest("since." + e.getMessage());
        }
    }

    private static String string(String name, JsonParser parser) throws IOException {
        expect(JsonToken.VALUE_STRING, parser, name, "a string");
        return parser.getText();
    }

    /** Reads a string, of which an empty one says as little as none; some clients send those. */
    private static @Nullable String textOrNull(String name, JsonParser parser) throws IOException {
        String text = string(name, parser);
        return text.isEmpty() ? null : text;
    }

    private static List<String> strings(String name, JsonParser parser) throws IOException {
        expect(JsonToken.START_ARRAY, parser, name, "an array of strings");
        List<String> strings = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            expect(JsonToken.VALUE_STRING, parser, name, "an array of strings");
            strings.add(parser.getText());
        }
        return strings;
    }

    /** Reads a code with words; an absent code is 0. */
    private static @Nullable Code code(String name, JsonParser parser) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return null;
        }
        expect(JsonToken.START_OBJECT, parser, name, "an object");
        int number = 0;
        String reason = "";
        String field;
        while ((field = parser.nextFieldName()) != null) {
            parser.nextToken();
            switch (field) {
                case "code" -> number = (int) number(name + ".code", 0, 4999, parser);
                case "reason" -> reason = string(name + ".reason", parser);
                default -> parser.skipChildren();
            }
        }
        return number == 0 && reason.isEmpty() ? null : new Code(number, reason);
    }

    /** Reads an array of objects, each with one method and its arguments. */
    private List<ApiBatch.Command> commands(JsonParser parser) throws IOException {
        String kind = "an array of objects, each {\"<method>\":{…}}";
        expect(JsonToken.START_ARRAY, parser, "commands", kind);
        List<ApiBatch.Command> commands = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            expect(JsonToken.START_OBJECT, parser, "commands", kind);
            expect(parser.nextToken() == JsonToken.FIELD_NAME, "commands", kind);
            String method = parser.currentName();
            parser.nextToken();
            expect(JsonToken.START_OBJECT, parser, "commands", kind);
            commands.add(new ApiBatch.Command(method, slice(parser)));
            expect(parser.nextToken() == JsonToken.END_OBJECT, "commands", kind);
            if (commands.size() > MAX_COMMANDS) {
                throw new RequestRefused(200, 106, "limit exceeded: at most " + MAX_COMMANDS + " commands");
            }
        }
        return commands;
    }

    private static Payload once(@Nullable Payload before, Payload data) {
        if (before != null) {
            throw badRequest("data, or b64data, is there more than once");
        }
        return data;
    }

    private static Map<String, String> stringMap(String name, JsonParser parser) throws IOException {
        expect(JsonToken.START_OBJECT, parser, name, "an object of strings");
        Map<String, String> strings = new LinkedHashMap<>();
        String field;
        while ((field = parser.nextFieldName()) != null) {
            parser.nextToken();
            strings.put(field, string(name, parser));
        }
        return strings;
    }

    private static long number(String name, long min, long max, JsonParser parser) throws IOException {
        expect(JsonToken.VALUE_NUMBER_INT, parser, name, "a whole number");
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                || parser.getLongValue() < min
                || parser.getLongValue() > max) {
            throw badRequest(name + " must be from " + min + " to " + max);
        }
        return parser.getLongValue();
    }

    private static boolean truth(String name, JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_TRUE) {
            expect(JsonToken.VALUE_FALSE, parser, name, "true or false");
        }
        return parser.getBooleanValue();
    }

    private static void expect(JsonToken token, JsonParser parser, String name, String kind) {
        expect(parser.currentToken() == token, name, kind);
    }

    private static void expect(boolean isSo, String name, String kind) {
        if (!isSo) {
            throw badRequest(name + " must be " + kind);
        }
    }

    private static <T> T required(@Nullable T value, String name) {
        if (value == null) {
            throw badRequest(name + " is missing");
        }
        return value;
    }

    private static RequestRefused malformed(String what) {
        return RequestRefused.badRequest("the body cannot be read: " + what);
    }

    private static RequestRefused badRequest(String what) {
        return new RequestRefused(200, ApiError.BAD_REQUEST, "bad request: " + what);
    }

    /** A code and words, as they came. */
    private record Code(int number, String reason) {}
}
