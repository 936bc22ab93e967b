package dev.fanfare.netty.centrifuge;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.spi.Connection.RpcResult;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PulseTest {

    private static final Duration INTERVAL = Duration.ofSeconds(25);
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final EmbeddedClient client = EmbeddedClient.connected();

    @AfterEach
    void close() {
        client.close();
    }

    @Test
    void pingsFirstInTheSecondHalfOfTheInterval() {
        Duration passed = firstPing();

        assertThat(passed).isBetween(INTERVAL.dividedBy(2), INTERVAL);
    }

    @Test
    void pingsAtEveryIntervalAsLongAsItIsAnswered() {
        firstPing();
        for (int i = 0; i < 5; i++) {
            client.send("{}");
            client.pass(INTERVAL.minus(SECOND));
            assertThat(client.texts()).isEmpty();
            client.pass(SECOND);
            assertThat(client.texts()).containsExactly("{}");
        }
    }

    /** SDKs but that for JavaScript wait for pings, whatever else comes. */
    @Test
    void pingsAsOftenWhileMuchElseIsSent() {
        firstPing();
        for (int i = 0; i < 3; i++) {
            client.send("{}");
            assertThat(pingsAmidTraffic(INTERVAL.minus(SECOND))).isZero();
            assertThat(pingsAmidTraffic(SECOND)).isOne();
        }
    }

    /** Lets time pass in which something is said by both sides every second, and counts the pings. */
    private int pingsAmidTraffic(Duration duration) {
        int pings = 0;
        for (long second = 0; second < duration.toSeconds(); second++) {
            client.send("{\"send\":{\"data\":1}}");
            client.connection().push("c", Publication.builder(Payload.of("1")).build());
            client.pass(SECOND);
            List<String> texts = client.texts();
            assertThat(texts).anyMatch(text -> text.contains("\"pub\""));
            pings += Collections.frequency(texts, "{}");
        }
        return pings;
    }

    @Test
    void closesAClientThatDoesNotAnswer() {
        firstPing();
        client.pass(Duration.ofMillis(7_900));
        assertThat(client.frames()).isEmpty();

        client.pass(Duration.ofSeconds(2));

        client.assertClosed(3012);
        assertThat(client.connection().ends).containsExactly(DisconnectReason.NO_PONG);
    }

    @Test
    void takesNoOtherCommandForAPong() {
        firstPing();
        client.send("{\"send\":{\"data\":1}}");

        client.pass(Duration.ofSeconds(10));

        client.assertClosed(3012);
    }

    @Test
    void refusesAPongForWhichThereWasNoPing() {
        client.send("{}");

        client.assertClosed(3501);
    }

    @Test
    void refusesASecondPongForOnePing() {
        firstPing();
        client.send("{}");
        assertThat(client.frames()).isEmpty();

        client.send("{}");

        client.assertClosed(3501);
    }

    @Test
    void countsTheTimeForAPongFromWhenThePingLeft() {
        holdFlushes();
        client.pass(INTERVAL.plus(Duration.ofSeconds(10)));
        assertThat(client.frames()).isEmpty();
        assertThat(client.channel.isOpen()).isTrue();

        letFlushesGo();
        assertThat(client.texts()).containsExactly("{}");
        client.pass(Duration.ofMillis(7_900));
        assertThat(client.frames()).isEmpty();

        client.pass(Duration.ofSeconds(2));
        client.assertClosed(3012);
    }

    @Test
    void closesAClientThatReadsNothing() {
        holdFlushes();

        client.pass(INTERVAL.multipliedBy(2).plusSeconds(2));

        assertThat(client.connection().ends).containsExactly(DisconnectReason.SLOW);
        client.pass(Duration.ofSeconds(7));
        assertThat(client.channel.isOpen()).isFalse();
    }

    @Test
    void expectsNoPongWhileItReadsNothingItself() {
        firstPing();
        sendMoreThanMayWait();

        client.pass(INTERVAL.multipliedBy(4));
        assertThat(client.frames()).isEmpty();

        answerAll();
        client.send("{}");
        client.pass(INTERVAL.minus(SECOND));
        assertThat(client.connection().ends).isEmpty();
    }

    @Test
    void expectsAPongWhenItReadsAgain() {
        sendMoreThanMayWait();
        firstPing();
        client.pass(INTERVAL.multipliedBy(4));

        answerAll();
        client.frames();
        client.pass(Duration.ofMillis(7_900));
        assertThat(client.frames()).isEmpty();

        client.pass(Duration.ofSeconds(2));
        client.assertClosed(3012);
    }

    private void sendMoreThanMayWait() {
        for (int i = 0; i <= 64 + 256; i++) {
            client.send("{\"id\":" + (i + 2) + ",\"rpc\":{\"method\":\"m\"}}");
        }
        assertThat(client.channel.config().isAutoRead()).isFalse();
    }

    private void answerAll() {
        while (!client.connection().waiting.isEmpty()) {
            client.connection().answer(new RpcResult.Refused(Refusal.UNAVAILABLE));
        }
        assertThat(client.channel.config().isAutoRead()).isTrue();
    }

    private void holdFlushes() {
        client.channel.pipeline().addFirst("hold", new ChannelOutboundHandlerAdapter() {
            @Override
            public void flush(ChannelHandlerContext ctx) {}
        });
    }

    private void letFlushesGo() {
        client.channel.pipeline().remove("hold");
        client.channel.flush();
    }

    @Test
    void pingsNobodyAfterTheEnd() {
        client.connection().outlet.disconnect(DisconnectReason.FORCE_DISCONNECT);
        client.assertClosed(3503);

        client.pass(INTERVAL.multipliedBy(3));

        assertThat(client.frames()).isEmpty();
        assertThat(client.channel.isOpen()).isFalse();
    }

    @Test
    void aFrameThatTricklesIsNoSignOfLife() {
        firstPing();
        ByteBuf frame = EmbeddedClient.frame(0x81, new byte[100]);
        for (int i = 0; i < 12; i++) {
            client.write(frame.readRetainedSlice(1));
            client.pass(SECOND);
        }
        frame.release();

        client.assertClosed(3012);
    }

    @Test
    void aMessageInPiecesIsNoSignOfLifeEither() {
        firstPing();
        client.write(EmbeddedClient.frame(0x01, new byte[] {'{'}));
        for (int i = 0; i < 12; i++) {
            client.write(EmbeddedClient.frame(0x00, new byte[] {' '}));
            client.pass(SECOND);
        }

        client.assertClosed(3012);
    }

    @CanIgnoreReturnValue
    private Duration firstPing() {
        for (int passed = 100; passed < 30_000; passed += 100) {
            client.pass(Duration.ofMillis(100));
            if (client.texts().contains("{}")) {
                return Duration.ofMillis(passed);
            }
        }
        throw new AssertionError("no ping");
    }
}
