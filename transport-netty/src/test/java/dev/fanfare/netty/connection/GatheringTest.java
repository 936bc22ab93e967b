package dev.fanfare.netty.connection;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.ChannelId;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.faults.CausesFault;
import dev.fanfare.spi.FrameEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What leaves at once, and what waits a little for more that goes the same way. */
class GatheringTest {

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final List<String> sent = new ArrayList<>();
    private final EmbeddedChannel broken = new Breaking();
    private Turn turn;
    private Outgoing outlet;
    private boolean isBroken;

    @BeforeEach
    void open() {
        channel.freezeTime();
        Wire.Finder wires = to -> bytes -> {
            if (to == broken && isBroken) {
                throw new IllegalStateException("broken on purpose");
            }
            sent.add(bytes.toString(US_ASCII));
            return bytes.readableBytes();
        };
        Heartbeats heartbeats = new Heartbeats(channel.eventLoop(), Duration.ofSeconds(1));
        Unsent unsent = new Unsent(heartbeats, UnsentLimits.defaults(1), new AtomicLong());
        turn = new Turn(channel.eventLoop(), wires, unsent);
        outlet = new Outgoing(channel, turn);
    }

    @AfterEach
    void close() {
        channel.close();
    }

    @Test
    void aLonePublicationLeavesAtOnce() {
        write("a");
        later(5);
        write("b");

        assertThat(sent).containsExactly("a", "b");
    }

    @Test
    void whatComesSoonAfterItLeavesTogether() {
        write("a");
        write("b");
        write("c");

        assertThat(sent).containsExactly("a");
        later(1);
        assertThat(sent).containsExactly("a", "bc");
    }

    @Test
    void aSteadyStreamLeavesOnceAMillisecond() {
        for (int i = 0; i < 8; i++) {
            write(Integer.toString(i));
            channel.advanceTimeBy(250, TimeUnit.MICROSECONDS);
            channel.runScheduledPendingTasks();
        }

        assertThat(sent).containsExactly("0", "123", "4567");
    }

    @Test
    void whatIsWrittenOtherwiseComesAfterWhatWaits() {
        write("a");
        write("b");
        outlet.writeOwn(Unpooled.copiedBuffer("reply", US_ASCII));
        outlet.flush();

        assertThat(sent).containsExactly("a");
        assertThat(written()).isEqualTo("breply");
        later(1);
        assertThat(sent).containsExactly("a");
    }

    @Test
    @CausesFault("An outlet could not send")
    void oneThatCannotEvenBeCutKeepsNobodyElseWaiting() {
        Outgoing other = new Outgoing(broken, turn);
        write(other, "x");
        write("a");
        write(other, "y");
        write("b");

        isBroken = true;
        later(1);
        write("c");
        later(1);

        assertThat(sent).containsExactly("x", "a", "b", "c");
    }

    private String written() {
        StringBuilder all = new StringBuilder();
        for (ByteBuf each = channel.readOutbound(); each != null; each = channel.readOutbound()) {
            all.append(each.toString(US_ASCII));
            each.release();
        }
        return all.toString();
    }

    private void write(String text) {
        write(outlet, text);
    }

    private void write(Outgoing outlet, String text) {
        BufferFrame frame = new BufferFrame(ByteBufUtil.writeAscii(channel.alloc(), text));
        outlet.writeShared(frame);
        frame.release();
        outlet.flush();
    }

    private void later(int millis) {
        channel.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
    }

    /** When it is broken it can be neither written to nor closed. */
    private final class Breaking extends EmbeddedChannel {
        @Override
        public EventLoop eventLoop() {
            if (isBroken) {
                throw new IllegalStateException("broken on purpose");
            }
            return super.eventLoop();
        }
    }

    private static final class Outgoing extends ChannelOutlet {
        Outgoing(Channel channel, Turn turn) {
            super(channel, turn);
        }

        @Override
        public FrameEncoder encoder() {
            throw new AssertionError("not asked");
        }

        @Override
        public boolean reset(ChannelId id, Resume.Reset reset) {
            return true;
        }

        @Override
        public void skipped(ChannelId id, long publications, long presence) {}

        @Override
        public void ended(ChannelId id, UnsubscribeReason reason) {}

        @Override
        protected void close(DisconnectReason reason) {
            channel().close();
        }
    }
}
