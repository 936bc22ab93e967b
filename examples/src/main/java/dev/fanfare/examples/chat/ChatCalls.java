package dev.fanfare.examples.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.RpcHandler;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;

/**
 * Answers {@code chat.send {room, tempId, text, at}}: checks it, and publishes it under the caller's
 * name with user and tempId as the dedup key. A client that does not know whether its message
 * arrived sends it again, and it is there once.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class ChatCalls implements RpcHandler {

    static final int MAX_TEXT = 2_000;

    private static final Pattern TEMP_ID = Pattern.compile("[A-Za-z0-9-]{8,64}");
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}&&[^\\n\\t]]");
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Fanfare fanfare;

    ChatCalls(Fanfare fanfare) {
        this.fanfare = fanfare;
    }

    @Override
    public CompletionStage<Reply> call(Call call) {
        if (!call.method().equals("chat.send")) {
            return CompletableFuture.completedFuture(Reply.Unknown.METHOD);
        }
        JsonNode request = parse(call.data());
        String user = call.connection().user();
        String tempId = request.path("tempId").asText();
        String text = request.path("text").asText().strip();
        Optional<Room> room = Room.find(request.path("room").asText());
        if (user.isEmpty()) {
            return failed(401, "Sign in to write.");
        }
        if (room.isEmpty() || !room.get().admits(user)) {
            return failed(403, "You cannot write in this room.");
        }
        if (!TEMP_ID.matcher(tempId).matches()) {
            return failed(400, "tempId must be 8 to 64 letters, digits or dashes.");
        }
        if (text.isEmpty() || text.length() > MAX_TEXT || CONTROL.matcher(text).find()) {
            return failed(400, "A message has 1 to " + MAX_TEXT + " characters, none of them a control character.");
        }
        Payload message = message(user, tempId, text, request.path("at"));
        // A blank cannot be in a tempId, so no two pairs of user and tempId make the same key.
        return fanfare.publish(room.get().messages(), message, PublishOptions.dedupKey(tempId + " " + user))
                .thenApply(result -> reply(tempId, result));
    }

    /**
     * Makes the message; the same request always makes the same bytes, as a dedup key demands. So the time
     * is what the author's clock said when they pressed send, however long ago that is by now; who shows
     * it decides whether to believe it.
     */
    private static Payload message(String user, String tempId, String text, JsonNode at) {
        ObjectNode message = JSON.createObjectNode();
        message.put("user", user);
        message.put("tempId", tempId);
        message.put("text", text);
        if (at.isIntegralNumber() && at.canConvertToLong()) {
            message.put("at", at.longValue());
        }
        return Payload.of(message.toString());
    }

    private static Reply reply(String tempId, PublishResult result) {
        if (result instanceof PublishResult.Refused refused) {
            return new Reply.Failed(status(refused.reason()), refused.reason().text());
        }
        ObjectNode answer = JSON.createObjectNode();
        answer.put("tempId", tempId);
        answer.put("duplicate", result instanceof PublishResult.Duplicate);
        result.position().ifPresent(cursor -> {
            answer.put("epoch", cursor.epoch());
            answer.put("offset", cursor.offset());
        });
        return new Reply.Ok(Payload.of(answer.toString()));
    }

    private static int status(Refusal reason) {
        return switch (reason) {
            case DEDUP_CONFLICT -> 409;
            case TOO_LARGE -> 413;
            case TOO_MANY_REQUESTS -> 429;
            case UNAVAILABLE, CLOSED -> 503;
            default -> 400;
        };
    }

    private static JsonNode parse(Payload data) {
        try {
            return JSON.readTree(data.unsafeBytes());
        } catch (JsonProcessingException e) {
            return JSON.missingNode();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static CompletionStage<Reply> failed(int code, String message) {
        return CompletableFuture.completedFuture(new Reply.Failed(code, message));
    }
}
