package dev.fanfare.netty.connection;

import static java.util.Objects.requireNonNull;

import dev.fanfare.Authenticator;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.FanfareListener;
import dev.fanfare.Rejection;
import dev.fanfare.spi.LogLine;
import io.netty.channel.EventLoop;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the {@link Authenticator} about one client. It fails closed: an exception, no answer, or one that
 * is late is a failure.
 *
 * <p><b>Threading:</b> confined to the connection's event loop; the authenticator runs on the host
 * executor.
 */
public final class Admission extends Beat {

    private static final Logger LOG = LoggerFactory.getLogger(Admission.class);
    private static final LogLine FAILED =
            LogLine.warn(Admission.class, "A client was not let in, for want of an answer of the authenticator");

    private final EventLoop loop;
    private final Heartbeats heartbeats;
    private final Entrance entrance;
    private final FanfareListener listener;
    private @Nullable Outcome outcome;
    private boolean hasPlace;

    private Admission(TransportContext context, EventLoop loop, Outcome outcome) {
        this.loop = loop;
        this.heartbeats = context.heartbeats(loop);
        this.entrance = context.entrance();
        this.listener = context.gateway().listener();
        this.outcome = outcome;
    }

    /** Asks; the outcome is told on the loop, later, and once unless the admission is given up. */
    public static Admission ask(
            TransportContext context, EventLoop loop, Authenticator.Credentials credentials, Outcome outcome) {
        return ask(context, loop, authenticator -> authenticator.authenticate(credentials), outcome);
    }

    /** Asks whether a client that is connected may go on; told as by the other {@code ask}. */
    public static void askAgain(
            TransportContext context,
            EventLoop loop,
            ConnectionInfo connection,
            Authenticator.Credentials credentials,
            Outcome outcome) {
        Admission unused = ask(context, loop, authenticator -> authenticator.refresh(connection, credentials), outcome);
    }

    private static Admission ask(TransportContext context, EventLoop loop, Question question, Outcome outcome) {
        Admission admission = new Admission(context, loop, outcome);
        if (!admission.entrance.mayAsk()) {
            loop.execute(admission::crowdedOut);
            return admission;
        }
        admission.hasPlace = true;
        admission.heartbeats.schedule(admission, context.settings().handshakeTimeout());
        try {
            context.gateway()
                    .hostExecutor()
                    .execute(() -> admission.callAuthenticator(context.authenticator(), question));
        } catch (RejectedExecutionException e) {
            loop.execute(() -> admission.fail("no thread is free for the authenticator", e));
        }
        return admission;
    }

    /** Wants no outcome any more; for connections that closed. The place is kept until the answer or its time-out. */
    public void giveUp() {
        outcome = null;
    }

    private void end() {
        outcome = null;
        heartbeats.cancel(this);
        if (hasPlace) {
            hasPlace = false;
            entrance.asked();
        }
    }

    private void crowdedOut() {
        Outcome told = outcome;
        end();
        if (told != null) {
            told.crowdedOut();
        }
    }

    @Override
    protected void due() {
        fail("the authenticator did not answer in time", null);
    }

    private void callAuthenticator(Authenticator authenticator, Question question) {
        try {
            CompletionStage<Authenticator.Answer> stage =
                    requireNonNull(question.put(authenticator), "the authenticator's stage");
            stage.whenComplete((answer, failure) -> loop.execute(() -> answered(answer, failure)));
        } catch (RuntimeException | LinkageError e) {
            loop.execute(() -> answered(null, e));
        }
    }

    private void answered(Authenticator.@Nullable Answer answer, @Nullable Throwable failure) {
        if (failure != null || answer == null) {
            fail("the authenticator failed", failure);
            return;
        }
        Outcome told = outcome;
        end();
        if (told != null) {
            if (answer instanceof Authenticator.Rejected) {
                listener.onReject(Rejection.UNAUTHENTICATED);
            }
            told.answered(answer);
        }
    }

    private void fail(String what, @Nullable Throwable failure) {
        Outcome told = outcome;
        end();
        if (told != null) {
            FAILED.log("what", what, "failure", failure);
            LOG.debug("The failure in full", failure);
            listener.onReject(Rejection.AUTHENTICATOR_FAILED);
            told.failed();
        }
    }

    private interface Question {
        CompletionStage<Authenticator.Answer> put(Authenticator authenticator);
    }

    /** Hears what became of it, on the event loop. */
    public interface Outcome {

        /** The authenticator answered. */
        void answered(Authenticator.Answer answer);

        /** The authenticator failed, which is no answer about this client; it may try again. */
        void failed();

        /** Too many wait for the authenticator already; the client may try again later. */
        default void crowdedOut() {
            failed();
        }
    }
}
