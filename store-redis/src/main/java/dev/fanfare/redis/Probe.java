package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.spi.LogLine;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Looks from time to time whether what is published on one server really comes back. */
final class Probe {

    /*
     * State: the mark sent last and the mark heard last.
     *
     * Threads: thread-safe; runs on the timer, hears on a worker of the relay.
     *
     * A round: verify the history that the server continues, publish a mark to ourselves, ask whether it takes writes, and
     * some time later see whether the mark came. A connection that failed its part is given up and made anew.
     */

    private static final LogLine UNANSWERED =
            LogLine.warn(Probe.class, "Redis did not answer a probe in time; connecting anew");
    private static final LogLine UNHEARD =
            LogLine.warn(Probe.class, "A message published to ourselves did not arrive in time; subscribing anew");

    private final CommandLink commands;
    private final EventLink events;
    private final Connector connector;
    private final Duration pause;
    private final Duration patience;
    private final ProbeLine line;
    private volatile String heard = "";
    private volatile boolean isClosed;
    private long sent;

    Probe(Keys keys, CommandLink commands, EventLink events, Connector connector, Duration pause) {
        this.commands = commands;
        this.events = events;
        this.connector = connector;
        this.pause = pause;
        this.patience = pause.dividedBy(2);
        this.line = new ProbeLine(keys.globalBus("probe:" + Ids.random(16)));
    }

    void start() {
        // Plain, as this must not depend on which slots the server has.
        events.want(line, false).whenComplete((effective, failure) -> connector.later(pause, this::send));
    }

    void close() {
        isClosed = true;
    }

    private void send() {
        if (isClosed) {
            return;
        }
        Session asked = commands.session();
        if (asked == null) {
            connector.later(pause, this::send);
            return;
        }
        String mark = Long.toString(++sent);
        PubSubSession listening = events.session();
        Answer answer = new Answer();
        commands.verify()
                .thenCompose(same -> commands.run(
                        Request.publish(line.kind, line.name.getBytes(UTF_8), mark.getBytes(US_ASCII)), false))
                .whenComplete((count, failure) -> answer.isThere = failure == null)
                .thenCompose(heard -> commands.askForWrites());
        connector.later(patience, () -> judge(mark, asked, listening, answer));
    }

    private void judge(String mark, Session asked, @Nullable PubSubSession listening, Answer answer) {
        if (isClosed) {
            return;
        }
        if (!answer.isThere) {
            UNANSWERED.log("redis", connector.address(), "patience", patience);
            commands.rebuild(asked);
        } else if (listening != null && listening == events.session() && !heard.equals(mark)) {
            events.probed(false);
            UNHEARD.log("redis", connector.address(), "patience", patience);
            events.rebuild(listening);
        } else if (heard.equals(mark)) {
            events.probed(true);
        }
        connector.later(pause.minus(patience), this::send);
    }

    private static final class Answer {
        volatile boolean isThere;
    }

    private final class ProbeLine extends Line {
        ProbeLine(String name) {
            super(PubSub.PLAIN, name);
        }

        @Override
        void message(byte[] bytes) {
            heard = new String(bytes, US_ASCII);
        }

        @Override
        void interrupted() {
            // The next probe tells.
        }
    }
}
