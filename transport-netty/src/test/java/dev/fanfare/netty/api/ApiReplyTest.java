package dev.fanfare.netty.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Cursor;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whether there is more of a history is told at every end that a page can have. */
class ApiReplyTest {

    private static final int MEGABYTE = 1 << 20;
    private static final HistoryQuery ALL = HistoryQuery.first(HistoryQuery.MAX_LIMIT);
    private static final HistoryQuery ALL_REVERSED = HistoryQuery.latest(HistoryQuery.MAX_LIMIT);

    /** Returns publications of that size. */
    private static List<Publication> publications(long from, long to, int bytes) {
        Payload data = Payload.of("\"" + "x".repeat(bytes - 2) + "\"");
        List<Publication> all = new ArrayList<>();
        for (long offset = from; offset <= to; offset++) {
            all.add(Publication.builder(data)
                    .position("e", offset, offset, offset - 1)
                    .build());
        }
        return all;
    }

    private static String reply(HistoryQuery query, List<Publication> page, long top) {
        ByteBuf out = Unpooled.buffer();
        ApiReply.history(out, query, new HistoryResult.Page(page, new Cursor("e", top, top)));
        return out.toString(UTF_8);
    }

    private static boolean saysMore(String reply) {
        return reply.endsWith(",\"more\":true}}");
    }

    @Test
    void aPageThatEndsWithTheTopHasNoMore() {
        assertThat(saysMore(reply(ALL, publications(1, 3, 10), 3))).isFalse();
        assertThat(saysMore(reply(ALL, publications(1, 8, MEGABYTE), 8))).isFalse();
    }

    @Test
    void aPageThatTheLogEndedForItsSizeHasMore() {
        assertThat(saysMore(reply(ALL, publications(1, 8, MEGABYTE), 9))).isTrue();
    }

    @Test
    void aPageThatIsCutHereForItsSizeHasMoreFromTheLastThatIsThere() {
        String reply = reply(ALL, publications(1, 9, MEGABYTE), 9);

        assertThat(saysMore(reply)).isTrue();
        assertThat(reply)
                .contains("\"cursor\":\"v1.e.8.8\"")
                .doesNotContain("\"offset\":9,\"cursor\":\"v1.e.9.9\",\"data\"");
    }

    @Test
    void aPageThatEndsAtItsLimitSaysNothingHoweverLargeItIs() {
        assertThat(saysMore(reply(HistoryQuery.first(8), publications(1, 8, MEGABYTE), 9)))
                .isFalse();
        assertThat(saysMore(reply(HistoryQuery.first(2), publications(1, 2, 10), 9)))
                .isFalse();
    }

    @Test
    void aPageBackwardsHasMoreUntilTheFirstOfAll() {
        List<Publication> newest = publications(2, 9, MEGABYTE);
        Collections.reverse(newest);
        List<Publication> first = publications(1, 8, MEGABYTE);
        Collections.reverse(first);

        assertThat(saysMore(reply(ALL_REVERSED, newest, 9))).isTrue();
        assertThat(saysMore(reply(ALL_REVERSED, first, 9))).isFalse();
    }

    @Test
    void anEmptyPageHasNoMore() {
        assertThat(saysMore(reply(ALL, List.of(), 9))).isFalse();
    }
}
