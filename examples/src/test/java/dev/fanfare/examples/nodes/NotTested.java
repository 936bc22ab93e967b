package dev.fanfare.examples.nodes;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Says that something cannot be tested on this machine: the test is skipped with a loud line, and fails with {@code CI=true}. */
final class NotTested {

    private NotTested() {}

    static void because(String why) {
        if ("true".equalsIgnoreCase(System.getenv("CI"))) {
            Assertions.fail("With CI=true this must be tested. " + why);
        }
        String stars = "*".repeat(100);
        System.err.printf("%n%s%nNOT TESTED: %s%n%s%n%n", stars, why, stars);
        Assumptions.abort(why);
    }
}
