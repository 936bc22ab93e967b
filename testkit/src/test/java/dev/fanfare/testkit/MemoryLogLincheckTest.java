package dev.fanfare.testkit;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;

/** Every outcome of concurrent appends, repeats, reads and clears is one that some order of them explains. */
@Param(name = "key", gen = IntGen.class, conf = "1:2")
@Param(name = "body", gen = IntGen.class, conf = "1:2")
@Param(name = "after", gen = IntGen.class, conf = "0:3")
public class MemoryLogLincheckTest {

    private static final ChannelId ROOM = ChannelId.of("room");
    private static final AtomicLong TAGS = new AtomicLong();
    private static final int RETAINED = 3;
    private static final ChannelRules RULES =
            ChannelRules.builder().retain(RETAINED, Duration.ofHours(1)).build();

    private final ChannelLog log = MemoryStore.create(new ManualTime()).log();

    @Operation
    public String append(@Param(name = "body") int body) {
        return told(StoreContract.await(log.append(request(body, PublishOptions.none()))));
    }

    @Operation
    public String appendKeyed(@Param(name = "key") int key, @Param(name = "body") int body) {
        return told(StoreContract.await(log.append(request(body, PublishOptions.dedupKey("k" + key)))));
    }

    @Operation
    public String read(@Param(name = "after") int after) {
        LogPage page = StoreContract.await(log.read(LogRead.after(ROOM, after, 10)));
        StringBuilder read = new StringBuilder();
        Cursor last = null;
        for (Publication publication : page.publications()) {
            if (last != null && !publication.follows(last)) {
                read.append("broken chain ");
            }
            last = publication.cursor();
            read.append(publication.offset())
                    .append('=')
                    .append(publication.data().text())
                    .append(' ');
        }
        return read.append("top ").append(page.head().offset()).toString();
    }

    @Operation
    public void clear() {
        StoreContract.await(log.clear(ROOM));
    }

    @Test
    void appendsRepeatsReadsAndClearsAreLinearizable() {
        new StressOptions()
                .iterations(8 * StoreContract.iterations())
                .invocationsPerIteration(200)
                .threads(3)
                .actorsPerThread(3)
                .actorsBefore(2)
                .actorsAfter(2)
                .sequentialSpecification(Sequential.class)
                .check(MemoryLogLincheckTest.class);
    }

    private static AppendRequest request(int body, PublishOptions options) {
        return new AppendRequest(ROOM, Payload.of("b" + body), options, null, RULES, TAGS.incrementAndGet());
    }

    private static String told(AppendResult result) {
        if (result instanceof AppendResult.Appended appended) {
            return "appended " + appended.publication().offset();
        }
        if (result instanceof AppendResult.Repeated repeated && repeated.first() != null) {
            return "repeats " + repeated.first().offset();
        }
        return result.toString();
    }

    /** What the log does, one call after the other. */
    public static class Sequential {
        private final Map<Integer, long[]> keys = new HashMap<>();
        private final List<String> retained = new ArrayList<>();
        private long top;

        public String append(int body) {
            top++;
            retained.add(top + "=b" + body + ' ');
            if (retained.size() > RETAINED) {
                retained.remove(0);
            }
            return "appended " + top;
        }

        public String appendKeyed(int key, int body) {
            long[] first = keys.get(key);
            if (first != null) {
                return first[1] == body ? "repeats " + first[0] : AppendResult.Conflict.OTHER_BODY.toString();
            }
            String told = append(body);
            keys.put(key, new long[] {top, body});
            return told;
        }

        public String read(int after) {
            StringBuilder read = new StringBuilder();
            for (int i = 0; i < retained.size(); i++) {
                if (top - retained.size() + 1 + i > after) {
                    read.append(retained.get(i));
                }
            }
            return read.append("top ").append(top).toString();
        }

        public void clear() {
            retained.clear();
        }
    }
}
