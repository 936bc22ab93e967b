package dev.fanfare.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishResult;
import dev.fanfare.Refusal;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import org.junit.jupiter.api.Test;

/** In these histories the publication at offset n has tag 10 + n and data pn, unless a test says otherwise. */
class HistoryCheckerTest {

    private static final ChannelId ROOM = ChannelId.of("room");

    private final HistoryChecker checker = new HistoryChecker();
    private final HistoryChecker.Client client = checker.client("ana", ROOM);

    @Test
    void aRunFromTheBeginningHolds() {
        accept(1, 3);
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 3);
        client.claimsEverything();

        checker.assertHolds();
        assertThat(client.position()).contains(at(3));
    }

    @Test
    void aRunThatContinuesAfterAReconnectionHolds() {
        accept(1, 6);
        client.resumed(new Resume.Continued(at(2)));
        receive(3, 4);
        client.resumed(new Resume.Continued(at(4)));
        receive(5, 6);
        client.claimsEverything();

        checker.assertHolds();
    }

    @Test
    void aRunThatIsResetAcrossAHoleHolds() {
        accept(1, 9);
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 2);
        client.resumed(new Resume.Reset(ResetReason.TRIMMED, at(7)));
        receive(8, 9);
        client.claimsEverything();

        checker.assertHolds();
    }

    @Test
    void aRunWithAnnouncedSkipsHolds() {
        accept(1, 9);
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 2);
        client.skipped(2);
        client.skipped(1);
        receive(6, 8);
        client.skipped(1);
        client.claimsEverything();

        checker.assertHolds();
    }

    @Test
    void aRunWithoutTagsHolds() {
        accept(1, 3);
        client.resumed(new Resume.Continued(Cursor.of("e1", 1)));
        client.received("e1", 2, Payload.of("p2"));
        client.resumed(new Resume.Continued(Cursor.of("e1", 2)));
        client.received("e1", 3, Payload.of("p3"));
        client.claimsEverything();

        checker.assertHolds();
    }

    @Test
    void publicationsWithoutOffsetAreNotJudged() {
        client.resumed(new Resume.Fresh(at(0)));
        client.received(Publication.builder(Payload.of("a")).build());
        client.received(Publication.builder(Payload.of("a")).build());

        checker.assertHolds();
    }

    @Test
    void aHoleIsAViolation() {
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 2);
        client.received(publication(4));
        receive(5, 6);

        assertThat(violation()).contains("ana", "a hole: offset 3 was expected, not 4", "e1/2 \"p2\", e1/4 \"p4\"");
    }

    @Test
    void aHoleAtTheBeginningIsAViolation() {
        client.resumed(new Resume.Fresh(at(5)));
        client.received(publication(7));

        assertThat(violation()).contains("offset 6 was expected, not 7");
    }

    @Test
    void aHoleOtherThanAnnouncedIsAViolation() {
        client.resumed(new Resume.Fresh(at(0)));
        client.skipped(2);
        client.received(publication(4));

        assertThat(violation()).contains("offset 3 was expected after 2 skipped ones, not 4");
    }

    @Test
    void aHoleInARunWithoutTagsIsAViolation() {
        client.resumed(new Resume.Fresh(Cursor.of("e1", 1)));
        client.received("e1", 3, Payload.of("p3"));

        assertThat(violation()).contains("a hole");
    }

    @Test
    void aPublicationThatComesTwiceIsAViolation() {
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 2);
        client.received(publication(2));

        assertThat(violation()).contains("offset 2 came again or too late");
    }

    @Test
    void publicationsOutOfOrderAreAViolation() {
        client.resumed(new Resume.Fresh(at(0)));
        client.skipped(1);
        client.received(publication(2));
        client.received(publication(1));

        assertThat(violation()).contains("offset 1 came again or too late");
    }

    @Test
    void aPublicationThatComesAgainAfterAResetIsAViolation() {
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 3);
        client.resumed(new Resume.Reset(ResetReason.DIVERGED, at(2)));
        client.received(publication(3));

        assertThat(violation()).contains("e1/3 came twice");
    }

    @Test
    void beginningAfreshInsteadOfGoingOnIsAViolation() {
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 2);
        client.resumed(new Resume.Fresh(at(5)));

        assertThat(violation()).contains("it was at").contains("Fresh");
    }

    @Test
    void theLatestInsteadOfWhatWasMissedIsAViolation() {
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 2);
        client.resumed(new Resume.Latest(at(5)));

        assertThat(violation()).contains("it was at").contains("Latest");
    }

    @Test
    void aBrokenChainIsAViolation() {
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 2);
        client.received(publication("e1", 3, 99, 77, "other history"));

        assertThat(violation()).contains("the chain is broken");
    }

    @Test
    void aNewEpochWithoutAResetIsAViolation() {
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 2);
        client.received(publication("e2", 3, 13, 12, "p3"));

        assertThat(violation()).contains("the epoch changed from e1");
    }

    @Test
    void continuingFromElsewhereIsAViolation() {
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 3);
        client.resumed(new Resume.Continued(at(2)));

        assertThat(violation()).contains("it continues from v1.e1.2.c, but it was at v1.e1.3.d");
    }

    @Test
    void continuingInAnotherHistoryIsAViolation() {
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 3);
        client.resumed(new Resume.Continued(new Cursor("e1", 3, 99)));

        assertThat(violation()).contains("it continues from");
    }

    @Test
    void aPublicationBeforeTheBeginningIsAViolation() {
        client.received(publication(1));

        assertThat(violation()).contains("before it was said how the subscription begins");
    }

    @Test
    void anAcceptedPublicationThatIsMissingAtTheEndIsAViolation() {
        accept(1, 4);
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 3);
        assertThat(checker.firstViolation()).isEmpty();
        client.claimsEverything();

        assertThat(violation()).contains("room e1/4 \"p4\" was accepted and is missing; it is at 3");
    }

    @Test
    void aClientThatMissedANewEpochDoesNotHaveEverything() {
        client.resumed(new Resume.Fresh(at(0)));
        accept(1, 1);
        receive(1, 1);
        checker.accepted(ROOM, new Cursor("e2", 1, 5), Payload.of("reborn"));
        client.claimsEverything();

        assertThat(violation()).contains("is in epoch e1 while room e2/1 was accepted last");
    }

    @Test
    void anAcceptedPublicationThatClientsSawOtherwiseIsAViolation() {
        checker.accepted(ROOM, at(1), Payload.of("what was published"));
        client.resumed(new Resume.Fresh(at(0)));
        receive(1, 1);

        assertThat(violation()).contains("At room e1/1", "\"what was published\"", "client ana has \"p1\"");
    }

    @Test
    void twoClientsThatSawDifferentThingsAreAViolation() {
        HistoryChecker.Client other = checker.client("bob", ROOM);
        client.resumed(new Resume.Fresh(at(0)));
        other.resumed(new Resume.Fresh(at(0)));
        receive(1, 1);
        other.received(publication("e1", 1, 99, 0, "p1"));

        assertThat(violation()).contains("client ana has", "client bob has", "tag 63");
    }

    @Test
    void onePositionForTwoPublicationsIsAViolation() {
        checker.accepted(ROOM, at(1), Payload.of("a"));
        checker.accepted(ROOM, at(1), Payload.of("b"));

        assertThat(violation()).contains("At room e1/1");
    }

    @Test
    void onePayloadAtTwoPositionsIsAViolationIfPayloadsAreUnique() {
        checker.published(ROOM, Payload.of("a"), new PublishResult.Stored(at(1)));
        checker.published(ROOM, Payload.of("a"), new PublishResult.Duplicate(at(1)));
        checker.payloadsAreUnique();
        checker.assertHolds();

        checker.published(ROOM, Payload.of("a"), new PublishResult.Stored(at(2)));

        assertThat(violation()).contains("The same payload stands at");
    }

    @Test
    void otherChannelsAndRefusedPublicationsDoNotCount() {
        checker.published(ChannelId.of("other"), Payload.of("a"), new PublishResult.Stored(at(1)));
        checker.published(ROOM, Payload.of("a"), new PublishResult.Refused(Refusal.TOO_LARGE));
        checker.published(ROOM, Payload.of("a"), new PublishResult.Sent());
        client.resumed(new Resume.Fresh(at(0)));
        client.claimsEverything();

        checker.assertHolds();
    }

    @Test
    void whatTheStoreLostIsExcusedAndItsOffsetsMayBeUsedAgain() {
        client.resumed(new Resume.Fresh(at(0)));
        accept(1, 4);
        receive(1, 4);
        checker.lost(ROOM, 2);
        client.resumed(new Resume.Reset(ResetReason.DIVERGED, at(2)));
        checker.accepted(ROOM, new Cursor("e1", 3, 99), Payload.of("other history"));
        client.received(publication("e1", 3, 99, 12, "other history"));
        client.claimsEverything();

        checker.assertHolds();
    }

    @Test
    void theFirstViolationIsTheOneReported() {
        client.resumed(new Resume.Fresh(at(0)));
        client.received(publication(2));
        client.received(publication(9));

        assertThat(violation()).contains("offset 1 was expected, not 2");
        assertThatThrownBy(checker::assertHolds)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("not 2");
    }

    private String violation() {
        return checker.firstViolation().orElse("no violation");
    }

    private void accept(long first, long last) {
        for (long offset = first; offset <= last; offset++) {
            checker.accepted(ROOM, at(offset), Payload.of("p" + offset));
        }
    }

    private void receive(long first, long last) {
        for (long offset = first; offset <= last; offset++) {
            client.received(publication(offset));
        }
    }

    private static Cursor at(long offset) {
        return new Cursor("e1", offset, offset == 0 ? 0 : 10 + offset);
    }

    private static Publication publication(long offset) {
        return publication("e1", offset, 10 + offset, at(offset - 1).tag(), "p" + offset);
    }

    private static Publication publication(String epoch, long offset, long tag, long previousTag, String text) {
        return Publication.builder(Payload.of(text))
                .position(epoch, offset, tag, previousTag)
                .build();
    }
}
