package dev.fanfare.examples.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.examples.chat.SignIns.Outcome;
import dev.fanfare.netty.HttpAnswer;
import dev.fanfare.netty.HttpCall;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The chat's own HTTP routes: sign in and out, who am I, and cut my connections to see them resume.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class ChatRoutes {

    private static final String BEARER = "Bearer ";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Fanfare fanfare;
    private final SignIns signIns;

    ChatRoutes(Fanfare fanfare, SignIns signIns) {
        this.fanfare = fanfare;
        this.signIns = signIns;
    }

    /** {@code POST {"name":"ada"}}: answers with a token, or 409 if the name is taken. */
    CompletionStage<HttpAnswer> signIn(HttpCall call) {
        JsonNode name;
        try {
            name = JSON.readTree(call.body().unsafeBytes()).path("name");
        } catch (IOException notJson) {
            return error(400, "Send JSON with a name.");
        }
        Outcome outcome = signIns.signIn(name.asText());
        if (outcome instanceof Outcome.Refused refused) {
            return error(refused == Outcome.Refused.BAD_NAME ? 400 : 409, refused.text());
        }
        Outcome.SignedIn signedIn = (Outcome.SignedIn) outcome;
        return answer(welcome(signedIn.name()).put("token", signedIn.token()));
    }

    /** Frees the caller's name and closes its connections. */
    CompletionStage<HttpAnswer> signOut(HttpCall call) {
        Optional<String> user = signIns.nameOf(token(call));
        if (user.isEmpty()) {
            return error(401, "Not signed in.");
        }
        signIns.signOut(token(call));
        return fanfare.connections()
                .disconnect(user.get(), DisconnectReason.FORCE_DISCONNECT)
                .thenCompose(done -> answer(JSON.createObjectNode()));
    }

    /** Tells the caller's name and the rooms. */
    CompletionStage<HttpAnswer> me(HttpCall call) {
        Optional<String> user = signIns.nameOf(token(call));
        return user.isPresent() ? answer(welcome(user.get())) : error(401, "Not signed in.");
    }

    /** Drops every connection of the caller; its clients come back by themselves. */
    CompletionStage<HttpAnswer> cut(HttpCall call) {
        Optional<String> user = signIns.nameOf(token(call));
        if (user.isEmpty()) {
            return error(401, "Not signed in.");
        }
        return fanfare.connections()
                .disconnect(user.get(), DisconnectReason.FORCE_RECONNECT)
                .thenCompose(done -> answer(JSON.createObjectNode()));
    }

    private static ObjectNode welcome(String user) {
        ObjectNode welcome = JSON.createObjectNode().put("user", user);
        for (Room room : Room.values()) {
            welcome.withArray("rooms")
                    .addObject()
                    .put("id", room.id())
                    .put("title", room.title())
                    .put("about", room.about())
                    .put("open", room.isOpen());
        }
        return welcome;
    }

    private static String token(HttpCall call) {
        String header = call.headers().getOrDefault("authorization", "");
        return header.startsWith(BEARER) ? header.substring(BEARER.length()) : "";
    }

    private static CompletionStage<HttpAnswer> answer(ObjectNode body) {
        return CompletableFuture.completedFuture(HttpAnswer.json(200, body.toString()));
    }

    private static CompletionStage<HttpAnswer> error(int status, String message) {
        String body = JSON.createObjectNode().put("error", message).toString();
        return CompletableFuture.completedFuture(HttpAnswer.json(status, body));
    }
}
