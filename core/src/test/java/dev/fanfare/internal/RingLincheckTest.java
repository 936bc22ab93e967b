package dev.fanfare.internal;

import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/**
 * Readers of a ring that grows and overwrites its slots: what they find is what was added there, whole and
 * linked, or nothing. Every operation tells whether that was so; alone, it always is.
 */
@Param(name = "offset", gen = IntGen.class, conf = "1:12")
public class RingLincheckTest {

    static {
        System.setProperty("lincheck.logLevel", "ERROR");
    }

    private final Ring ring = new Ring(0);
    private long top;

    public RingLincheckTest() {
        // One short of growing, so that the first one added moves everything.
        for (int i = 0; i < 8; i++) {
            addNext();
        }
    }

    private void addNext() {
        top++;
        ring.add(publication(top));
    }

    @Operation(nonParallelGroup = "stripe")
    public boolean add() {
        addNext();
        return ring.top() == top && isRight(ring.at(top), top);
    }

    @Operation(nonParallelGroup = "stripe")
    public boolean addLarge() {
        top++;
        ring.add(large(top));
        return ring.top() == top && ring.at(top) != null;
    }

    @Operation
    public boolean at(@Param(name = "offset") int offset) {
        Publication found = ring.at(offset);
        return found == null || isRight(found, offset);
    }

    @Operation
    public boolean after(@Param(name = "offset") int offset) {
        List<Publication> found = ring.after(Cursor.of("e", offset), 100);
        if (found == null) {
            return true;
        }
        boolean isRight = !found.isEmpty();
        for (int i = 0; i < found.size(); i++) {
            isRight &= isRight(found.get(i), offset + 1 + i);
        }
        return isRight;
    }

    private static boolean isRight(Publication found, long offset) {
        return found != null && found.offset() == offset && found.tag() == offset && found.previousTag() == offset - 1;
    }

    private static Publication publication(long offset) {
        return Publication.builder(Payload.EMPTY)
                .position("e", offset, offset, offset - 1)
                .build();
    }

    private static Publication large(long offset) {
        return Publication.builder(LARGE)
                .position("e", offset, offset, offset - 1)
                .build();
    }

    private static final Payload LARGE = Payload.wrap(new byte[Ring.MOST_BYTES / 2 + 1]);

    @Test
    void holdsInEveryScheduleOfAFewThreads() {
        new ModelCheckingOptions()
                .iterations(10)
                .invocationsPerIteration(200)
                .threads(3)
                .actorsPerThread(2)
                .actorsBefore(2)
                .actorsAfter(0)
                .check(RingLincheckTest.class);
    }
}
