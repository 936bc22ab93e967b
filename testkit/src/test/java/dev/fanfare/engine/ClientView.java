package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.StartAt;
import dev.fanfare.spi.Connection.SubscribeResult;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Answered;
import dev.fanfare.testkit.RecordingOutlet.Ended;
import dev.fanfare.testkit.RecordingOutlet.Event;
import dev.fanfare.testkit.RecordingOutlet.ResetTold;
import dev.fanfare.testkit.RecordingOutlet.Skipped;
import dev.fanfare.testkit.RecordingOutlet.Written;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.assertj.core.api.Condition;
import org.jspecify.annotations.Nullable;

/**
 * What one client knows of one channel from what it was written, and nothing else: it holds the promise
 * that every run is unbroken, and every break announced, against what it sees.
 */
final class ClientView {

    final RecordingOutlet outlet;
    private final String channel;
    private final boolean knowsTags;
    private final Predicate<Cursor> canContinue;
    private final Set<ResetReason> resets = EnumSet.noneOf(ResetReason.class);
    private final List<Refusal> refusals = new ArrayList<>();
    private @Nullable Cursor asked;
    private Cursor position = Cursor.of("", 0);
    private boolean isBeginning;
    private boolean isLive;
    private boolean hasPosition;

    ClientView(RecordingOutlet outlet, String channel, boolean knowsTags, Predicate<Cursor> canContinue) {
        this.canContinue = canContinue;
        this.outlet = outlet;
        this.channel = channel;
        this.knowsTags = knowsTags;
    }

    /** Subscribes after what it has, or as told if it has nothing yet. */
    void subscribe(StartAt first) {
        StartAt start = hasPosition ? StartAt.after(cursor()) : first;
        asked = start instanceof StartAt.After after ? after.cursor() : null;
        isBeginning = true;
        outlet.subscribe(channel, start);
    }

    private Cursor cursor() {
        return knowsTags ? position : Cursor.of(position.epoch(), position.offset());
    }

    void unsubscribe() {
        outlet.unsubscribe(channel);
        look();
        isLive = false;
        isBeginning = false;
    }

    boolean isSubscribed() {
        return isLive || isBeginning;
    }

    boolean isLive() {
        return isLive;
    }

    Cursor position() {
        return position;
    }

    Set<ResetReason> resets() {
        return resets;
    }

    List<Refusal> refusals() {
        return refusals;
    }

    /** Takes in what was written since the last look. */
    void look() {
        outlet.takeEvents().forEach(this::take);
        assertThat(outlet.violations()).isEmpty();
    }

    private void take(Event event) {
        if (event instanceof Answered answered) {
            answered(answered.result());
        } else if (event instanceof Written written) {
            assertThat(isLive)
                    .as("%s comes within a subscription", written.publication())
                    .isTrue();
            follow(written.publication());
        } else if (event instanceof ResetTold told) {
            assertThat(isLive).as("a reset comes within a subscription").isTrue();
            broken(told.reset());
            position = told.reset().position();
        } else if (event instanceof Skipped) {
            throw new AssertionError("Nothing may be left out here, yet it was told " + event);
        } else if (event instanceof Ended) {
            isLive = false;
        }
    }

    private void answered(SubscribeResult result) {
        isBeginning = false;
        if (result instanceof SubscribeResult.Refused refused) {
            refusals.add(refused.reason());
            return;
        }
        SubscribeResult.Subscribed subscribed = (SubscribeResult.Subscribed) result;
        begin(subscribed.resume());
        subscribed.missed().forEach(this::follow);
        assertThat(subscribed.position())
                .as("the answer's position is where the missed ones end")
                .isEqualTo(position);
        isLive = true;
        hasPosition = true;
    }

    private void begin(Resume resume) {
        if (resume instanceof Resume.Continued) {
            assertThat(resume.position().offset()).as("it goes on where it was").isEqualTo(asked.offset());
            if (asked.tag() != Cursor.NO_TAG) {
                assertThat(resume.position()).isEqualTo(asked);
            }
        } else if (resume instanceof Resume.Reset reset) {
            broken(reset);
        } else {
            assertThat(asked).as("only who named no cursor begins afresh").isNull();
        }
        position = resume.position();
    }

    private void broken(Resume.Reset reset) {
        assertThat(position)
                .as("%s is for those who cannot go on", reset)
                .isNot(new Condition<>(canContinue, "intact"));
        resets.add(reset.reason());
    }

    private void follow(Publication publication) {
        assertThat(publication.follows(position))
                .as("%s (previous tag %x) follows %s", publication, publication.previousTag(), position)
                .isTrue();
        position = publication.cursor();
    }
}
