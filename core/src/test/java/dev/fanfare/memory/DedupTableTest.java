package dev.fanfare.memory;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.memory.DedupTable.Key;
import dev.fanfare.memory.DedupTable.Remembered;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DedupTableTest {

    private static final ChannelId ROOM = ChannelId.of("room");
    private static final long SHORT = 100;
    private static final long LONG = 10_000;

    private final DedupTable table = new DedupTable(10);

    @Test
    void beyondItsBoundTheOldestKeysAreForgotten() {
        for (int i = 0; i < 25; i++) {
            assertThat(remember("k" + i, i, i % 2 == 0 ? SHORT : LONG)).isNull();
            table.purge(i);
        }

        assertThat(table.size()).isEqualTo(10);
        assertThat(remember("k15", 30, LONG)).isNotNull();
        assertThat(remember("k14", 30, LONG)).isNull();
    }

    @Test
    void keysWhoseWindowIsOverAreForgottenAlsoIfOlderOnesHaveALongerOne() {
        remember("long", 0, LONG);
        for (int i = 0; i < 5; i++) {
            remember("short" + i, 1, SHORT);
        }

        table.purge(1 + SHORT);

        assertThat(table.size()).isEqualTo(1);
        assertThat(remember("long", 1 + SHORT, LONG)).isNotNull();
    }

    @Test
    void aKeyThatIsUsedAgainAfterItsWindowLivesForANewOne() {
        remember("k", 0, SHORT);
        assertThat(remember("k", SHORT, SHORT)).isNull();

        table.purge(SHORT + 1);

        assertThat(remember("k", SHORT + 1, SHORT)).isNotNull();
        assertThat(table.size()).isEqualTo(1);
    }

    @Test
    void timeMayWrap() {
        remember("k", Long.MAX_VALUE - 10, SHORT);

        assertThat(remember("k", Long.MIN_VALUE + 50, SHORT)).isNotNull();
        assertThat(remember("k", Long.MIN_VALUE + 90, SHORT)).isNull();
    }

    @Test
    void digestsOfDifferentBodiesDiffer() {
        Set<Long> digests = new HashSet<>();
        Random random = new Random(1);
        for (int i = 0; i < 50_000; i++) {
            byte[] body = new byte[16 + random.nextInt(48)];
            random.nextBytes(body);
            digests.add(DedupTable.digest(Payload.of(body)));
            body[random.nextInt(body.length)] ^= 1;
            digests.add(DedupTable.digest(Payload.of(body)));
        }

        assertThat(digests).hasSize(100_000);
        assertThat(DedupTable.digest(Payload.of("a"))).isEqualTo(DedupTable.digest(Payload.of("a")));
        // Equal by String.hashCode, the classic case.
        assertThat(DedupTable.digest(Payload.of("Aa"))).isNotEqualTo(DedupTable.digest(Payload.of("BB")));
    }

    @CanIgnoreReturnValue
    private Remembered remember(String key, long now, long window) {
        return table.remember(new Remembered(new Key(ROOM, key), 1, now, window, "e1", 1, 1));
    }
}
