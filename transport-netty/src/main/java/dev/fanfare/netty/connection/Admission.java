package dev.fanfare.netty.connection;

import static java.util.Objects.requireNonNull;

import dev.fanfare.Authenticator;
import dev.fanfare.ConnectionInfo;
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

    private final EventLoop loop;
    private final Heartbeats heartbeats;
    private @Nullable Outcome outcome;

    private Admission(EventLoop loop, Heartbeats heartbeats, Outcome outcome) {
        this.loop = loop;
        this.heartbeats = heartbeats;
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
        Admission admission = new Admission(loop, context.heartbeats(loop), outcome);
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

    /** Wants no outcome any more; for connections that closed. */
    public void giveUp() {
        outcome = null;
        heartbeats.cancel(this);
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
        } else if (outcome != null) {
            Outcome told = outcome;
            giveUp();
            told.answered(answer);
        }
    }

    private void fail(String what, @Nullable Throwable failure) {
        if (outcome != null) {
            LOG.warn("A client was not let in: {}{}", what, failure == null ? "" : ", " + failure);
            LOG.debug("The failure in full", failure);
            Outcome told = outcome;
            giveUp();
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
    }
}
