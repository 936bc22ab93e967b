package dev.fanfare.examples;

import dev.fanfare.Action;
import dev.fanfare.Authorizer;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.examples.chat.TeamChat;
import dev.fanfare.micrometer.FanfareMetrics;
import dev.fanfare.netty.HttpRoute;
import dev.fanfare.netty.NettyTransport;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** The demo: the team chat, the pages, and an API for curl, on one port. */
final class DemoServer {

    /**
     * The key for {@code /api}. It is no secret; that a header must be there at all keeps other web
     * sites from posting to a demo that runs on the reader's own machine.
     */
    static final String API_KEY = "demo";

    /** Namespace for anything that curl may publish: {@code news:today}. */
    private static final String NEWS = "news";

    /** Where the pages are; not a Java package, so that a named module does not hide it. */
    private static final String SITE = "demo-site";

    private DemoServer() {}

    /** Starts one that keeps everything in memory. */
    static Server start(String host, int port) {
        return start(host, port, TeamChat.create(), builder -> builder, registry -> {});
    }

    /**
     * Starts one.
     *
     * @param store sets the store
     * @param meters adds what the store tells of itself to the metrics
     */
    static Server start(
            String host, int port, TeamChat chat, UnaryOperator<FanfareBuilder> store, Consumer<MeterRegistry> meters) {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        meters.accept(registry);
        FanfareMetrics metrics = FanfareMetrics.of(registry, "chat", "typing", NEWS);
        Fanfare fanfare = chat.configure(store.apply(Fanfare.builder()))
                .namespace(NEWS, rules -> rules.retain(1_000, Duration.ofDays(1)))
                .authorizer(access(chat.access()))
                .listener(metrics)
                .build();
        metrics.watch(fanfare);
        Server server = listening(
                fanfare,
                () -> chat.mount(NettyTransport.builder(fanfare), fanfare)
                        .host(host)
                        .port(port)
                        .apiKey(API_KEY)
                        .console()
                        .metrics(registry::scrape)
                        .route("GET", "/", page("index.html"))
                        .route("GET", "/chat", page("chat.html"))
                        .route("GET", "/stream", page("stream.html"))
                        .files("/assets", DemoServer.class, SITE + "/assets")
                        .files("/vendor", DemoServer.class, SITE + "/vendor")
                        .start());
        Gauge.builder("fanfare.request.bytes", server.transport(), NettyTransport::requestBytes)
                .register(registry);
        return server;
    }

    /** Everybody may read the news; the rest is for the chat to say. */
    private static Authorizer access(Authorizer chat) {
        return (user, action, channel) -> channel.namespace().equals(NEWS)
                ? action == Action.SUBSCRIBE || action == Action.HISTORY
                : chat.allows(user, action, channel);
    }

    /** Starts the transport; if that fails, does not leave the Fanfare behind. */
    static Server listening(Fanfare fanfare, Supplier<NettyTransport> start) {
        boolean started = false;
        try {
            Server server = new Server(fanfare, start.get());
            started = true;
            return server;
        } finally {
            if (!started) {
                fanfare.close();
            }
        }
    }

    private static HttpRoute page(String name) {
        return Pages.load(DemoServer.class, SITE + "/" + name);
    }
}
