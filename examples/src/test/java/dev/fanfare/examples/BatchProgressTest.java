package dev.fanfare.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.StartAt;
import dev.fanfare.testkit.RecordingSubscriber;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class BatchProgressTest {

    private static final ChannelId BATCH = ChannelId.of("batch:42");

    @Test
    void aHundredPagesCostOneLoadAndWhoFollowsFromTheCursorMissesNothing() {
        try (Fanfare fanfare = Fanfare.builder()
                        .namespace("batch", rules -> rules.retain(100, Duration.ofHours(1)))
                        .build();
                BatchProgress batches = new BatchProgress(fanfare)) {
            batches.advance(BATCH).toCompletableFuture().join();
            String page = "";
            for (int i = 0; i < 100; i++) {
                page = batches.page(BATCH).toCompletableFuture().join();
            }
            batches.advance(BATCH).toCompletableFuture().join();

            String cursor = page.replaceFirst(".*\"cursor\":\"(.*)\"}", "$1");
            RecordingSubscriber subscriber = new RecordingSubscriber();
            fanfare.subscribe(BATCH, StartAt.after(Cursor.parse(cursor).orElseThrow()), subscriber);
            subscriber.awaitReady();

            assertThat(page).startsWith("{\"state\":{\"done\":1}");
            assertThat(batches.counts().loaded()).isEqualTo(1);
            subscriber.assertNext("{\"done\":2}");
            await().until(() -> batches.page(BATCH).toCompletableFuture().join().startsWith("{\"state\":{\"done\":2}"));
        }
    }
}
