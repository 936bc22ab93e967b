package dev.fanfare.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Payload;
import dev.fanfare.Publication;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PublicationRingTest {

    /** Does the same to a ring and to a plain list, at random, and compares. */
    @Test
    void behavesAsAListThatIsTrimmedByCountAndAge() {
        for (long seed = 1; seed <= 200; seed++) {
            Random random = new Random(seed);
            PublicationRing ring = new PublicationRing();
            Deque<Publication> model = new ArrayDeque<>();
            Deque<Long> times = new ArrayDeque<>();
            long now = Long.MAX_VALUE - 500;
            int limit = 1 + random.nextInt(200);
            for (int step = 1; step <= 400; step++) {
                now += random.nextInt(5);
                if (random.nextInt(100) == 0) {
                    limit = 1 + random.nextInt(200);
                }
                if (random.nextInt(60) == 0) {
                    long age = random.nextInt(300);
                    ring.expire(now, age);
                    while (!times.isEmpty() && now - times.getFirst() >= age) {
                        times.removeFirst();
                        model.removeFirst();
                    }
                } else {
                    Publication publication = publication(step);
                    ring.add(publication, now, limit);
                    model.addLast(publication);
                    times.addLast(now);
                    while (model.size() > limit) {
                        model.removeFirst();
                        times.removeFirst();
                    }
                }
                assertSame(ring, new ArrayList<>(model), random, seed);
            }
        }
    }

    @Test
    void pagesCannotBeChangedAndDoNotChange() {
        PublicationRing ring = new PublicationRing();
        ring.add(publication(1), 0, 2);
        ring.add(publication(2), 0, 2);
        List<Publication> page = ring.copy(0, 2, false);

        ring.add(publication(3), 0, 2);

        assertThat(page).extracting(Publication::offset).containsExactly(1L, 2L);
        assertThat(page).isUnmodifiable();
    }

    private static void assertSame(PublicationRing ring, List<Publication> model, Random random, long seed) {
        assertThat(ring.size()).as("seed %s", seed).isEqualTo(model.size());
        int from = random.nextInt(model.size() + 1);
        int count = random.nextInt(model.size() - from + 1);
        List<Publication> part = new ArrayList<>(model.subList(from, from + count));
        assertThat(ring.copy(from, count, false)).as("seed %s", seed).isEqualTo(part);
        Collections.reverse(part);
        assertThat(ring.copy(from, count, true)).as("seed %s", seed).isEqualTo(part);
    }

    private static Publication publication(long offset) {
        return Publication.builder(Payload.EMPTY).position("e1", offset, 1, 1).build();
    }
}
