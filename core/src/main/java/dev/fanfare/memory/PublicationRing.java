package dev.fanfare.memory;

import dev.fanfare.Publication;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The retained publications of one channel with their ages, oldest first: two growing circular arrays,
 * without an object per entry, and none at all while empty.
 *
 * <p><b>Threading:</b> not thread-safe; confined to the lock of its {@link LogChannel}.
 */
final class PublicationRing {

    private static final int SMALLEST = 4;
    private static final Publication[] NONE = {};
    private static final long[] NO_TIMES = {};

    private @Nullable Publication[] publications = NONE;
    private long[] times = NO_TIMES;
    private int first;
    private int size;

    int size() {
        return size;
    }

    /** Adds the newest, after dropping the oldest ones until there is room below the limit. */
    void add(Publication publication, long time, int limit) {
        while (size >= limit) {
            removeFirst();
        }
        if (size == publications.length) {
            resize(Math.min(larger(), Math.max(limit, size + 1)));
        }
        int index = index(size);
        publications[index] = publication;
        times[index] = time;
        size++;
    }

    /** Drops those that are that old or older, and gives back the memory. */
    void expire(long now, long age) {
        int before = size;
        while (size > 0 && now - times[first] >= age) {
            removeFirst();
        }
        if (size == 0) {
            clear();
        } else if (size < before && size < publications.length / 4) {
            resize(size * 2);
        }
    }

    void clear() {
        publications = NONE;
        times = NO_TIMES;
        first = 0;
        size = 0;
    }

    /** Copies {@code count} publications, beginning with the one at {@code from}, 0 being the oldest. */
    List<Publication> copy(int from, int count, boolean isReverse) {
        if (count == 0) {
            return List.of();
        }
        Publication[] copy = unrolled(from, count);
        List<Publication> list = Arrays.asList(copy);
        if (isReverse) {
            Collections.reverse(list);
        }
        return Collections.unmodifiableList(list);
    }

    /** Grows by less the larger it is: the slack is part of the goal of 250 bytes per publication. */
    private int larger() {
        return size < 64 ? size + (size >> 1) + SMALLEST : size + (size >> 2);
    }

    private void removeFirst() {
        publications[first] = null;
        first = index(1);
        size--;
    }

    private Publication[] unrolled(int from, int count) {
        Publication[] copy = new Publication[count];
        int start = index(from);
        int head = Math.min(count, publications.length - start);
        System.arraycopy(publications, start, copy, 0, head);
        System.arraycopy(publications, 0, copy, head, count - head);
        return copy;
    }

    private void resize(int capacity) {
        Publication[] moved = size == 0 ? new Publication[capacity] : Arrays.copyOf(unrolled(0, size), capacity);
        long[] movedTimes = new long[capacity];
        for (int i = 0; i < size; i++) {
            movedTimes[i] = times[index(i)];
        }
        publications = moved;
        times = movedTimes;
        first = 0;
    }

    private int index(int position) {
        int index = first + position;
        return index < publications.length ? index : index - publications.length;
    }
}
