package dev.fanfare.netty.console;

import dev.fanfare.Fanfare;
import dev.fanfare.Rejection;
import dev.fanfare.netty.api.ApiKey;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.HostAnswer;
import dev.fanfare.netty.http.MediaTypes;
import dev.fanfare.netty.http.Router;
import dev.fanfare.spi.Gateway;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * What the console page asks for, below {@code /api/console}: totals once a second as a stream, and channels,
 * connections and the subscriptions of one connection on demand. It is about this node alone.
 *
 * <p><i>Bounds.</i> At most {@value #MAX_STREAMS} streams and {@value #MAX_ROWS} rows in an answer. What goes through
 * all channels or connections runs on the host executor.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class Console {

    private static final int MAX_STREAMS = 20;
    private static final int MAX_ROWS = 200;

    private final Fanfare fanfare;
    private final Gateway gateway;
    private final ApiKey key;
    private final Tally tally = new Tally();
    private final AtomicInteger streams = new AtomicInteger();

    /** Looks at that Fanfare for whoever shows the key. */
    public Console(Fanfare fanfare, ApiKey key) {
        this.fanfare = fanfare;
        this.gateway = fanfare.gateway();
        this.key = key;
        gateway.listen(tally);
    }

    /** Adds its routes. */
    public void addTo(Router.Builder router) {
        router.add("GET", "/api/console/stream", guarded(this::stream));
        router.add("GET", "/api/console/channels", guarded(exchange -> {
            String part = parameter(exchange, "part");
            look(exchange, () -> gateway.channels(part, MAX_ROWS), ConsoleJson::channels);
        }));
        router.add("GET", "/api/console/connections", guarded(exchange -> {
            String part = parameter(exchange, "part");
            look(exchange, () -> gateway.connections(part, MAX_ROWS), ConsoleJson::connections);
        }));
        router.add("GET", "/api/console/subscriptions", guarded(this::subscriptions));
    }

    private Endpoint guarded(Endpoint endpoint) {
        return key.guard(gateway.listener(), endpoint);
    }

    private static String parameter(Exchange exchange, String name) {
        return exchange.firstParameters().getOrDefault(name, "");
    }

    private <T> void look(Exchange exchange, Supplier<T> question, BiConsumer<ByteBuf, T> writer) {
        HostAnswer.ask(exchange, gateway.hostExecutor(), answer -> {
            T found = question.get();
            answer.give(() -> answer(exchange, found, writer));
        });
    }

    private void subscriptions(Exchange exchange) {
        String client = parameter(exchange, "client");
        HostAnswer.ask(
                exchange,
                gateway.hostExecutor(),
                answer -> gateway.subscriptions(client).whenComplete((channels, failure) -> {
                    if (channels != null) {
                        answer.give(() -> answer(exchange, channels, ConsoleJson::subscriptions));
                    } else {
                        answer.fail(failure != null ? failure : new NullPointerException("no answer"));
                    }
                }));
    }

    private static <T> void answer(Exchange exchange, T answer, BiConsumer<ByteBuf, T> writer) {
        writer.accept(exchange.begin(200, MediaTypes.JSON, List.of("cache-control", "no-store")), answer);
        exchange.end();
    }

    private void stream(Exchange exchange) {
        if (streams.incrementAndGet() > MAX_STREAMS) {
            streams.decrementAndGet();
            gateway.listener().onReject(Rejection.CONSOLE_LIMIT);
            exchange.fail(503, "at most " + MAX_STREAMS + " watch at a time");
            return;
        }
        ConsoleStream.open(exchange, this::writeTotals, streams::decrementAndGet);
    }

    private void writeTotals(ByteBuf out) {
        ConsoleJson.totals(out, gateway.node(), gateway.time().millis(), fanfare.health(), fanfare.stats(), tally);
    }
}
