package dev.fanfare.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.StoreException;
import dev.fanfare.spi.AppendRequest;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A real MariaDB keeps what stores promise. */
class MariaStoreTest extends StoreCases {

    @BeforeAll
    static void requireServer() {
        Databases.requireMaria();
    }

    MariaStoreTest() {
        super(Databases.maria());
    }

    /** The connection breaks over it, as over a fault that passes. */
    @Test
    void whatIsTooLargeForTheDatabaseIsRefusedForGood() {
        try (JdbcStore store = JdbcStore.of(Databases.maria()).migrate()) {
            Payload tooLarge = Payload.wrap(new byte[(16 << 20) + 1]);
            ChannelRules rules =
                    ChannelRules.builder().retain(10, Duration.ofHours(1)).build();

            var failure = store.log()
                    .append(new AppendRequest(ChannelId.of("large"), tooLarge, PublishOptions.none(), null, rules, 1))
                    .handle((done, broken) -> broken)
                    .toCompletableFuture()
                    .join();

            assertThat(failure)
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            refusal -> assertThat(refusal.isRetryable())
                                    .as(refusal.toString())
                                    .isFalse());
        }
    }
}
