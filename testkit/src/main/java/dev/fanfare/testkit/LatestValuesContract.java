package dev.fanfare.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.spi.LatestValues;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The contract of {@link LatestValues}, case by case.
 *
 * <p><b>Threading:</b> as JUnit says; one instance per test.
 */
public abstract class LatestValuesContract extends StoreContract {

    private static final int ALL = 1_000;

    private final ChannelId channel = channel("values");

    /** Makes the suite over that fixture. */
    protected LatestValuesContract(StoreFixture fixture) {
        super(fixture);
    }

    @Test
    void clause1AValueReplacesAnOlderOneOfItsKey() {
        put("k", unlogged("a"), 10);
        put("k", unlogged("b"), 10);
        put("other", unlogged("c"), 10);

        assertThat(get("k")).isEqualTo("b");
        assertThat(all()).isEqualTo(Map.of("k", "b", "other", "c"));
    }

    @Test
    void clause1TheHigherOffsetWinsWhateverTheOrderOfTheCalls() {
        put("k", logged("e1", 5, "new"), 10);
        put("k", logged("e1", 4, "old"), 10);
        assertThat(get("k")).isEqualTo("new");

        put("k", logged("e1", 6, "newer"), 10);
        assertThat(get("k")).isEqualTo("newer");
    }

    @Test
    void clause1AnotherEpochReplacesWhateverTheOffset() {
        put("k", logged("e1", 5, "before"), 10);
        put("k", logged("e2", 1, "after"), 10);

        assertThat(get("k")).isEqualTo("after");
    }

    @Test
    void clause1OfManyPutsAtOnceTheHighestOffsetStays() {
        for (int i = 0; i < 20 * iterations(); i++) {
            String key = "k" + i;
            together(4, number -> put(key, logged("e1", number + 1L, "p" + number), 100));

            assertThat(get(key)).isEqualTo("p3");
        }
    }

    @Test
    void clause1WhatIsReturnedIsWhatWasPut() {
        Publication put = Publication.builder(Payload.of(new byte[] {0, -1, 10}))
                .position("e1", 7, -7, 9)
                .timeMillis(1_234)
                .key("k")
                .eventType("reading")
                .headers(Map.of("unit", "°C"))
                .build();
        put("k", put, 10);

        Publication found = await(otherNode().latestValues().get(channel, "k"));

        assertThat(found).isNotNull();
        if (found != null) {
            assertThat(found.cursor()).isEqualTo(put.cursor());
            assertThat(found.previousTag()).isEqualTo(9);
            assertThat(found.data()).isEqualTo(put.data());
            assertThat(found.timeMillis()).isEqualTo(1_234);
            assertThat(found.key()).isEqualTo("k");
            assertThat(found.eventType()).isEqualTo("reading");
            assertThat(found.headers()).isEqualTo(Map.of("unit", "°C"));
        }
    }

    @Test
    void clause1ARemovedValueIsGone() {
        put("k", unlogged("a"), 10);
        put("other", unlogged("b"), 10);

        await(values().remove(channel, "k"));
        await(values().remove(channel, "never-put"));

        assertThat(get("k")).isNull();
        assertThat(all()).isEqualTo(Map.of("other", "b"));
    }

    @Test
    void clause1AllReturnsAtMostSoMany() {
        for (int i = 0; i < 10; i++) {
            put("k" + i, unlogged("v" + i), 10);
        }

        assertThat(await(values().all(channel, 4))).hasSize(4);
        assertThat(await(values().all(channel, 0))).isEmpty();
        assertThat(all()).hasSize(10);
    }

    @Test
    void clause2AValueIsNotReturnedAfterItsTime() {
        put("brief", unlogged("a"), 2);
        put("long", unlogged("b"), 100);
        pass(4);

        assertThat(get("brief")).isNull();
        assertThat(all()).isEqualTo(Map.of("long", "b"));
    }

    @Test
    void clause2ANewValueBeginsANewTime() {
        put("k", unlogged("a"), 10);
        pass(7);
        put("k", unlogged("b"), 10);
        pass(7);

        assertThat(get("k")).isEqualTo("b");
        pass(5);
        assertThat(get("k")).isNull();
    }

    @Test
    void clause2AnOldValueThatIsOverDoesNotStandInTheWay() {
        put("k", logged("e1", 9, "over"), 2);
        pass(4);
        put("k", logged("e1", 3, "fresh"), 10);

        assertThat(get("k")).isEqualTo("fresh");
    }

    @Test
    void clause3KeysOfDifferentChannelsNeverMeet() {
        ChannelId other = channel("other");
        put("k", unlogged("here"), 10);
        await(values().put(other, "k", unlogged("there"), units(10)));

        assertThat(get("k")).isEqualTo("here");
        assertThat(await(values().all(other, ALL))).hasSize(1);
        await(values().remove(other, "k"));
        assertThat(get("k")).isEqualTo("here");
    }

    @Test
    void clause3WhatWasNeverPutIsAbsent() {
        assertThat(get("k")).isNull();
        assertThat(all()).isEmpty();
    }

    private LatestValues values() {
        return store().latestValues();
    }

    private void put(String key, Publication value, long units) {
        await(values().put(channel, key, value, units(units)));
    }

    private @Nullable String get(String key) {
        Publication found = await(values().get(channel, key));
        return found == null ? null : found.data().text();
    }

    private Map<String, String> all() {
        Map<String, String> texts = new HashMap<>();
        await(values().all(channel, ALL))
                .forEach((key, value) -> texts.put(key, value.data().text()));
        return texts;
    }

    private static Publication unlogged(String text) {
        return Publication.builder(Payload.of(text)).timeMillis(1).build();
    }

    private static Publication logged(String epoch, long offset, String text) {
        return Publication.builder(Payload.of(text))
                .position(epoch, offset, offset + 100, offset + 99)
                .timeMillis(1)
                .build();
    }
}
