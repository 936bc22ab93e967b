package dev.fanfare.netty.api;

import static dev.fanfare.netty.http.JsonText.number;
import static dev.fanfare.netty.http.JsonText.raw;
import static dev.fanfare.netty.http.JsonText.string;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Cursor;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Publication;
import dev.fanfare.PublishResult;
import dev.fanfare.Publisher;
import dev.fanfare.Refusal;
import dev.fanfare.Tickets;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceSnapshot;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Writes results as the API's JSON. */
final class ApiReply {

    /** Beyond this a page of history is cut short; the caller goes on from its last cursor. */
    private static final int MAX_PAGE_BYTES = 8 * 1024 * 1024;

    private ApiReply() {}

    /** Writes {@code {"error":…}}. */
    static void error(ByteBuf out, ApiError error) {
        raw(out, "{\"error\":");
        error.writeTo(out);
        out.writeByte('}');
    }

    /** Writes what became of a publish, as one whole reply. */
    static void published(ByteBuf out, @Nullable PublishResult result, @Nullable Throwable failure) {
        if (result == null) {
            error(out, failure == null ? ApiError.of(Refusal.UNAVAILABLE) : ApiError.of(failure));
            return;
        }
        if (result instanceof PublishResult.Refused refused) {
            error(out, ApiError.of(refused.reason(), refused.retryAfter()));
            return;
        }
        raw(out, "{\"result\":{");
        Optional<Cursor> position = result.position();
        position.ifPresent(cursor -> cursor(out, cursor));
        if (result instanceof PublishResult.Duplicate) {
            raw(out, position.isPresent() ? ",\"duplicate\":true" : "\"duplicate\":true");
        }
        raw(out, "}}");
    }

    static void history(ByteBuf out, HistoryQuery query, HistoryResult result) {
        if (result instanceof HistoryResult.Page page) {
            raw(out, "{\"result\":{\"publications\":[");
            boolean isWhole = publications(out, page.publications()) && !isCutShort(query, page);
            raw(out, "],");
            cursor(out, page.top());
            raw(out, isWhole ? "}}" : ",\"more\":true}}");
        } else if (result instanceof HistoryResult.Unrecoverable broken) {
            raw(out, "{\"error\":{\"code\":112,\"message\":\"unrecoverable position\",\"reason\":");
            string(out, broken.reason().name());
            out.writeByte(',');
            cursor(out, broken.top());
            raw(out, "}}");
        } else if (result instanceof HistoryResult.Refused refused) {
            error(out, ApiError.of(refused.reason()));
        }
    }

    /** Tells whether the page ends because of its size, and neither because of the limit nor because that is all. */
    private static boolean isCutShort(HistoryQuery query, HistoryResult.Page page) {
        List<Publication> publications = page.publications();
        long bytes = publications.stream()
                .mapToLong(publication -> publication.data().size())
                .sum();
        if (bytes < HistoryQuery.ENOUGH_BYTES || publications.size() >= query.limit()) {
            return false;
        }
        long last = publications.get(publications.size() - 1).offset();
        return query.isReverse() ? last > 1 : last < page.top().offset();
    }

    private static boolean publications(ByteBuf out, List<Publication> publications) {
        int begun = out.writerIndex();
        for (Publication publication : publications) {
            if (out.writerIndex() - begun > MAX_PAGE_BYTES) {
                return false;
            }
            if (out.writerIndex() > begun) {
                out.writeByte(',');
            }
            publication(out, publication);
        }
        return true;
    }

    private static void publication(ByteBuf out, Publication publication) {
        out.writeByte('{');
        if (publication.isLogged()) {
            raw(out, "\"offset\":");
            number(out, publication.offset());
            raw(out, ",\"cursor\":\"");
            raw(out, publication.cursor().toString());
            raw(out, "\",");
        }
        JsonText.payload(out, "data", publication.data());
        raw(out, ",\"time\":");
        number(out, publication.timeMillis());
        optional(out, "event", publication.eventType());
        optional(out, "key", publication.key());
        if (!publication.headers().isEmpty()) {
            raw(out, ",\"headers\":");
            JsonText.strings(out, publication.headers());
        }
        publisher(out, publication.publisher());
        out.writeByte('}');
    }

    private static void publisher(ByteBuf out, @Nullable Publisher publisher) {
        if (publisher != null) {
            raw(out, ",\"publisher\":{\"user\":");
            string(out, publisher.user());
            raw(out, ",\"client\":");
            string(out, publisher.connection());
            out.writeByte('}');
        }
    }

    static void presence(ByteBuf out, PresenceSnapshot snapshot) {
        raw(out, "{\"result\":{\"presence\":{");
        String separator = "";
        for (Member member : snapshot.members()) {
            raw(out, separator);
            string(out, member.connection());
            raw(out, ":{\"client\":");
            string(out, member.connection());
            raw(out, ",\"user\":");
            string(out, member.user());
            if (member.info() != null) {
                out.writeByte(',');
                JsonText.payload(out, "conn_info", member.info());
            }
            out.writeByte('}');
            separator = ",";
        }
        raw(out, "}}}");
    }

    static void presenceStats(ByteBuf out, PresenceSnapshot snapshot) {
        raw(out, "{\"result\":{\"num_clients\":");
        number(out, snapshot.connections());
        raw(out, ",\"num_users\":");
        number(out, snapshot.users());
        raw(out, "}}");
    }

    static void connections(ByteBuf out, List<ConnectionInfo> connections) {
        raw(out, "{\"result\":{\"connections\":[");
        String separator = "";
        for (ConnectionInfo connection : connections) {
            raw(out, separator);
            raw(out, "{\"client\":");
            string(out, connection.id());
            raw(out, ",\"user\":");
            string(out, connection.user());
            raw(out, ",\"transport\":");
            string(out, connection.transport());
            raw(out, ",\"connected_at\":");
            number(out, connection.connectedAt().toEpochMilli());
            if (connection.info() != null) {
                out.writeByte(',');
                JsonText.payload(out, "conn_info", connection.info());
            }
            out.writeByte('}');
            separator = ",";
        }
        raw(out, "]}}");
    }

    static void channels(ByteBuf out, Map<ChannelId, Integer> channels) {
        raw(out, "{\"result\":{\"channels\":{");
        String separator = "";
        for (Map.Entry<ChannelId, Integer> each : channels.entrySet()) {
            raw(out, separator);
            string(out, each.getKey().value());
            raw(out, ":{\"num_clients\":");
            number(out, each.getValue());
            out.writeByte('}');
            separator = ",";
        }
        raw(out, "}}}");
    }

    static void ticket(ByteBuf out, String ticket) {
        raw(out, "{\"result\":{\"ticket\":");
        string(out, ticket);
        raw(out, ",\"ttl\":");
        number(out, Tickets.LIFETIME.toSeconds());
        raw(out, "}}");
    }

    static void info(ByteBuf out, String node, int connections) {
        raw(out, "{\"result\":{\"node\":");
        string(out, node);
        raw(out, ",\"connections\":");
        number(out, connections);
        raw(out, "}}");
    }

    static void done(ByteBuf out) {
        raw(out, "{\"result\":{}}");
    }

    private static void cursor(ByteBuf out, Cursor cursor) {
        raw(out, "\"offset\":");
        number(out, cursor.offset());
        raw(out, ",\"epoch\":\"");
        raw(out, cursor.epoch());
        raw(out, "\",\"cursor\":\"");
        raw(out, cursor.toString());
        out.writeByte('"');
    }

    private static void optional(ByteBuf out, String name, @Nullable String value) {
        if (value != null) {
            raw(out, ",\"");
            raw(out, name);
            raw(out, "\":");
            string(out, value);
        }
    }
}
