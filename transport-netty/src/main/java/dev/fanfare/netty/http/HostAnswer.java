package dev.fanfare.netty.http;

import dev.fanfare.spi.LogLine;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Waits for what the host, or a stage, has to say to one request, but not for ever; whatever comes of it, the client
 * gets an answer, and the connection stays usable.
 *
 * <p><i>Bounds.</i> The request's body counts as held until the host has answered, since the host has it until then, whether or
 * not the client still waits.
 *
 * <p><b>Threading:</b> confined to the exchange's loop, but for {@link #give} and {@link #fail}.
 */
public final class HostAnswer {

    /** How long the host may take. */
    public static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final LogLine LATE = LogLine.warn(HostAnswer.class, "The answer to a request did not come in time");
    private static final LogLine FAILED =
            LogLine.warn(HostAnswer.class, "A request failed in the host's code, or in what it asked");

    private final Exchange exchange;
    private final Runnable bodyDone;
    private final Future<?> patience;

    private HostAnswer(Exchange exchange) {
        this.exchange = exchange;
        this.bodyDone = exchange.lendBody();
        this.patience = exchange.loop().schedule(this::giveUp, PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    /**
     * Has the host asked on its executor.
     *
     * @param question calls {@link #give} or {@link #fail} in the end, on any thread, or throws
     */
    public static void ask(Exchange exchange, Executor hostExecutor, Question question) {
        HostAnswer answer = new HostAnswer(exchange);
        exchange.whenAbandoned(() -> answer.patience.cancel(false));
        try {
            hostExecutor.execute(() -> answer.take(question));
        } catch (RejectedExecutionException full) {
            answer.bodyDone.run();
            answer.patience.cancel(false);
            exchange.fail(503, "too many requests at once");
        }
    }

    private void take(Question question) {
        try {
            question.putTo(this);
        } catch (Throwable failure) {
            // Not even an Error of the host's may leave the client without an answer.
            fail(failure);
        }
    }

    /** Has the answer written, unless it comes too late. */
    public void give(Runnable writer) {
        bodyDone.run();
        exchange.loop().execute(() -> write(writer));
    }

    /** Answers that it did not work. */
    public void fail(Throwable failure) {
        give(() -> failed(failure));
    }

    private void write(Runnable writer) {
        patience.cancel(false);
        if (!exchange.isOpen()) {
            return;
        }
        try {
            writer.run();
        } catch (Throwable failure) {
            failed(failure);
        }
    }

    private void failed(Throwable failure) {
        FAILED.logTrace(failure, "route", exchange);
        exchange.fail(500, "internal server error");
    }

    private void giveUp() {
        if (exchange.isOpen()) {
            LATE.log("route", exchange, "seconds", PATIENCE.toSeconds());
            exchange.fail(503, "the server took too long");
        }
    }

    /** What to ask. */
    public interface Question {
        /** Asks; what it throws is answered as a failure. */
        void putTo(HostAnswer answer) throws Exception;
    }
}
