package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ClientLimits;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Rate;
import dev.fanfare.netty.NettyTransport;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/**
 * Good input that was spoiled at random, over real sockets, from the seeds in {@code src/test/resources/seeds}. Whatever
 * comes: no exception is logged or shown, and the server goes on. More with {@code -Dfanfare.fuzz.iterations=1000000};
 * {@code -Dfanfare.fuzz.seed} repeats a run.
 */
class MutatedInputTest {

    private static final int ITERATIONS = Integer.getInteger("fanfare.fuzz.iterations", 400);
    private static final long SEED = Long.getLong("fanfare.fuzz.seed", 20_261_120);

    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private final Logger root = (Logger) LoggerFactory.getLogger("dev.fanfare");
    private final Fanfare fanfare = Fanfare.builder()
            .namespace("chat", rules -> rules.retain(10, Duration.ofMinutes(5)).presence())
            .authorizer(Authorizer.allowAll())
            .limits(ClientLimits.unlimited())
            .build();
    private final NettyTransport transport = NettyTransport.builder(fanfare)
            .host("localhost")
            .port(0)
            .connectRate(Rate.unlimited())
            .openApi()
            .start();

    @BeforeEach
    void listen() {
        logged.start();
        root.addAppender(logged);
        fanfare.publish("chat:a", "1").toCompletableFuture().join();
    }

    @AfterEach
    void close() {
        root.detachAppender(logged);
        fanfare.close();
        transport.close();
    }

    static Stream<String> seeds() {
        return Stream.of(
                "api-publish.txt",
                "api-broadcast.txt",
                "api-history.txt",
                "history-query.txt",
                "sse-cursor.txt",
                "sse-last-event-id.txt",
                "websocket-json.txt",
                "websocket-protobuf.txt",
                "http-stream.txt",
                "emulation.txt",
                "chunked.txt");
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void nothingBreaksWhateverComes(String name) throws IOException {
        byte[] seed = seed(name);
        Random random = new Random(SEED);
        for (int i = 0; i < ITERATIONS; i++) {
            byte[] mutant = i == 0 ? seed : Mutation.of(seed, random);
            String answer = send(mutant);
            assertThat(answer)
                    .as("the answer to mutant %d of %s", i, name)
                    .doesNotContain("Exception")
                    .doesNotContain("\tat ");
        }

        assertThat(logged.list.stream()
                        .filter(event ->
                                event.getLevel().isGreaterOrEqual(Level.ERROR) || event.getThrowableProxy() != null)
                        .map(ILoggingEvent::getFormattedMessage))
                .isEmpty();
        assertThat(send("GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".getBytes(UTF_8)))
                .startsWith("HTTP/1.1 200");
    }

    /** Reads a seed; in it {@code CURSOR} stands for a good cursor, and {@code \xNN} for an octet. */
    private byte[] seed(String name) throws IOException {
        try (InputStream in = MutatedInputTest.class.getResourceAsStream("/seeds/" + name)) {
            String text = new String(in.readAllBytes(), UTF_8).replace("\r", "").replace("\n", "\r\n");
            int body = text.indexOf("\r\n\r\n") + 4;
            String frames = text.substring(body).replace("\r\n", "");
            StringBuilder bytes = new StringBuilder();
            for (int i = 0; i < frames.length(); i++) {
                if (frames.startsWith("\\x", i)) {
                    bytes.append((char) Integer.parseInt(frames.substring(i + 2, i + 4), 16));
                    i += 3;
                } else {
                    bytes.append(frames.charAt(i));
                }
            }
            String whole = text.substring(0, body).replace("LENGTH", String.valueOf(bytes.length())) + bytes;
            return whole.replace("CURSOR", cursor().toString()).getBytes(ISO_8859_1);
        }
    }

    private Cursor cursor() {
        HistoryResult page = fanfare.history(ChannelId.of("chat:a"), HistoryQuery.latest(1))
                .toCompletableFuture()
                .join();
        return ((HistoryResult.Page) page).top();
    }

    /** Sends, says that there is no more, and returns what comes until the server closes. */
    private String send(byte[] bytes) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), transport.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(bytes);
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        } catch (java.net.SocketException cutByTheServer) {
            return "";
        } catch (IOException e) {
            throw new UncheckedIOException("within 10 s after " + List.of(new String(bytes, ISO_8859_1)), e);
        }
    }
}
