package dev.fanfare.examples.chat;

import dev.fanfare.ChannelId;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** The rooms of the chat, and who may enter. A real host asks its own database instead. */
enum Room {
    /** Open to everybody. */
    LOBBY("Lobby", "For everybody"),
    /** Open to everybody too. */
    ENGINEERING("Engineering", "For everybody"),
    /** Open to two people. */
    LEADS("Leads", "For ada and grace only");

    private static final Set<String> LEADERS = Set.of("ada", "grace");

    private final String title;
    private final String about;

    Room(String title, String about) {
        this.title = title;
        this.about = about;
    }

    /** Finds the room of that id. */
    static Optional<Room> find(String id) {
        return Arrays.stream(values()).filter(room -> room.id().equals(id)).findFirst();
    }

    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    String title() {
        return title;
    }

    String about() {
        return about;
    }

    boolean isOpen() {
        return this != LEADS;
    }

    /** Tells whether the user may read and write here. */
    boolean admits(String user) {
        return isOpen() || LEADERS.contains(user);
    }

    /** The channel of the messages: retained, with presence. */
    ChannelId messages() {
        return ChannelId.of(TeamChat.MESSAGES + ":" + id());
    }
}
