package dev.fanfare.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What a ring holds, and what it can prove. */
class RingTest {

    private static final Payload SMALL = Payload.of("x");
    private static final Payload LARGE = Payload.wrap(new byte[Ring.MOST_BYTES / 4]);

    @Test
    void aLongRunHoldsTheNewest() {
        Ring ring = filled(0, 2000, SMALL);

        assertThat(heldUpTo(ring, 2001))
                .hasSize(Ring.MOST_SLOTS)
                .startsWith(2001L - Ring.MOST_SLOTS)
                .endsWith(2000L);
    }

    @Test
    void largeOnesAreHeldUpToABoundOfBytes() {
        Ring ring = filled(0, 100, LARGE);

        assertThat(heldUpTo(ring, 101)).containsExactly(97L, 98L, 99L, 100L);
    }

    @Test
    void theNewestIsHeldHoweverLarge() {
        Ring ring = filled(0, 3, Payload.wrap(new byte[2 * Ring.MOST_BYTES]));

        assertThat(heldUpTo(ring, 4)).containsExactly(3L);
    }

    @Test
    void afterAPositionItProvesWhatFollows() {
        Ring ring = filled(10, 5, SMALL);

        List<Publication> found = ring.after(new Cursor("e", 12, 12), 100);

        assertThat(found).extracting(Publication::offset).containsExactly(13L, 14L, 15L);
    }

    @Test
    void itProvesNothingForAnotherTag() {
        Ring ring = filled(10, 5, SMALL);

        assertThat(ring.after(new Cursor("e", 12, 99), 100)).isNull();
    }

    @Test
    void itProvesNothingForAnotherEpoch() {
        Ring ring = filled(10, 5, SMALL);

        assertThat(ring.after(new Cursor("f", 12, 12), 100)).isNull();
    }

    @Test
    void itProvesNothingBeyondTheLimit() {
        Ring ring = filled(10, 5, SMALL);

        assertThat(ring.after(new Cursor("e", 12, 12), 2)).isNull();
        assertThat(ring.after(new Cursor("e", 12, 12), 3)).hasSize(3);
    }

    @Test
    void itProvesNothingBeforeItsBeginning() {
        Ring ring = filled(10, 5, SMALL);

        assertThat(ring.after(new Cursor("e", 9, 9), 100)).isNull();
    }

    @Test
    void aPositionWithoutATagIsTakenByItsOffset() {
        Ring ring = filled(10, 5, SMALL);

        assertThat(ring.after(Cursor.of("e", 12), 100)).hasSize(3);
        assertThat(ring.after(Cursor.ofUnknownEpoch(12), 100)).hasSize(3);
    }

    @Test
    void itKnowsARepetitionFromAnotherHistory() {
        Ring ring = filled(10, 5, SMALL);
        Publication same = publication(12, SMALL);
        Publication other = Publication.builder(SMALL).position("e", 12, 99, 11).build();

        assertThat(ring.holds(same)).isTrue();
        assertThat(ring.contradicts(same)).isFalse();
        assertThat(ring.holds(other)).isFalse();
        assertThat(ring.contradicts(other)).isTrue();
    }

    @Test
    void olderOnesAreAddedInFrontIfTheyLink() {
        Ring ring = filled(10, 5, SMALL);

        ring.prepend(newestFirst(15, 1), new Cursor("e", 10, 10));

        assertThat(heldUpTo(ring, 20))
                .isEqualTo(LongStream.rangeClosed(1, 15).boxed().toList());
    }

    @Test
    void olderOnesOfAnotherHistoryAreLeftOut() {
        Ring ring = filled(10, 5, SMALL);

        List<Publication> broken = new ArrayList<>(newestFirst(10, 1));
        broken.set(3, Publication.builder(SMALL).position("e", 7, 99, 6).build());
        ring.prepend(broken, new Cursor("e", 10, 10));

        assertThat(heldUpTo(ring, 20))
                .isEqualTo(LongStream.rangeClosed(8, 15).boxed().toList());
    }

    @Test
    void anEmptyRingTakesNothingOfAnotherHistory() {
        Ring ring = new Ring(10);

        ring.prepend(newestFirst(10, 4), new Cursor("e", 10, 99));

        assertThat(heldUpTo(ring, 20)).isEmpty();
    }

    @Test
    void anEmptyRingIsFilledFromItsBeginning() {
        Ring ring = new Ring(10);

        ring.prepend(newestFirst(10, 4), new Cursor("e", 10, 10));
        ring.add(publication(11, SMALL));

        assertThat(heldUpTo(ring, 20))
                .isEqualTo(LongStream.rangeClosed(4, 11).boxed().toList());
    }

    @Test
    void olderOnesFillNoMoreThanTheBound() {
        Ring ring = filled(1000, 5, SMALL);

        ring.prepend(newestFirst(1000, 1), new Cursor("e", 1000, 1000));

        assertThat(heldUpTo(ring, 1010)).hasSize(Ring.MOST_SLOTS).endsWith(1005L);
    }

    private static Ring filled(long after, int count, Payload data) {
        Ring ring = new Ring(after);
        for (long offset = after + 1; offset <= after + count; offset++) {
            ring.add(publication(offset, data));
        }
        return ring;
    }

    private static List<Publication> newestFirst(long newest, long oldest) {
        List<Publication> publications = new ArrayList<>();
        for (long offset = newest; offset >= oldest; offset--) {
            publications.add(publication(offset, SMALL));
        }
        return publications;
    }

    private static List<Long> heldUpTo(Ring ring, long last) {
        return LongStream.rangeClosed(0, last)
                .filter(offset -> ring.at(offset) != null)
                .boxed()
                .toList();
    }

    private static Publication publication(long offset, Payload data) {
        return Publication.builder(data)
                .position("e", offset, offset, offset - 1)
                .build();
    }
}
