package dev.fanfare.examples;

import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.ClientLimits;
import dev.fanfare.Fanfare;
import dev.fanfare.Rate;
import dev.fanfare.netty.HttpAnswer;
import dev.fanfare.netty.NettyTransport;
import io.netty.buffer.PooledByteBufAllocator;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** What the load harness measures: the library as it is, with everything allowed. */
final class BenchServer {

    private BenchServer() {}

    static Server start(String host, int port) {
        Fanfare fanfare = Fanfare.builder()
                .namespace("bench", rules -> rules.retain(100, Duration.ofMinutes(5)))
                .namespace("deep", rules -> rules.retain(100_000, Duration.ofMinutes(5)))
                .namespace("plain", rules -> rules)
                .authorizer(Authorizer.allowAll())
                .limits(ClientLimits.unlimited())
                .build();
        return DemoServer.listening(
                fanfare,
                () -> NettyTransport.builder(fanfare)
                        .host(host)
                        .connectRate(Rate.unlimited())
                        .port(port)
                        .authenticator(Authenticator.anonymous())
                        .openApi()
                        .route("GET", "/memory", call -> CompletableFuture.completedFuture(memory()))
                        .start());
    }

    /** Tells what is in use after a garbage collection: the heap, and direct buffers. */
    private static HttpAnswer memory() {
        System.gc();
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        long heap = runtime.totalMemory() - runtime.freeMemory();
        long direct = PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
        return HttpAnswer.json(200, "{\"heap\":" + heap + ",\"direct\":" + direct + "}");
    }
}
