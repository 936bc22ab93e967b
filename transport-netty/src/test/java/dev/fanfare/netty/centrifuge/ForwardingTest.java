package dev.fanfare.netty.centrifuge;

import static dev.fanfare.netty.centrifuge.Forwarding.Verdict.FINE;
import static dev.fanfare.netty.centrifuge.Forwarding.Verdict.TOO_MANY;
import static dev.fanfare.netty.centrifuge.Forwarding.Verdict.TOO_OFTEN;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authenticator;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.netty.connection.TransportSettings;
import dev.fanfare.netty.http.Bodies;
import dev.fanfare.netty.http.HttpConnection;
import dev.fanfare.netty.http.HttpLimits;
import dev.fanfare.netty.http.Origins;
import dev.fanfare.netty.http.Router;
import dev.fanfare.spi.Mailboxes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ForwardingTest {

    private final Forwarding forwarding = new Forwarding();

    @Test
    void aSessionThatPostsTooOftenWaitsAndOthersDoNot() {
        forwarding.keep("one");
        for (int i = 0; i < Forwarding.OF_SESSION.burst(); i++) {
            assertThat(forwarding.judge("one", 0)).isEqualTo(FINE);
        }

        assertThat(forwarding.judge("one", 0)).isEqualTo(TOO_OFTEN);
        assertThat(forwarding.judge("other", 0)).isEqualTo(FINE);
        assertThat(forwarding.judge("one", Duration.ofSeconds(1).toNanos())).isEqualTo(FINE);
    }

    @Test
    void sessionsThatAreMadeUpAreLimitedTogetherAndKnownOnesGoOn() {
        forwarding.keep("known");
        for (int i = 0; i < Forwarding.OF_NEW.burst(); i++) {
            assertThat(forwarding.judge("session-" + i, 0)).isEqualTo(FINE);
        }

        assertThat(forwarding.judge("new", 0)).isEqualTo(TOO_MANY);
        assertThat(forwarding.judge("session-0", 0)).isEqualTo(TOO_MANY);
        assertThat(forwarding.judge("known", 0)).isEqualTo(FINE);
        assertThat(forwarding.count()).isEqualTo(1);
    }

    @Test
    void onlySoManySessionsAreKept() {
        for (int i = 0; i <= Forwarding.MAX_SESSIONS; i++) {
            forwarding.keep("session-" + i);
        }

        assertThat(forwarding.count()).isEqualTo(Forwarding.MAX_SESSIONS);
    }

    /** Answers what it is told to. */
    private static final class Answering implements Mailboxes {

        private final Delivery delivery;

        Answering(Delivery delivery) {
            this.delivery = delivery;
        }

        @Override
        public Mailbox open(String address, Predicate<byte[]> receiver) {
            throw new UnsupportedOperationException("nobody opens one here");
        }

        @Override
        public CompletionStage<Delivery> post(String node, String address, byte[] bytes) {
            return CompletableFuture.completedFuture(delivery);
        }
    }

    private static EmbeddedChannel channel(Mailboxes.Delivery delivery) {
        ScriptedGateway gateway = new ScriptedGateway();
        gateway.mailboxes = new Answering(delivery);
        TransportContext context =
                new TransportContext(gateway, Authenticator.anonymous(), TransportSettings.defaults());
        Router router = Router.builder()
                .add("POST", "/emulation", new EmulationEndpoint(context))
                .build();
        return new EmbeddedChannel(
                new HttpConnection(router, Origins.of(List.of()), HttpLimits.standard(), new Bodies(1 << 20)));
    }

    private static String post(EmbeddedChannel channel, String node, String session) {
        String body = "{\"node\":\"" + node + "\",\"session\":\"" + session + "\",\"data\":\"{}\"}";
        String request = "POST /emulation HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
        channel.writeInbound(Unpooled.copiedBuffer(request, UTF_8));
        ByteBuf answer = channel.readOutbound();
        String status = answer.toString(9, 3, UTF_8);
        answer.release();
        return status;
    }

    @Test
    void postsToAnotherNodeAreLimitedForEachSessionAndThoseToThisNodeAreNot() {
        EmbeddedChannel channel = channel(Mailboxes.Delivery.DELIVERED);
        assertThat(post(channel, "elsewhere", "one")).isEqualTo("204");
        for (int i = 0; i < Forwarding.OF_SESSION.burst(); i++) {
            assertThat(post(channel, "elsewhere", "one")).isEqualTo("204");
        }

        assertThat(post(channel, "elsewhere", "one")).isEqualTo("429");
        assertThat(post(channel, "elsewhere", "other")).isEqualTo("204");
        assertThat(post(channel, "node", "one")).isEqualTo("204");
        channel.finishAndReleaseAll();
    }

    /** A flood of made-up ones would push those out that there are. */
    @ParameterizedTest
    @CsvSource({"NO_MAILBOX, 204", "NO_NODE, 404", "TOO_LARGE, 413"})
    void postsForSessionsThatWereNotFoundAreLimitedTogetherAndNotKept(Mailboxes.Delivery delivery, String status) {
        EmbeddedChannel channel = channel(delivery);
        for (int i = 0; i < Forwarding.OF_NEW.burst(); i++) {
            assertThat(post(channel, "elsewhere", "same")).isEqualTo(status);
        }

        assertThat(post(channel, "elsewhere", "same")).isEqualTo("503");
        channel.finishAndReleaseAll();
    }

    @Test
    void aSessionThatCouldNotTakeMoreIsThere() {
        EmbeddedChannel channel = channel(Mailboxes.Delivery.REFUSED);
        for (int i = 0; i <= Forwarding.OF_NEW.burst(); i++) {
            assertThat(post(channel, "elsewhere", "slow")).isEqualTo("429");
        }
        channel.finishAndReleaseAll();
    }
}
