package dev.fanfare.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ClientLimits;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.Publication;
import dev.fanfare.RefusedException;
import dev.fanfare.Resume;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import dev.fanfare.spi.Outlet;
import java.time.Instant;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EngineTest {

    private final Engine engine = (Engine) Fanfare.builder()
            .authorizer(Authorizer.allowAll())
            .limits(ClientLimits.standard().withConnectionsPerUser(1))
            .build();

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void aConnectionThatIsRefusedDoesNotKeepItsLoopInMind() {
        Connection first = open("1", Runnable::run);
        Executor loop = task -> task.run();

        assertThatThrownBy(() -> open("2", loop)).isInstanceOf(RefusedException.class);

        LoopQueue queue = engine.hub.queue(loop);
        engine.hub.release(queue);
        assertThat(engine.hub.queue(loop)).isNotSameAs(queue);
        first.closed(DisconnectReason.BY_CLIENT);
    }

    private Connection open(String id, Executor loop) {
        return engine.gateway().open(new ConnectionInfo(id, "ann", "test", Instant.EPOCH, null), new Nowhere(loop));
    }

    /** The way to a client that is never written to. */
    private record Nowhere(Executor loop) implements Outlet {
        @Override
        public FrameEncoder encoder() {
            throw new AssertionError("nothing is written here");
        }

        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void write(ChannelId channel, Frame frame, Publication publication) {}

        @Override
        public void writePresence(ChannelId channel, Frame frame) {}

        @Override
        public void flush() {}

        @Override
        public boolean reset(ChannelId channel, Resume.Reset reset) {
            return false;
        }

        @Override
        public void skipped(ChannelId channel, long publications, long presence) {}

        @Override
        public void ended(ChannelId channel, UnsubscribeReason reason) {}

        @Override
        public void disconnect(DisconnectReason reason) {}
    }
}
