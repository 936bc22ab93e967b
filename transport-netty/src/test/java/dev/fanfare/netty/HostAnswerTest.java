package dev.fanfare.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.netty.http.Bodies;
import dev.fanfare.netty.http.HostAnswer;
import dev.fanfare.netty.http.HttpConnection;
import dev.fanfare.netty.http.HttpLimits;
import dev.fanfare.netty.http.Origins;
import dev.fanfare.netty.http.Router;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostAnswerTest {

    private static final long PATIENCE = HostAnswer.PATIENCE.toSeconds();
    private static final long IDLE = HttpLimits.standard().idleTime().toSeconds();

    private final CompletableFuture<HttpAnswer> later = new CompletableFuture<>();
    private final Queue<Runnable> neverRun = new ArrayDeque<>();
    private final Bodies bodies = new Bodies(1 << 20);
    private final EmbeddedChannel channel = new EmbeddedChannel();

    HostAnswerTest() {
        Router router = Router.builder()
                .add("GET", "/later", new RouteEndpoint("GET", call -> later, Runnable::run))
                .add("GET", "/now", new RouteEndpoint("GET", call -> now(), Runnable::run))
                .add("GET", "/error", new RouteEndpoint("GET", HostAnswerTest::overflow, Runnable::run))
                .add("GET", "/null", new RouteEndpoint("GET", call -> null, Runnable::run))
                .add("GET", "/full", new RouteEndpoint("GET", call -> now(), HostAnswerTest::reject))
                .add("POST", "/later", new RouteEndpoint("POST", call -> later, Runnable::run))
                .add("POST", "/waiting", new RouteEndpoint("POST", call -> now(), neverRun::add))
                .add("POST", "/error", new RouteEndpoint("POST", HostAnswerTest::overflow, Runnable::run))
                .add("POST", "/null", new RouteEndpoint("POST", call -> null, Runnable::run))
                .add("POST", "/full", new RouteEndpoint("POST", call -> now(), HostAnswerTest::reject))
                .add("GET", "/site/*", files("/site", neverRun::add))
                .add("GET", "/broken/*", files(null, Runnable::run))
                .build();
        channel.freezeTime();
        channel.pipeline().addLast(new HttpConnection(router, Origins.of(List.of()), HttpLimits.standard(), bodies));
    }

    private static FilesEndpoint files(String path, Executor executor) {
        Class<?> anchor = path == null ? null : HostAnswerTest.class;
        return new FilesEndpoint(
                path == null ? "/broken/" : "/site/", new ResourceFile.Folder(anchor, "/site"), executor, reason -> {});
    }

    private static CompletableFuture<HttpAnswer> now() {
        return CompletableFuture.completedFuture(HttpAnswer.text(200, "now"));
    }

    private static CompletableFuture<HttpAnswer> overflow(HttpCall call) {
        throw new StackOverflowError("the test wants this");
    }

    private static void reject(Runnable task) {
        throw new RejectedExecutionException("the test wants this");
    }

    @AfterEach
    void end() {
        channel.finishAndReleaseAll();
    }

    private void get(String path) {
        channel.writeInbound(Unpooled.copiedBuffer("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n", UTF_8));
        channel.runPendingTasks();
    }

    private void post(String path) {
        channel.writeInbound(
                Unpooled.copiedBuffer("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", UTF_8));
        channel.runPendingTasks();
    }

    private void pass(long seconds) {
        channel.advanceTimeBy(seconds, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
    }

    private String sent() {
        StringBuilder text = new StringBuilder();
        ByteBuf out;
        while ((out = channel.readOutbound()) != null) {
            text.append(out.toString(UTF_8));
            out.release();
        }
        return text.toString();
    }

    private void assertStillUsable() {
        get("/now");
        assertThat(sent()).startsWith("HTTP/1.1 200 OK\r\n").endsWith("now");
    }

    @Test
    void stageThatNeverCompletesIsGivenUp() {
        get("/later");
        pass(PATIENCE - 1);
        assertThat(sent()).isEmpty();

        pass(1);

        assertThat(sent()).startsWith("HTTP/1.1 503 ").contains("the server took too long");
        assertStillUsable();
    }

    @Test
    void answerThatComesTooLateIsThrownAway() {
        get("/later");
        pass(PATIENCE);
        sent();

        later.complete(HttpAnswer.text(200, "late"));
        channel.runPendingTasks();

        assertThat(sent()).isEmpty();
        assertStillUsable();
    }

    @Test
    void answerInTimeStopsTheClock() {
        get("/later");
        later.complete(HttpAnswer.text(200, "in time"));
        channel.runPendingTasks();
        assertThat(sent()).endsWith("in time");

        pass(PATIENCE);

        assertThat(sent()).isEmpty();
        assertStillUsable();
    }

    @Test
    void connectionIsIdleAgainAfterAnAnswerThatWasGivenUp() {
        get("/now");
        sent();
        pass(IDLE - 1);
        get("/later");
        pass(PATIENCE);
        assertThat(sent()).startsWith("HTTP/1.1 503 ");

        pass(IDLE - 1);
        assertThat(channel.isOpen()).isTrue();
        pass(1);

        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void errorOfTheHostIsAnswered() {
        get("/error");

        assertThat(sent()).startsWith("HTTP/1.1 500 ").doesNotContain("the test wants this");
        assertStillUsable();
    }

    @Test
    void noStageAtAllIsAnswered() {
        get("/null");

        assertThat(sent()).startsWith("HTTP/1.1 500 ");
        assertStillUsable();
    }

    @Test
    void hostWithoutRoomIsAnsweredAtOnce() {
        get("/full");

        assertThat(sent()).startsWith("HTTP/1.1 503 ").contains("too many requests at once");
        pass(PATIENCE);
        assertThat(sent()).isEmpty();
    }

    @Test
    void fileThatIsNeverReadIsGivenUp() {
        get("/site/index.html");
        pass(PATIENCE);

        assertThat(sent()).startsWith("HTTP/1.1 503 ");
        neverRun.forEach(Runnable::run);
        channel.runPendingTasks();
        assertThat(sent()).isEmpty();
        assertStillUsable();
    }

    @Test
    void fileThatCannotBeReadIsAnswered() {
        get("/broken/index.html");

        assertThat(sent()).startsWith("HTTP/1.1 500 ");
        assertStillUsable();
    }

    @Test
    void bodyIsHeldUntilTheStageIsDoneAlsoIfTheClientIsGone() {
        post("/later");

        channel.close();
        assertThat(bodies.bytes()).isEqualTo(4);

        later.complete(HttpAnswer.text(200, "late"));
        assertThat(bodies.bytes()).isZero();
    }

    @Test
    void bodyIsHeldUntilTheStageIsDoneAlsoIfItWasGivenUp() {
        post("/later");

        pass(PATIENCE);
        assertThat(sent()).startsWith("HTTP/1.1 503 ");
        assertThat(bodies.bytes()).isEqualTo(4);

        later.completeExceptionally(new IllegalStateException("the test wants this"));
        assertThat(bodies.bytes()).isZero();
        channel.runPendingTasks();
        assertStillUsable();
    }

    @Test
    void bodyThatWaitsForTheHostIsHeldAlsoIfTheClientIsGone() {
        post("/waiting");

        channel.close();
        assertThat(bodies.bytes()).isEqualTo(4);

        neverRun.forEach(Runnable::run);
        assertThat(bodies.bytes()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/error", "/null", "/full"})
    void bodyIsNotHeldIfThereIsNoStage(String path) {
        post(path);

        assertThat(bodies.bytes()).isZero();
    }

    @Test
    void clientThatLeavesStopsTheClock() {
        get("/later");

        channel.close();
        pass(PATIENCE);

        assertThat(sent()).isEmpty();
    }
}
