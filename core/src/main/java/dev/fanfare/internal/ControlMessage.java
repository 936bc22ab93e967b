package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Payload;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.Mailboxes;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What nodes say to each other, as one line of text: a version, a kind, and percent-encoded fields
 * between blanks. A node leaves out what it does not understand, so nodes of neighbouring versions can
 * work together.
 */
sealed interface ControlMessage {

    /** Close the connections of a user. */
    record Disconnect(String user, DisconnectReason reason) implements ControlMessage {
        @Override
        public String encode() {
            return line("disconnect", user, reason.name());
        }
    }

    /** Subscribe the connections of a user to a channel. */
    record Subscribe(String user, ChannelId channel) implements ControlMessage {
        @Override
        public String encode() {
            return line("subscribe", user, channel.value());
        }
    }

    /** End the subscriptions of a user to a channel. */
    record Unsubscribe(String user, ChannelId channel) implements ControlMessage {
        @Override
        public String encode() {
            return line("unsubscribe", user, channel.value());
        }
    }

    /** Tell of your connections. */
    record Ask(String question, String what, String user) implements ControlMessage {
        static final String COUNT = "count";
        static final String ALL = "all";
        static final String OF_USER = "user";

        @Override
        public String encode() {
            return line("ask", question, what, user);
        }
    }

    /** One node's answer. */
    record Answer(String question, String node, int count, List<ConnectionInfo> connections) implements ControlMessage {
        private static final int FIELDS = 4;

        /** Leaves out connections that do not fit into one message. */
        @Override
        public String encode() {
            StringBuilder text = new StringBuilder(line("answer", question, node, Integer.toString(count)));
            for (ConnectionInfo each : connections) {
                int before = text.length();
                append(text, each.id());
                append(text, each.user());
                append(text, each.transport());
                append(text, Long.toString(each.connectedAt().toEpochMilli()));
                if (text.length() > ControlBus.MAX_MESSAGE_LENGTH) {
                    text.setLength(before);
                    break;
                }
            }
            return text.toString();
        }

        private static Answer decode(List<String> fields) {
            List<ConnectionInfo> connections = new ArrayList<>();
            for (int i = 3; i + FIELDS <= fields.size(); i += FIELDS) {
                Instant since = Instant.ofEpochMilli(Long.parseLong(fields.get(i + 3)));
                connections.add(new ConnectionInfo(fields.get(i), fields.get(i + 1), fields.get(i + 2), since, null));
            }
            return new Answer(fields.get(0), fields.get(1), Integer.parseInt(fields.get(2)), connections);
        }
    }

    /** Bytes for a mailbox of one node. */
    record Post(String id, String to, String address, Payload bytes) implements ControlMessage {
        @Override
        public String encode() {
            // In Base64, of whose characters none needs to be percent-encoded.
            String text = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.unsafeBytes());
            return line("post", id, to, address, text);
        }

        private static Post decode(List<String> fields) {
            byte[] bytes = Base64.getUrlDecoder().decode(fields.get(3));
            return new Post(fields.get(0), fields.get(1), fields.get(2), Payload.wrap(bytes));
        }

        /** Tells neither the address, which is a secret, nor the content. */
        @Override
        public String toString() {
            return "Post[" + id + " to " + to + "]";
        }
    }

    /** What became of a post. */
    record Receipt(String id, Mailboxes.Delivery delivery) implements ControlMessage {
        @Override
        public String encode() {
            return line("receipt", id, delivery.name());
        }
    }

    /** Returns the line. */
    String encode();

    /** Reads a line; null for what this version does not understand. */
    static @Nullable ControlMessage decode(String line) {
        try {
            List<String> fields = new ArrayList<>();
            for (String field : line.split(" ", -1)) {
                fields.add(URLDecoder.decode(field, StandardCharsets.UTF_8));
            }
            if (fields.size() < 4 || !fields.get(0).equals("1")) {
                return null;
            }
            List<String> rest = fields.subList(2, fields.size());
            return switch (fields.get(1)) {
                case "disconnect" -> new Disconnect(rest.get(0), DisconnectReason.valueOf(rest.get(1)));
                case "subscribe" -> new Subscribe(rest.get(0), ChannelId.of(rest.get(1)));
                case "unsubscribe" -> new Unsubscribe(rest.get(0), ChannelId.of(rest.get(1)));
                case "ask" -> new Ask(rest.get(0), rest.get(1), rest.get(2));
                case "answer" -> Answer.decode(rest);
                case "post" -> Post.decode(rest);
                case "receipt" -> new Receipt(rest.get(0), Mailboxes.Delivery.valueOf(rest.get(1)));
                default -> null;
            };
        } catch (IllegalArgumentException | IndexOutOfBoundsException notOfThisVersion) {
            return null;
        }
    }

    private static String line(String kind, String... fields) {
        StringBuilder text = new StringBuilder("1 ").append(kind);
        for (String field : fields) {
            append(text, field);
        }
        return text.toString();
    }

    private static void append(StringBuilder text, String field) {
        text.append(' ').append(URLEncoder.encode(field, StandardCharsets.UTF_8));
    }
}
