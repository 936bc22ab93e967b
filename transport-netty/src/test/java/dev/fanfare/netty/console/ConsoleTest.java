package dev.fanfare.netty.console;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authorizer;
import dev.fanfare.Fanfare;
import dev.fanfare.StartAt;
import dev.fanfare.netty.api.ApiKey;
import dev.fanfare.netty.http.Bodies;
import dev.fanfare.netty.http.HostAnswer;
import dev.fanfare.netty.http.HttpConnection;
import dev.fanfare.netty.http.HttpLimits;
import dev.fanfare.netty.http.Origins;
import dev.fanfare.netty.http.Router;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.RecordingFormat;
import dev.fanfare.testkit.RecordingOutlet;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the console asks is answered, whoever is late. */
class ConsoleTest {

    private final ManualLoop host = new ManualLoop();
    private final ManualLoop loop = new ManualLoop();
    private final Fanfare fanfare = Fanfare.builder()
            .authorizer(Authorizer.allowAll())
            .hostExecutor(host)
            .build();
    private final RecordingOutlet client = RecordingOutlet.connect(fanfare, loop, new RecordingFormat(), "ada");
    private final EmbeddedChannel channel = new EmbeddedChannel();

    ConsoleTest() {
        Router.Builder router = Router.builder();
        new Console(fanfare, ApiKey.of("key")).addTo(router);
        channel.freezeTime();
        channel.pipeline()
                .addLast(new HttpConnection(
                        router.build(), Origins.of(List.of()), HttpLimits.standard(), new Bodies(1 << 20)));
    }

    @AfterEach
    void end() {
        channel.finishAndReleaseAll();
        client.vanish();
        fanfare.close();
    }

    private void get(String path) {
        channel.writeInbound(Unpooled.copiedBuffer(
                "GET /api/console/" + path + " HTTP/1.1\r\nHost: x\r\nX-API-Key: key\r\n\r\n", UTF_8));
    }

    private String subscriptions() {
        return "subscriptions?client=" + client.connection().info().id();
    }

    private void assertGivenUp() {
        assertThat(channel.<Object>readOutbound()).isNull();
        channel.advanceTimeBy(HostAnswer.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(sent()).startsWith("HTTP/1.1 503 ").contains("the server took too long");
    }

    private String sent() {
        channel.runPendingTasks();
        ByteBuf out = channel.readOutbound();
        String text = out.toString(UTF_8);
        out.release();
        return text;
    }

    @ParameterizedTest
    @ValueSource(strings = {"channels", "connections", "subscriptions"})
    void whatTheHostsThreadsHaveNoTimeForIsGivenUp(String path) {
        get(path);

        assertGivenUp();
    }

    @Test
    void subscriptionsOfAConnectionWhoseLoopHangsAreGivenUp() {
        get(subscriptions());
        int ran = host.runAll();
        assertThat(ran).isPositive();

        assertGivenUp();
    }

    @Test
    void subscriptionsAreTold() {
        client.subscribe("a", StartAt.live());
        get(subscriptions());
        int ran = host.runAll();
        assertThat(ran).isPositive();

        int told = loop.runAll();
        assertThat(told).isPositive();

        assertThat(sent()).startsWith("HTTP/1.1 200 OK").contains("{\"result\":{\"channels\":[");
    }
}
