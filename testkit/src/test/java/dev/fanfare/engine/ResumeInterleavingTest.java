package dev.fanfare.engine;

import static dev.fanfare.engine.MergeWorld.Deed.BEGIN_ANEW;
import static dev.fanfare.engine.MergeWorld.Deed.FAIL_READ;
import static dev.fanfare.engine.MergeWorld.Deed.INTERRUPT;
import static dev.fanfare.engine.MergeWorld.Deed.LOSE_HINT;
import static dev.fanfare.engine.MergeWorld.Deed.LOSE_NEWEST;
import static dev.fanfare.engine.MergeWorld.Deed.PASS_TIME;
import static dev.fanfare.engine.MergeWorld.Deed.PUBLISH;
import static dev.fanfare.engine.MergeWorld.Deed.REPEAT_HINT;
import static dev.fanfare.engine.MergeWorld.Deed.STALL;
import static dev.fanfare.engine.MergeWorld.Deed.SUBSCRIBE;
import static dev.fanfare.engine.MergeWorld.Deed.SWAP_HINTS;
import static dev.fanfare.engine.MergeWorld.Deed.TRIM;
import static dev.fanfare.engine.MergeWorld.Deed.UNSUBSCRIBE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.fanfare.Cursor;
import dev.fanfare.StartAt;
import dev.fanfare.engine.MergeWorld.Scenario;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every order in which a publish, its announcement, a subscribe, the acknowledgement of its watch, the answers
 * of the log, and what goes wrong with all of them can meet; and for more than can be enumerated, random ones.
 *
 * <p>After each schedule everything arrives and the tail probe runs. Then every client must have seen one
 * unbroken run, reset only where its position really was lost, and be at the head of the log.
 */
@ExtendWith(Quiet.class)
class ResumeInterleavingTest {

    private static final int ITERATIONS = Integer.getInteger("fanfare.stress.iterations", 1);
    private static final int SAMPLES = 150 * ITERATIONS;

    static Stream<Scenario> toExhaust() {
        return Stream.of(
                resuming("two publishes", 2),
                subscribing("live", StartAt.live()),
                subscribing("with the newest two", StartAt.latest(2)),
                resuming("a lost announcement", 2).with(LOSE_HINT, 1),
                resuming("nothing but lost announcements", 2).with(LOSE_HINT, 2),
                resuming("two announcements in the wrong order", 2).with(SWAP_HINTS, 1),
                resuming("a repeated announcement", 2).with(REPEAT_HINT, 1),
                resuming("leaving and coming back", 1).with(SUBSCRIBE, 2).with(UNSUBSCRIBE, 1),
                resuming("a read that fails", 1).with(FAIL_READ, 1).with(PASS_TIME, 1),
                resuming("a client that stalls", 1).with(STALL, 1),
                resuming("a log that is trimmed", 1).with(TRIM, 1),
                resuming("a log that loses the newest", 1).with(LOSE_NEWEST, 1),
                resuming("a log that begins anew", 1).with(BEGIN_ANEW, 1),
                resuming("a bus that is interrupted", 1).with(INTERRUPT, 1).with(LOSE_HINT, 1),
                resuming("two clients", 1).with(SUBSCRIBE, 2).clients(2));
    }

    @ParameterizedTest
    @MethodSource("toExhaust")
    void everyScheduleOf(Scenario scenario) {
        int ran = Schedules.exhaust(60_000, chooser -> MergeWorld.run(scenario, chooser));

        assertThat(ran).as("schedules").isGreaterThan(20);
    }

    static Stream<Scenario> toSample() {
        List<Scenario> scenarios = new ArrayList<>();
        for (int variant = 0; variant < 8; variant++) {
            scenarios.add(busy("a lossy bus", variant)
                    .with(LOSE_HINT, 2)
                    .with(REPEAT_HINT, 1)
                    .with(SWAP_HINTS, 1)
                    .with(INTERRUPT, 1));
            scenarios.add(busy("stalling clients", variant)
                    .with(LOSE_HINT, 1)
                    .with(SWAP_HINTS, 1)
                    .with(STALL, 6));
            scenarios.add(busy("answers cut short", variant)
                    .large()
                    .with(LOSE_HINT, 1)
                    .with(STALL, 4));
            scenarios.add(
                    busy("trims", variant).with(LOSE_HINT, 1).with(STALL, 4).with(TRIM, 2));
            scenarios.add(busy("new epochs", variant)
                    .with(LOSE_HINT, 1)
                    .with(STALL, 4)
                    .with(BEGIN_ANEW, 2));
            scenarios.add(busy("failing reads", variant)
                    .with(LOSE_HINT, 1)
                    .with(STALL, 4)
                    .with(FAIL_READ, 3)
                    .with(PASS_TIME, 5));
        }
        for (int variant : new int[] {0, 1, 4, 5}) { // who knows no tags cannot notice that a log diverged
            scenarios.add(busy("stale replicas", variant)
                    .with(LOSE_HINT, 1)
                    .with(STALL, 4)
                    .with(LOSE_NEWEST, 3));
            scenarios.add(busy("everything", variant)
                    .with(LOSE_HINT, 1)
                    .with(REPEAT_HINT, 1)
                    .with(SWAP_HINTS, 1)
                    .with(INTERRUPT, 1)
                    .with(STALL, 4)
                    .with(TRIM, 1)
                    .with(LOSE_NEWEST, 3)
                    .with(BEGIN_ANEW, 1)
                    .with(FAIL_READ, 2)
                    .with(PASS_TIME, 3));
        }
        return scenarios.stream();
    }

    @ParameterizedTest
    @MethodSource("toSample")
    void randomSchedulesOf(Scenario scenario) {
        Schedules.sample(1, SAMPLES, chooser -> MergeWorld.run(scenario, chooser));
    }

    @Test
    void theExplorerItselfNoticesABrokenRun() {
        Scenario scenario = resuming("a client that is told nothing", 1).with(LOSE_HINT, 1);
        scenario.neverProbes = true;

        assertThat(catchThrowable(() -> Schedules.exhaust(60_000, chooser -> MergeWorld.run(scenario, chooser))))
                .hasMessageContaining("the client has everything");
    }

    private static Scenario resuming(String name, int publishes) {
        return subscribing(name, StartAt.after(Cursor.of("e1", 1))).with(PUBLISH, publishes);
    }

    private static Scenario subscribing(String name, StartAt start) {
        Scenario scenario = new Scenario(name).with(PUBLISH, 2).with(SUBSCRIBE, 1);
        scenario.published = 2;
        scenario.start = start;
        return scenario;
    }

    private static Scenario busy(String name, int variant) {
        Scenario scenario = new Scenario(name + ", variant " + variant)
                .with(PUBLISH, 6)
                .with(SUBSCRIBE, 4)
                .with(UNSUBSCRIBE, 2)
                .clients(3);
        scenario.published = 2;
        scenario.looksWhenAsked = (variant & 1) != 0;
        scenario.knowsTags = (variant & 2) == 0;
        scenario.announcesItself = (variant & 4) == 0;
        return scenario;
    }
}
