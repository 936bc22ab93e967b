package dev.fanfare.netty.sse;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.StartAt;
import dev.fanfare.netty.connection.ErrorCode;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.RequestRefused;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for with {@code GET /sse?…}.
 *
 * <p><b>Threading:</b> immutable.
 */
final class SseRequest {

    /** Most publications of each channel's past that a client may begin with. */
    static final int MAX_HISTORY = 300;

    /** An id comes back in one header, beside others; more than this a server may not take. */
    private static final int MAX_ID_LENGTH = 6 * 1024;

    private static final String BEARER = "Bearer ";

    private final List<ChannelId> channels;
    private final String cursorText;
    private final @Nullable Integer history;
    private final @Nullable Boolean envelope;
    private final boolean wantsPresence;
    private final String token;

    private SseRequest(Exchange exchange) {
        Map<String, List<String>> query = exchange.query();
        this.channels = channels(query.getOrDefault("channel", List.of()));
        this.cursorText = cursorText(exchange, query);
        this.history = history(first(query, "history"));
        this.envelope = truth(query, "envelope");
        this.wantsPresence = Boolean.TRUE.equals(truth(query, "presence"));
        this.token = token(exchange, query);
    }

    /**
     * Reads a request.
     *
     * @throws RequestRefused if it makes no sense
     */
    static SseRequest of(Exchange exchange) {
        return new SseRequest(exchange);
    }

    /** Returns the token, {@code ""} for none. */
    String token() {
        return token;
    }

    boolean wantsPresence() {
        return wantsPresence;
    }

    /** Returns the channels asked for, and those that the host adds. */
    List<ChannelId> channelsWith(List<ChannelId> added) {
        Set<ChannelId> all = new LinkedHashSet<>(channels);
        all.addAll(added);
        if (all.isEmpty()) {
            throw RequestRefused.badRequest("channel is missing");
        }
        List<ChannelId> list = List.copyOf(all);
        if (list.size() > 1 && CursorVector.longest(list) > MAX_ID_LENGTH) {
            throw new RequestRefused(
                    400, 106, "limit exceeded: the cursors of so many channels do not fit into an event id");
        }
        return list;
    }

    /** Returns where each channel begins. */
    Map<ChannelId, Cursor> cursors(List<ChannelId> all) {
        return cursorText.isEmpty() ? Map.of() : CursorVector.parse(cursorText, all);
    }

    /** Returns where a channel begins for which the client has no cursor. */
    StartAt startWithoutCursor() {
        return history == null ? StartAt.live() : StartAt.latest(history);
    }

    /** Returns the form of the events. */
    SseEncoder encoder(int channelCount) {
        boolean wrap = envelope != null ? envelope : channelCount > 1;
        if (wrap) {
            return SseEncoder.ENVELOPE;
        }
        return channelCount > 1 ? SseEncoder.PLAIN : SseEncoder.STAMPED;
    }

    private static List<ChannelId> channels(List<String> names) {
        List<ChannelId> channels = new ArrayList<>();
        for (String name : names) {
            if (!ChannelId.isValid(name)) {
                throw RequestRefused.badRequest(ErrorCode.CHANNEL_NAME);
            }
            channels.add(ChannelId.of(name));
        }
        return channels;
    }

    /** The header is what EventSource sends when it comes back, so it is newer than the URL. */
    private static String cursorText(Exchange exchange, Map<String, List<String>> query) {
        String header = exchange.headers().get("last-event-id", "").trim();
        return header.isEmpty() ? first(query, "cursor").trim() : header;
    }

    private static @Nullable Integer history(String text) {
        if (text.isEmpty()) {
            return null;
        }
        try {
            int count = Integer.parseInt(text);
            if (count >= 0 && count <= MAX_HISTORY) {
                return count;
            }
        } catch (NumberFormatException fallsThrough) {
            // refused below
        }
        throw RequestRefused.badRequest("history must be a number from 0 to " + MAX_HISTORY);
    }

    private static @Nullable Boolean truth(Map<String, List<String>> query, String name) {
        String text = first(query, name);
        return switch (text) {
            case "" -> null;
            case "true", "1" -> true;
            case "false", "0" -> false;
            default -> throw RequestRefused.badRequest(name + " must be true or false");
        };
    }

    private static String token(Exchange exchange, Map<String, List<String>> query) {
        String authorization = exchange.headers().get(HttpHeaderNames.AUTHORIZATION, "");
        return authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())
                ? authorization.substring(BEARER.length()).trim()
                : first(query, "token");
    }

    private static String first(Map<String, List<String>> query, String name) {
        return query.getOrDefault(name, List.of("")).get(0);
    }
}
