package dev.fanfare.testkit;

import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Publication;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.Subscriber;
import dev.fanfare.UnsubscribeReason;
import dev.fanfare.presence.Member;
import dev.fanfare.presence.PresenceEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what a subscription delivers, and lets a test take it event by event: each {@code await} and
 * {@code assert} method takes the next one, waiting for it at most ten seconds, and fails with all that came
 * if it is another.
 *
 * <pre>{@code
 * RecordingSubscriber subscriber = new RecordingSubscriber();
 * fanfare.subscribe(channel, StartAt.live(), subscriber);
 * subscriber.awaitReady();
 * fanfare.publish("chat:lobby", "hello");
 * subscriber.assertNext("hello");
 * subscriber.assertExhausted();
 * }</pre>
 *
 * <p><b>Threading:</b> thread-safe; one thread takes.
 */
public final class RecordingSubscriber implements Subscriber {

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final BlockingQueue<Event> waiting = new LinkedBlockingQueue<>();
    private final List<Event> taken = new ArrayList<>();
    private final HistoryChecker.@Nullable Client client;

    /** Makes one that nothing was delivered to. */
    public RecordingSubscriber() {
        this.client = null;
    }

    /** Makes one that tells a {@link HistoryChecker} what it gets. */
    public RecordingSubscriber(HistoryChecker.Client client) {
        this.client = client;
    }

    @Override
    public void onReady(Resume resume) {
        if (client != null) {
            client.resumed(resume);
        }
        waiting.add(new Event.Ready(resume));
    }

    @Override
    public void onPublication(Publication publication) {
        if (client != null) {
            client.received(publication);
        }
        waiting.add(new Event.Published(publication));
    }

    @Override
    public void onReset(Resume.Reset reset) {
        if (client != null) {
            client.resumed(reset);
        }
        waiting.add(new Event.WasReset(reset));
    }

    @Override
    public void onSkipped(long count) {
        if (client != null) {
            client.skipped(count);
        }
        waiting.add(new Event.Skipped(count));
    }

    @Override
    public void onPresenceSkipped(long count) {
        waiting.add(new Event.PresenceSkipped(count));
    }

    @Override
    public void onPresence(PresenceEvent event) {
        waiting.add(new Event.Presence(event));
    }

    @Override
    public void onEnded(UnsubscribeReason reason) {
        waiting.add(new Event.Ended(reason));
    }

    /** Takes the beginning. */
    @CanIgnoreReturnValue
    public Resume awaitReady() {
        return next(Event.Ready.class).resume();
    }

    /** Takes a publication. */
    @CanIgnoreReturnValue
    public Publication awaitPublication() {
        return next(Event.Published.class).publication();
    }

    /** Takes that many publications. */
    public List<Publication> awaitPublications(int count) {
        List<Publication> publications = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            publications.add(awaitPublication());
        }
        return publications;
    }

    /** Takes as many publications as there are texts, with exactly these as their data. */
    public void assertNext(String... texts) {
        for (String text : texts) {
            Publication publication = awaitPublication();
            if (!publication.data().text().equals(text)) {
                throw failure("Expected \"" + text + "\", but got \""
                        + publication.data().text() + "\" as " + publication);
            }
        }
    }

    /** Takes a reset with that reason. */
    @CanIgnoreReturnValue
    public Resume.Reset assertReset(ResetReason reason) {
        Resume.Reset reset = next(Event.WasReset.class).reset();
        if (reset.reason() != reason) {
            throw failure("Expected a reset because " + reason + ", but got " + reset);
        }
        return reset;
    }

    /** Takes a note that publications were skipped, and returns how many. */
    @CanIgnoreReturnValue
    public long assertSkipped() {
        return next(Event.Skipped.class).count();
    }

    /** Takes a note that joins and leaves were skipped, and returns how many. */
    @CanIgnoreReturnValue
    public long assertPresenceSkipped() {
        return next(Event.PresenceSkipped.class).count();
    }

    /** Takes a join or leave of that user. */
    @CanIgnoreReturnValue
    public Member assertPresence(PresenceEvent.Kind kind, String user) {
        PresenceEvent event = next(Event.Presence.class).event();
        if (event.kind() != kind || !event.member().user().equals(user)) {
            throw failure("Expected " + kind + " of \"" + user + "\", but got " + event);
        }
        return event.member();
    }

    /** Takes the end, with that reason. */
    public void assertEnded(UnsubscribeReason reason) {
        UnsubscribeReason actual = next(Event.Ended.class).reason();
        if (actual != reason) {
            throw failure("Expected the end because " + reason + ", but it was " + actual);
        }
    }

    /** Fails if anything came that was not taken. Says nothing about what may still come. */
    public void assertExhausted() {
        if (!waiting.isEmpty()) {
            throw failure("Expected nothing more");
        }
    }

    /** Takes the next event, whatever it is. */
    public Event awaitEvent() {
        return next(Event.class);
    }

    /** Returns how many events wait to be taken. */
    public int waiting() {
        return waiting.size();
    }

    private <T extends Event> T next(Class<T> expected) {
        Event next;
        try {
            next = waiting.poll(PATIENCE.toSeconds(), SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("Interrupted", e);
        }
        if (next == null) {
            throw failure("Expected " + expected.getSimpleName() + ", but nothing came within " + PATIENCE);
        }
        if (!expected.isInstance(next)) {
            AssertionError failure = failure("Expected " + expected.getSimpleName() + ", but got " + next);
            taken.add(next);
            throw failure;
        }
        taken.add(next);
        return expected.cast(next);
    }

    private AssertionError failure(String what) {
        return new AssertionError(what + "\n  taken before: " + taken + "\n  waiting: " + waiting);
    }

    /** What a subscription delivers. */
    public sealed interface Event {
        /**
         * The beginning.
         *
         * @param resume how
         */
        record Ready(Resume resume) implements Event {}

        /**
         * A publication.
         *
         * @param publication which
         */
        record Published(Publication publication) implements Event {}

        /**
         * A break of the run.
         *
         * @param reset why, and where it goes on
         */
        record WasReset(Resume.Reset reset) implements Event {}

        /**
         * Publications were left out.
         *
         * @param count how many
         */
        record Skipped(long count) implements Event {}

        /**
         * Joins and leaves were left out.
         *
         * @param count how many
         */
        record PresenceSkipped(long count) implements Event {}

        /**
         * A join or leave.
         *
         * @param event which
         */
        record Presence(PresenceEvent event) implements Event {}

        /**
         * The end.
         *
         * @param reason why
         */
        record Ended(UnsubscribeReason reason) implements Event {}
    }
}
