package dev.fanfare.netty;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.fanfare.Authorizer;
import dev.fanfare.ClientLimits;
import dev.fanfare.Fanfare;
import dev.fanfare.Rate;
import dev.fanfare.netty.http.Router;
import dev.fanfare.testkit.ManualTime;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;

/**
 * Whatever is said on a new connection, through the pipeline and the routes of a real transport: it is answered by HTTP or
 * not at all, never with a 500; nothing of it ends up among the headers of the answer, nothing fails and nothing leaks.
 */
class RequestHeadsFuzzTest {

    private static final Pattern HEAD =
            Pattern.compile("HTTP/1\\.1 (\\d{3}) [^\\r\\n]*\\r\\n((?:[A-Za-z-]+: [^\\r\\n]*\\r\\n)*)\\r\\n");

    private final BugWatch bugs = new BugWatch();
    private final Fanfare fanfare = Fanfare.builder()
            .timeSource(new ManualTime())
            .hostExecutor(Runnable::run)
            .namespace("chat", rules -> rules.retain(10, Duration.ofMinutes(5)).presence())
            .authorizer(Authorizer.allowAll())
            .limits(ClientLimits.unlimited())
            .build();
    private final Startup startup = new Startup(NettyTransport.builder(fanfare)
            .connectRate(Rate.unlimited())
            .apiKey("secret")
            .console()
            .metrics(() -> "up 1")
            .allowedOrigins("https://good.example"));
    private final OpenChannels open = new OpenChannels(ImmediateEventExecutor.INSTANCE, 100);
    private final Router router = startup.router(startup.context(open));

    @AfterEach
    void close() {
        fanfare.close();
        bugs.close();
    }

    @FuzzTest(maxDuration = "5m")
    void areAnsweredOrNot(byte[] bytes) {
        UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        channel.config().setAllocator(allocator);
        channel.pipeline().addLast(startup.pipeline(open, router));

        channel.writeInbound(allocator.buffer().writeBytes(Unpooled.wrappedBuffer(bytes)));
        channel.runPendingTasks();
        assertIsAnswer(sent(channel));
        channel.advanceTimeBy(1, TimeUnit.MINUTES);
        channel.runScheduledPendingTasks();
        channel.finishAndReleaseAll();

        channel.checkException();
        bugs.assertNone();
        assertThat(open.count()).isZero();
        assertThat(allocator.metric().usedDirectMemory()).isZero();
        assertThat(allocator.metric().usedHeapMemory()).isZero();
    }

    /** The head of the first answer is as ours are, and it is no confession of a failure. */
    private static void assertIsAnswer(String answer) {
        if (!answer.isEmpty()) {
            Matcher head = HEAD.matcher(answer);
            assertThat(head.lookingAt()).as(answer).isTrue();
            assertThat(head.group(1)).as(answer).isNotEqualTo("500");
            assertThat(head.group(2)).doesNotContain("evil");
        }
    }

    private static String sent(EmbeddedChannel channel) {
        StringBuilder text = new StringBuilder();
        for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            text.append(out.toString(ISO_8859_1));
            out.release();
        }
        return text.toString();
    }
}
