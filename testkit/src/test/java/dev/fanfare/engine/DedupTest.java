package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.PublishResult.Duplicate;
import dev.fanfare.PublishResult.Refused;
import dev.fanfare.PublishResult.Sent;
import dev.fanfare.PublishResult.Stored;
import dev.fanfare.Refusal;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.testkit.ManualTime;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Dedup keys, from the publisher's side. */
class DedupTest {

    private static final PublishOptions KEY = PublishOptions.dedupKey("k");

    private final ManualTime time = new ManualTime();
    private final ManualNode node = ManualNode.open(
            MemoryStore.create(time),
            time,
            builder -> builder.namespace(
                            "log", rules -> rules.retain(2, Duration.ofHours(1)).dedupWindow(Duration.ofMinutes(1)))
                    .namespace("", rules -> rules));

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void theFirstPositionIsToldEvenIfItWasTrimmed() {
        PublishResult first = node.publish("log:a", "1", KEY);
        node.publishMany("log:a", 2, 9);

        PublishResult again = node.publish("log:a", "1", KEY);

        assertThat(again).isEqualTo(new Duplicate(first.position().orElseThrow()));
    }

    @Test
    void aChannelThatRetainsNothingHonoursKeysToo() {
        PublishResult first = node.publish("plain", "1", KEY);
        PublishResult again = node.publish("plain", "1", KEY);

        assertThat(first).isEqualTo(new Sent());
        assertThat(again).isEqualTo(new Duplicate(null));
    }

    @Test
    void theSameKeyWithAnotherBodyIsAConflict() {
        node.publish("log:a", "1", KEY);

        PublishResult other = node.publish("log:a", "2", KEY);

        assertThat(other).isEqualTo(new Refused(Refusal.DEDUP_CONFLICT));
    }

    @Test
    void aKeyBelongsToItsChannel() {
        node.publish("log:a", "1", KEY);

        PublishResult elsewhere = node.publish("log:b", "2", KEY);

        assertThat(elsewhere).isInstanceOf(Stored.class);
    }

    @Test
    void aKeyIsForgottenAfterItsWindow() {
        node.publish("log:a", "1", KEY);
        node.pass(Duration.ofMinutes(1));

        PublishResult later = node.publish("log:a", "1", KEY);

        assertThat(later.position())
                .hasValueSatisfying(position -> assertThat(position.offset()).isEqualTo(2));
    }
}
