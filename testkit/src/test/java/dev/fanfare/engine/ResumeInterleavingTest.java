package dev.fanfare.engine;

import static dev.fanfare.engine.MergeWorld.Deed.*;

import dev.fanfare.engine.MergeWorld.Scenario;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.*;

/** Every order in which the parts of a subscribe can meet the parts of a publish. */
@org.junit.jupiter.api.extension.ExtendWith(Quiet.class)
class ResumeInterleavingTest {

    static void time(String what, Scenario scenario) {
        long t = System.nanoTime();
        int n = Integer.getInteger("n", 3000);
        long first = Long.getLong("first", 1);
        Schedules.sample(first, n, chooser -> MergeWorld.run(scenario, chooser));
        System.out.println(what + " " + (System.nanoTime() - t) / (n * 1000L) + " us each");
    }

    static void exh(String what, Scenario scenario) {
        long t = System.nanoTime();
        int n = Schedules.exhaust(300000, chooser -> MergeWorld.run(scenario, chooser));
        System.out.println(what + " " + n + " " + (System.nanoTime() - t) / 1000000 + " ms");
    }

    static Scenario base(int mode) {
        Scenario scenario = new Scenario().with(PUBLISH, 6).with(SUBSCRIBE, 4).with(UNSUBSCRIBE, 2);
        scenario.published = 2;
        scenario.clients = 3;
        scenario.looksWhenAsked = (mode & 1) != 0;
        scenario.knowsTags = (mode & 2) == 0;
        scenario.announcesItself = (mode & 4) == 0;
        return scenario;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void lossy(int mode) {
        time(
                "lossy",
                base(mode)
                        .with(LOSE_HINT, 2)
                        .with(REPEAT_HINT, 1)
                        .with(SWAP_HINTS, 1)
                        .with(INTERRUPT, 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void stalls(int mode) {
        time("stalls", base(mode).with(LOSE_HINT, 1).with(SWAP_HINTS, 1).with(STALL, 6));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void trims(int mode) {
        time(
                "trims",
                base(mode).with(LOSE_HINT, 1).with(SWAP_HINTS, 1).with(STALL, 4).with(TRIM, 2));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void epochs(int mode) {
        time(
                "epochs",
                base(mode).with(LOSE_HINT, 1).with(SWAP_HINTS, 1).with(STALL, 4).with(BEGIN_ANEW, 2));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 5})
    void diverges(int mode) {
        time(
                "diverges",
                base(mode).with(LOSE_HINT, 1).with(SWAP_HINTS, 1).with(STALL, 4).with(LOSE_NEWEST, 3));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 5})
    void all(int mode) {
        time(
                "all",
                base(mode)
                        .with(LOSE_HINT, 1)
                        .with(SWAP_HINTS, 1)
                        .with(STALL, 4)
                        .with(LOSE_NEWEST, 3)
                        .with(BEGIN_ANEW, 1)
                        .with(TRIM, 1)
                        .with(INTERRUPT, 1)
                        .with(FAIL_READ, 2)
                        .with(PASS_TIME, 3));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 5})
    void fails(int mode) {
        time(
                "fails",
                base(mode)
                        .with(LOSE_HINT, 1)
                        .with(SWAP_HINTS, 1)
                        .with(STALL, 4)
                        .with(FAIL_READ, 3)
                        .with(PASS_TIME, 5));
    }
}
