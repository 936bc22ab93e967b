package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.HostCode;
import dev.fanfare.Payload;
import dev.fanfare.Selection;
import dev.fanfare.spi.ControlBus;
import dev.fanfare.spi.Mailboxes;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What nodes say to each other, as one line of text: a version, a kind, and percent-encoded fields
 * between blanks. A node leaves out what it does not understand, so nodes of neighbouring versions can
 * work together.
 */
sealed interface ControlMessage {

    /** Do something with connections. */
    record Order(Selection who, Deed deed) implements ControlMessage {
        @Override
        public String encode() {
            List<String> fields = new ArrayList<>(deed.fields());
            fields.add(1, who.user() == null ? "" : "u" + who.user());
            fields.add(2, who.connection() == null ? "" : "c" + who.connection());
            fields.add(3, Integer.toString(who.exceptions().size()));
            fields.addAll(4, who.exceptions());
            return line("order", fields.toArray(String[]::new));
        }

        private static Order decode(List<String> fields) {
            int exceptions = Integer.parseInt(fields.get(3));
            String user = fields.get(1);
            String connection = fields.get(2);
            Selection who = user.isEmpty()
                    ? Selection.ofConnection(connection.substring(1))
                    : Selection.ofUser(user.substring(1));
            if (!user.isEmpty() && !connection.isEmpty()) {
                who = who.only(connection.substring(1));
            }
            who = who.except(Set.copyOf(fields.subList(4, 4 + exceptions)));
            return new Order(who, Deed.decode(fields.get(0), fields.subList(4 + exceptions, fields.size())));
        }
    }

    /** What to do with a connection. */
    sealed interface Deed {

        /** Returns its kind, and then what goes with it. */
        List<String> fields();

        private static Deed decode(String kind, List<String> rest) {
            return switch (kind) {
                case "disconnect" ->
                    new Disconnect(DisconnectReason.valueOf(rest.get(0)), code(rest.get(1), rest.get(2)));
                case "refresh" -> new Refresh(instant(rest.get(0)));
                case "subscribe" -> new Subscribe(ChannelId.of(rest.get(0)), instant(rest.get(1)));
                case "unsubscribe" -> new Unsubscribe(ChannelId.of(rest.get(0)), code(rest.get(1), rest.get(2)));
                default -> throw new IllegalArgumentException(kind);
            };
        }

        private static @Nullable Instant instant(String millis) {
            return millis.isEmpty() ? null : Instant.ofEpochMilli(Long.parseLong(millis));
        }

        private static String millis(@Nullable Instant instant) {
            return instant == null ? "" : Long.toString(EpochMillis.of(instant));
        }

        private static @Nullable HostCode code(String code, String text) {
            return code.isEmpty() ? null : new HostCode(Integer.parseInt(code), text);
        }

        private static String number(@Nullable HostCode code) {
            return code == null ? "" : Integer.toString(code.code());
        }

        private static String text(@Nullable HostCode code) {
            return code == null ? "" : code.text();
        }
    }

    /** Close it. */
    record Disconnect(DisconnectReason reason, @Nullable HostCode code) implements Deed {
        @Override
        public List<String> fields() {
            return List.of("disconnect", reason.name(), Deed.number(code), Deed.text(code));
        }
    }

    /** Move its end. */
    record Refresh(@Nullable Instant until) implements Deed {
        @Override
        public List<String> fields() {
            return List.of("refresh", Deed.millis(until));
        }
    }

    /** Subscribe it. */
    record Subscribe(ChannelId channel, @Nullable Instant until) implements Deed {
        @Override
        public List<String> fields() {
            return List.of("subscribe", channel.value(), Deed.millis(until));
        }
    }

    /** End a subscription of it. */
    record Unsubscribe(ChannelId channel, @Nullable HostCode code) implements Deed {
        @Override
        public List<String> fields() {
            return List.of("unsubscribe", channel.value(), Deed.number(code), Deed.text(code));
        }
    }

    /** The history of a channel up to there is not to be shown to anybody any more. */
    record Forget(ChannelId channel, Cursor upTo) implements ControlMessage {
        @Override
        public String encode() {
            return line("forget", channel.value(), upTo.toString());
        }
    }

    /**
     * Tell of your connections or channels.
     *
     * @param which whose connections, or the pattern of channels
     */
    record Ask(String question, String what, String which) implements ControlMessage {
        static final String COUNT = "count";
        static final String ALL = "all";
        static final String OF_USER = "user";
        static final String CHANNELS = "channels";

        @Override
        public String encode() {
            return line("ask", question, what, which);
        }
    }

    /** One node's part of an answer. */
    sealed interface Part extends ControlMessage {
        String question();

        String node();
    }

    /** Channels, with how many subscribers each has. */
    record Channels(String question, String node, Map<String, Integer> channels) implements Part {

        /** Leaves out channels that do not fit into one message. */
        @Override
        public String encode() {
            StringBuilder text = new StringBuilder(line("channels", question, node));
            for (Map.Entry<String, Integer> each : channels.entrySet()) {
                int before = text.length();
                append(text, each.getKey());
                append(text, each.getValue().toString());
                if (text.length() > ControlBus.MAX_MESSAGE_LENGTH) {
                    text.setLength(before);
                    break;
                }
            }
            return text.toString();
        }

        private static Channels decode(List<String> fields) {
            Map<String, Integer> channels = new LinkedHashMap<>();
            for (int i = 2; i + 1 < fields.size(); i += 2) {
                channels.put(fields.get(i), Integer.valueOf(fields.get(i + 1)));
            }
            return new Channels(fields.get(0), fields.get(1), channels);
        }
    }

    /** Connections. */
    record Answer(String question, String node, int count, List<ConnectionInfo> connections) implements Part {
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
                case "order" -> Order.decode(rest);
                case "forget" ->
                    new Forget(
                            ChannelId.of(rest.get(0)),
                            Cursor.parse(rest.get(1)).orElseThrow(IllegalArgumentException::new));
                case "ask" -> new Ask(rest.get(0), rest.get(1), rest.get(2));
                case "channels" -> Channels.decode(rest);
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
