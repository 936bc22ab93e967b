package dev.fanfare.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Enumerates schedules: runs a program again and again, deciding differently each time it asks which of
 * several steps comes next.
 *
 * <p>Not thread-safe.
 */
final class Schedules {

    /** Repeat one random schedule with {@code -Dfanfare.schedule.seed=…}. */
    private static final Long GIVEN_SEED = Long.getLong("fanfare.schedule.seed");

    private Schedules() {}

    /** Decides which step comes next. */
    interface Chooser {
        /** Returns 0 to {@code options - 1}. */
        int choose(int options);
    }

    /** Runs every schedule of the program; fails if there are more than that. */
    static int exhaust(int most, Consumer<Chooser> program) {
        Odometer odometer = new Odometer();
        int ran = 0;
        do {
            if (++ran > most) {
                throw new AssertionError("More than " + most + " schedules; make the program smaller");
            }
            odometer.rewind();
            program.accept(odometer);
        } while (odometer.advance());
        return ran;
    }

    /** Runs random schedules of the program; a failure names the seed. */
    static void sample(long firstSeed, int count, Consumer<Chooser> program) {
        if (GIVEN_SEED != null) {
            program.accept(random(GIVEN_SEED));
            return;
        }
        for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            try {
                program.accept(random(seed));
            } catch (AssertionError | RuntimeException failure) {
                throw new AssertionError("Repeat it with -Dfanfare.schedule.seed=" + seed, failure);
            }
        }
    }

    private static Chooser random(long seed) {
        Random random = new Random(seed * 0x9E3779B97F4A7C15L);
        return random::nextInt;
    }

    /** Counts through all sequences of choices, the last choice fastest. */
    private static final class Odometer implements Chooser {
        private final List<Integer> digits = new ArrayList<>();
        private final List<Integer> bases = new ArrayList<>();
        private int place;

        void rewind() {
            place = 0;
        }

        @Override
        public int choose(int options) {
            if (place == digits.size()) {
                digits.add(0);
                bases.add(options);
            } else if (bases.get(place) != options) {
                throw new AssertionError("The program is not deterministic: " + bases.get(place) + " options became "
                        + options + " at step " + place);
            }
            return digits.get(place++);
        }

        boolean advance() {
            for (int last = digits.size() - 1; last >= 0; last--) {
                if (digits.get(last) + 1 < bases.get(last)) {
                    digits.set(last, digits.get(last) + 1);
                    return true;
                }
                digits.remove(last);
                bases.remove(last);
            }
            return false;
        }
    }
}
