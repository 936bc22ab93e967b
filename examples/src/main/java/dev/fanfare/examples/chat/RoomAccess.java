package dev.fanfare.examples.chat;

import dev.fanfare.Action;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;

/**
 * Who may do what. Reading an open room needs no name, so that {@code curl} and EventSource work
 * without a sign-in. Nobody publishes messages directly: they go through {@link ChatCalls}, which knows
 * the author. Typing notices are published directly; Fanfare itself says whose they are.
 *
 * <p><b>Threading:</b> immutable.
 */
final class RoomAccess implements Authorizer {

    @Override
    public boolean allows(String user, Action action, ChannelId channel) {
        String id = channel.value().substring(channel.namespace().length() + 1);
        boolean admitted = Room.find(id).map(room -> room.admits(user)).orElse(false);
        return switch (channel.namespace()) {
            case TeamChat.MESSAGES -> admitted && action != Action.PUBLISH;
            case TeamChat.TYPING ->
                admitted && !user.isEmpty() && (action == Action.SUBSCRIBE || action == Action.PUBLISH);
            default -> false;
        };
    }
}
