package dev.fanfare;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;

/**
 * Says whether something can do its work, and if not, why: a store, or a whole Fanfare. What is down need not be
 * dead; it is not to be given new work until it says otherwise.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param reasons what is wrong, each in a few words for the operator, such as {@code "redis: commands time out"};
 *     never an address with a password, a payload or a user's name. Nothing is wrong if it is empty
 */
public record Health(List<String> reasons) {

    private static final Health UP = new Health(List.of());

    /** Copies the list. */
    public Health {
        reasons = List.copyOf(reasons);
    }

    /** Says that everything works. */
    public static Health up() {
        return UP;
    }

    /** Says that something does not work. */
    public static Health down(String reason) {
        return new Health(List.of(requireNonNull(reason, "reason")));
    }

    /** Tells whether everything works. */
    public boolean isUp() {
        return reasons.isEmpty();
    }

    /** Returns the health of something that needs both to be up. */
    public Health and(Health other) {
        if (other.isUp()) {
            return this;
        }
        List<String> all = new ArrayList<>(reasons);
        all.addAll(other.reasons);
        return new Health(all);
    }
}
