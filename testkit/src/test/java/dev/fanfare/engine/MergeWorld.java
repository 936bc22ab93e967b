package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.ResetReason;
import dev.fanfare.StartAt;
import dev.fanfare.engine.Schedules.Chooser;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One channel, one node, a store that answers by hand, and clients that come, go and stall: everything
 * that can happen next is a step, and a {@link Chooser} says which one does.
 */
final class MergeWorld {

    /** What happens only as often as a scenario allows. */
    enum Deed {
        PUBLISH,
        SUBSCRIBE,
        UNSUBSCRIBE,
        LOSE_HINT,
        REPEAT_HINT,
        SWAP_HINTS,
        TRIM,
        LOSE_NEWEST,
        BEGIN_ANEW,
        INTERRUPT,
        FAIL_READ,
        STALL,
        PASS_TIME
    }

    /** After these a node may be behind until it compares with the log, or tries again. */
    private static final Set<Deed> ONLY_A_PROBE_FINDS =
            EnumSet.of(Deed.LOSE_HINT, Deed.LOSE_NEWEST, Deed.BEGIN_ANEW, Deed.FAIL_READ);

    /** What is so before the first step. */
    static final class Scenario {
        final Map<Deed, Integer> budget = new EnumMap<>(Deed.class);
        private final String name;
        int published;
        int clients = 1;
        int retained = 100;
        StartAt start = StartAt.live();
        boolean looksWhenAsked;
        boolean knowsTags = true;
        boolean announcesItself = true;
        boolean neverProbes;
        Payload payload = Payload.of("p");

        Scenario(String name) {
            this.name = name;
        }

        Scenario with(Deed deed, int times) {
            budget.put(deed, times);
            return this;
        }

        Scenario clients(int count) {
            clients = count;
            return this;
        }

        /** Makes publications so large that two of them are too much for one answer. */
        Scenario large() {
            payload = LARGE;
            return this;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private record Step(String name, Runnable action) {}

    private static final String CHANNEL = "c:x";
    private static final Payload LARGE = Payload.wrap(new byte[300 * 1024]);

    private final ManualTime time = new ManualTime();
    private final ScriptedStore store = new ScriptedStore(time);
    private final Scenario scenario;
    private final Map<Deed, Integer> left;
    private final List<ClientView> clients = new ArrayList<>();
    private final List<ManualLoop> loops = new ArrayList<>();
    private final List<String> trace = new ArrayList<>();
    private final Set<Deed> done = EnumSet.noneOf(Deed.class);
    private final ManualNode node;

    MergeWorld(Scenario scenario) {
        this.scenario = scenario;
        this.left = new EnumMap<>(scenario.budget);
        store.announcesItself = scenario.announcesItself;
        this.node = ManualNode.open(
                store,
                time,
                builder -> builder.namespace(
                        "c",
                        rules -> rules.retain(scenario.retained, Duration.ofDays(1))
                                .maxMessageBytes(1 << 20)));
        for (int i = 0; i < scenario.published; i++) {
            publish();
        }
        store.holdsReads = true;
        store.holdsWatches = true;
        store.holdsHints = true;
        store.looksWhenAsked = scenario.looksWhenAsked;
        for (int i = 0; i < scenario.clients; i++) {
            ManualLoop loop = i % 2 == 0 ? node.loop : node.newLoop();
            if (!loops.contains(loop)) {
                loops.add(loop);
            }
            clients.add(new ClientView(
                    node.connect("", loop, node.format),
                    CHANNEL,
                    scenario.knowsTags,
                    position -> store.canContinue(CHANNEL, position)));
        }
    }

    /** Runs one schedule to its end and checks what the clients saw. */
    static void run(Scenario scenario, Chooser chooser) {
        MergeWorld world = new MergeWorld(scenario);
        try {
            world.go(chooser);
            world.letEverythingArrive();
            if (Collections.disjoint(world.done, ONLY_A_PROBE_FINDS)) {
                world.check();
            }
            world.letTheTailProbeRun();
            world.check();
        } catch (AssertionError | RuntimeException failure) {
            throw new AssertionError(failure.getMessage() + "\nafter " + String.join(", ", world.trace), failure);
        }
    }

    private void go(Chooser chooser) {
        for (List<Step> possible = possible(); !possible.isEmpty(); possible = possible()) {
            Step step = possible.get(possible.size() == 1 ? 0 : chooser.choose(possible.size()));
            trace.add(step.name);
            step.action.run();
            node.host.runAll();
            clients.forEach(ClientView::look);
        }
    }

    // ---- what can happen next

    private List<Step> possible() {
        List<Step> steps = new ArrayList<>();
        add(steps, Deed.PUBLISH, "publish", true, this::publish);
        for (int i = 0; i < clients.size(); i++) {
            clientSteps(steps, i);
        }
        for (int i = 0; i < loops.size(); i++) {
            ManualLoop loop = loops.get(i);
            if (loop.waiting() > 0) {
                steps.add(new Step("loop " + i + " turns", loop::runOne));
            }
        }
        storeSteps(steps);
        for (ScriptedStore.Watching watching : store.watching) {
            hintSteps(steps, watching);
        }
        return steps;
    }

    private void clientSteps(List<Step> steps, int i) {
        ClientView client = clients.get(i);
        add(steps, Deed.SUBSCRIBE, i + " subscribes", !client.isSubscribed(), () -> client.subscribe(scenario.start));
        add(steps, Deed.UNSUBSCRIBE, i + " unsubscribes", client.isSubscribed(), client::unsubscribe);
        add(steps, Deed.STALL, i + " stalls", client.outlet.isWritable(), () -> client.outlet.takeOnly(0));
        if (!client.outlet.isWritable()) {
            steps.add(new Step(i + " takes one", () -> client.outlet.drain(1)));
            steps.add(new Step(i + " takes all", () -> client.outlet.drain()));
        }
    }

    private void storeSteps(List<Step> steps) {
        if (!store.watches.isEmpty()) {
            steps.add(
                    new Step("watch acknowledged", () -> store.watches.remove(0).answer()));
        }
        for (int i = 0; i < store.reads.size(); i++) {
            ScriptedStore.Held<?> read = store.reads.get(i);
            steps.add(new Step("answers " + read.what, () -> {
                store.reads.remove(read);
                read.answer();
            }));
            add(steps, Deed.FAIL_READ, "fails " + read.what, true, () -> {
                store.reads.remove(read);
                read.fail();
            });
        }
        boolean isWritten = store.head(CHANNEL).offset() > 0;
        add(steps, Deed.TRIM, "trims", isWritten, () -> store.trimTo(CHANNEL, 1));
        add(steps, Deed.LOSE_NEWEST, "loses the newest", isWritten, () -> store.loseNewest(CHANNEL, 1));
        add(steps, Deed.BEGIN_ANEW, "begins anew", isWritten, () -> store.beginAnew(CHANNEL));
        add(steps, Deed.INTERRUPT, "interrupts", !store.watching.isEmpty(), store::interrupt);
        add(steps, Deed.PASS_TIME, "one second passes", true, () -> time.advance(Duration.ofSeconds(1)));
    }

    private void hintSteps(List<Step> steps, ScriptedStore.Watching watching) {
        int waiting = watching.hints.size();
        if (waiting > 0) {
            steps.add(new Step("delivers " + watching.hints.get(0), watching::deliver));
        }
        add(steps, Deed.LOSE_HINT, "loses a hint", waiting > 0, () -> watching.hints.remove(0));
        add(steps, Deed.REPEAT_HINT, "repeats a hint", waiting > 0, () -> watching.hints.add(watching.hints.get(0)));
        add(steps, Deed.SWAP_HINTS, "delivers the second hint", waiting > 1, () -> watching.deliver(1));
    }

    private void add(List<Step> steps, Deed deed, String name, boolean isPossible, Runnable action) {
        int times = left.getOrDefault(deed, 0);
        if (isPossible && times > 0) {
            steps.add(new Step(name, () -> {
                left.put(deed, times - 1);
                done.add(deed);
                action.run();
            }));
        }
    }

    private void publish() {
        assertThat(node.fanfare.publish(ChannelId.of(CHANNEL), scenario.payload, PublishOptions.none()))
                .isCompletedWithValueMatching(PublishResult::isAccepted);
    }

    // ---- the end

    private void letEverythingArrive() {
        trace.add("rest");
        store.holdsReads = false;
        store.holdsWatches = false;
        store.holdsHints = false;
        settle();
    }

    private void letTheTailProbeRun() {
        for (int i = 0; i < 20 && !scenario.neverProbes; i++) {
            settle();
            time.advance(Duration.ofSeconds(5));
        }
        settle();
    }

    private void settle() {
        boolean goesOn = true;
        while (goesOn) {
            goesOn = store.answerAll();
            node.settle();
            clients.forEach(client -> client.outlet.drain());
            clients.forEach(ClientView::look);
            goesOn |= loops.stream().anyMatch(loop -> loop.waiting() > 0);
        }
    }

    private void check() {
        Set<ResetReason> justified = EnumSet.noneOf(ResetReason.class);
        if (done.contains(Deed.TRIM)) {
            justified.add(ResetReason.TRIMMED);
        }
        if (done.contains(Deed.LOSE_NEWEST)) {
            justified.add(ResetReason.DIVERGED);
        }
        if (done.contains(Deed.BEGIN_ANEW)) {
            justified.add(ResetReason.EPOCH);
        }
        for (ClientView client : clients) {
            assertThat(client.resets()).as("resets have a cause").isSubsetOf(justified);
            assertThat(client.refusals())
                    .as("nothing was refused but what the client gave up")
                    .allMatch(refusal -> refusal == dev.fanfare.Refusal.CLOSED || done.contains(Deed.FAIL_READ));
            if (client.isSubscribed()) {
                assertThat(client.isLive()).as("the subscribe was answered").isTrue();
                assertThat(client.position()).as("the client has everything").isEqualTo(store.head(CHANNEL));
            }
        }
        assertThat(node.format.unreleased()).as("frames not released").isZero();
        assertThat(node.format.misused()).as("frames misused").isZero();
    }
}
