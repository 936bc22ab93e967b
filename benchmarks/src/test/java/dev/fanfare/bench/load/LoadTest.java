package dev.fanfare.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Authorizer;
import dev.fanfare.Fanfare;
import dev.fanfare.netty.NettyTransport;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

/** The harness, against a real server in the same process. */
class LoadTest {

    private final Fanfare fanfare = Fanfare.builder()
            .namespace("bench", rules -> rules.retain(10_000, Duration.ofMinutes(5)))
            .namespace("small", rules -> rules.maxMessageBytes(64))
            .authorizer(Authorizer.allowAll())
            .build();
    private final NettyTransport transport = NettyTransport.builder(fanfare)
            .host("127.0.0.1")
            .port(0)
            .eventLoopThreads(1)
            .openApi()
            .start();
    private final StringWriter out = new StringWriter();

    @TempDir
    private Path folder;

    @AfterEach
    void close() {
        fanfare.close();
        transport.close();
    }

    @ParameterizedTest
    @EnumSource
    void everyReaderGetsEverythingAndAPictureIsDrawn(Transport kind) {
        Path picture = folder.resolve("latency.svg");

        int exit =
                run("--transport", kind.name(), "--channels", "3", "--stalled", "1", "--picture", picture.toString());

        assertThat(out.toString())
                .contains(
                        "delivered 1,334 of 1,334; readers without everything 0; repeated 0; out of order 0; refused 0");
        assertThat(exit).isZero();
        assertThat(picture).content().contains("<svg").contains("p99");
    }

    @Test
    void whatTheServerDoesNotTakeIsAFault() {
        int exit = run("--namespace", "small");

        assertThat(exit).isEqualTo(1);
        assertThat(out.toString()).contains("fault: ").contains("refused 200");
    }

    private int run(String... more) {
        CommandLine line = new CommandLine(new Load()).setOut(new PrintWriter(out));
        String[] fixed = {
            "--port",
            Integer.toString(transport.port()),
            "--connections",
            "20",
            "--rate",
            "200",
            "--time",
            "1",
            "--warm-up",
            "0"
        };
        String[] all = new String[fixed.length + more.length];
        System.arraycopy(fixed, 0, all, 0, fixed.length);
        System.arraycopy(more, 0, all, fixed.length, more.length);
        return line.execute(all);
    }
}
