package dev.fanfare.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.Publisher;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.ChannelLog.LogPage;
import dev.fanfare.spi.ChannelLog.LogRead;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The contract of {@link ChannelLog}, case by case.
 *
 * <p><b>Threading:</b> as JUnit says; one instance per test.
 */
public abstract class ChannelLogContract extends StoreContract {

    private static final int WRITERS = 4;
    private static final int CHANNELS = 3;
    private static final int APPENDS = 150;

    private final ChannelId channel = channel("log");
    private final ChannelRules rules = ChannelRules.builder()
            .retain(1_000, units(1_000))
            .dedupWindow(units(10))
            .build();

    /** Makes the suite over that fixture. */
    protected ChannelLogContract(StoreFixture fixture) {
        super(fixture);
    }

    @Test
    void clause1OffsetsCountFromOne() {
        Publication first = append("a");
        Publication second = append("b");

        assertThat(first.offset()).isEqualTo(1);
        assertThat(second.offset()).isEqualTo(2);
        assertThat(second.epoch()).isEqualTo(first.epoch()).isNotEmpty();
    }

    @Test
    void clause1AnAppendedPublicationIsReadableAtOnce() {
        for (int i = 1; i <= 50; i++) {
            Publication appended = append("p" + i);

            LogPage page = readAfter(i - 1, 10);

            assertThat(page.head()).isEqualTo(appended.cursor());
            assertThat(page.publications()).extracting(Publication::tag).containsExactly(appended.tag());
        }
    }

    @Test
    void clause1OffsetsAreDenseUnderManyWritersWhileReadersPage() {
        for (int i = 0; i < iterations(); i++) {
            manyWriters("plain" + i, rules, null);
        }
    }

    @Test
    void clause1OffsetsAreDenseWhileTheLogIsTrimmed() {
        ChannelRules short7 = ChannelRules.builder().retain(7, units(1_000)).build();
        for (int i = 0; i < iterations(); i++) {
            manyWriters("trimmed" + i, short7, null);
        }
    }

    @Test
    void clause1OffsetsAreDenseWhileTheLogIsClearedAndExpires() {
        ChannelRules brief = ChannelRules.builder().retain(1_000, units(2)).build();
        for (int i = 0; i < iterations(); i++) {
            manyWriters("cleared" + i, brief, id -> {
                await(log().clear(id));
                pass(1);
            });
        }
    }

    @Test
    void clause2EachPublicationNamesTheTagBeforeIt() {
        AppendRequest request = request(channel, "a", PublishOptions.none(), rules);
        Publication first = appended(await(log().append(request)));
        Publication second = append("b");
        Publication third = append("c");

        assertThat(first.tag()).isEqualTo(request.tag());
        assertThat(first.previousTag()).isEqualTo(0);
        assertThat(second.follows(first.cursor())).isTrue();
        assertThat(third.follows(second.cursor())).isTrue();
        assertThat(third.tag()).isNotEqualTo(0).isNotEqualTo(second.tag());
    }

    @Test
    void clause2WhatIsReadIsWhatWasAppended() {
        PublishOptions options = PublishOptions.none()
                .withKey("sensor-1")
                .withEventType("reading")
                .withHeader("trace", "äöü 1")
                .withHeader("unit", "°C");
        Payload data = Payload.of(new byte[] {0, -1, 10, 13, 127, -128});
        Publisher publisher = new Publisher("ana", "connection-1", Payload.of("{\"a\":1}"));
        Publication appended =
                appended(await(log().append(new AppendRequest(channel, data, options, publisher, rules, randomTag()))));

        Publication read = readAfter(0, 1).publications().get(0);

        for (Publication publication : List.of(appended, read)) {
            assertThat(publication.data()).isEqualTo(data);
            assertThat(publication.key()).isEqualTo("sensor-1");
            assertThat(publication.eventType()).isEqualTo("reading");
            assertThat(publication.headers()).isEqualTo(Map.of("trace", "äöü 1", "unit", "°C"));
            assertThat(publication.publisher()).isEqualTo(publisher);
        }
        assertThat(read.timeMillis()).isEqualTo(appended.timeMillis()).isPositive();
        assertThat(read.cursor()).isEqualTo(appended.cursor());
    }

    @Test
    void clause2WhatWasNotGivenIsAbsent() {
        append("");

        Publication read = readAfter(0, 1).publications().get(0);

        assertThat(read.data()).isEqualTo(Payload.EMPTY);
        assertThat(read.key()).isNull();
        assertThat(read.eventType()).isNull();
        assertThat(read.headers()).isEmpty();
        assertThat(read.publisher()).isNull();
    }

    @Test
    void clause3ARepeatAppendsNothingAndGetsTheFirstPosition() {
        Publication first = appended(appendKeyed(channel, "k", "a"));
        append("between");

        AppendResult repeat = appendKeyed(channel, "k", "a");

        assertThat(repeat).isEqualTo(new AppendResult.Repeated(first.cursor()));
        assertThat(head().offset()).isEqualTo(2);
    }

    @Test
    void clause3TheSameKeyWithAnotherBodyIsAConflictAndChangesNothing() {
        Publication first = appended(appendKeyed(channel, "k", "a"));

        AppendResult conflict = appendKeyed(channel, "k", "b");

        assertThat(conflict).isEqualTo(AppendResult.Conflict.OTHER_BODY);
        assertThat(head()).isEqualTo(first.cursor());
        assertThat(append("next").follows(first.cursor())).isTrue();
        assertThat(appendKeyed(channel, "k", "a")).isEqualTo(new AppendResult.Repeated(first.cursor()));
    }

    @Test
    void clause3KeysOfDifferentChannelsNeverMeet() {
        Publication here = appended(appendKeyed(channel, "k", "a"));
        Publication there = appended(appendKeyed(channel("other"), "k", "b"));

        assertThat(here.offset()).isEqualTo(1);
        assertThat(there.offset()).isEqualTo(1);
    }

    @Test
    void clause3AKeyIsForgottenWhenItsWindowIsOver() {
        appendKeyed(channel, "k", "a");
        pass(8);
        assertThat(appendKeyed(channel, "k", "a")).isInstanceOf(AppendResult.Repeated.class);

        // The repeat did not make the window longer.
        pass(3);

        assertThat(appended(appendKeyed(channel, "k", "b")).offset()).isEqualTo(2);
        assertThat(appendKeyed(channel, "k", "a")).isEqualTo(AppendResult.Conflict.OTHER_BODY);
    }

    @Test
    void clause3ARepeatGetsTheFirstPositionAlsoWhenThatIsNoLongerRetained() {
        ChannelRules one = ChannelRules.builder()
                .retain(1, units(1_000))
                .dedupWindow(units(10))
                .build();
        PublishOptions keyed = PublishOptions.dedupKey("k");
        Publication first = appended(await(log().append(request(channel, "a", keyed, one))));
        await(log().append(request(channel, "b", PublishOptions.none(), one)));
        await(log().clear(channel));

        AppendResult repeat = await(log().append(request(channel, "a", keyed, one)));

        assertThat(repeat).isEqualTo(new AppendResult.Repeated(first.cursor()));
    }

    @Test
    void clause3WithoutAKeyNothingIsTakenForARepeat() {
        append("a");
        append("a");

        assertThat(head().offset()).isEqualTo(2);
    }

    @Test
    void clause3OfManyWithTheSameKeyAtOnceOneIsAppended() {
        int rounds = 20 * iterations();
        Map<String, Cursor> appended = new ConcurrentHashMap<>();
        Map<String, List<@Nullable Cursor>> repeated = new ConcurrentHashMap<>();

        together(WRITERS, number -> {
            for (int i = 0; i < rounds; i++) {
                AppendResult result = appendKeyed(channel, "k" + i, "body" + i);
                if (result instanceof AppendResult.Appended fresh) {
                    assertThat(appended.put("k" + i, fresh.publication().cursor()))
                            .isNull();
                } else if (result instanceof AppendResult.Repeated again) {
                    repeated.computeIfAbsent("k" + i, key -> Collections.synchronizedList(new ArrayList<>()))
                            .add(again.first());
                } else {
                    throw new AssertionError("Unexpected " + result);
                }
            }
        });

        assertThat(appended).hasSize(rounds);
        assertThat(head().offset()).isEqualTo(rounds);
        repeated.forEach(
                (key, firsts) -> assertThat(firsts).hasSize(WRITERS - 1).containsOnly(appended.get(key)));
    }

    @Test
    void clause4TheLogKeepsTheNewestOfAGivenCount() {
        ChannelRules three = ChannelRules.builder().retain(3, units(1_000)).build();
        for (int i = 1; i <= 10; i++) {
            await(log().append(request(channel, "p" + i, PublishOptions.none(), three)));
        }

        assertThat(texts(readAfter(0, 100))).containsExactly("p8", "p9", "p10");
        assertThat(head().offset()).isEqualTo(10);
    }

    @Test
    void clause4TheRulesOfTheLatestAppendCount() {
        append("p1");
        append("p2");
        append("p3");

        ChannelRules two = ChannelRules.builder().retain(2, units(1_000)).build();
        await(log().append(request(channel, "p4", PublishOptions.none(), two)));

        assertThat(texts(readAfter(0, 100))).containsExactly("p3", "p4");
    }

    @Test
    void clause4WhatIsTooOldIsNotReturned() {
        ChannelRules brief = ChannelRules.builder().retain(100, units(10)).build();
        await(log().append(request(channel, "old", PublishOptions.none(), brief)));
        pass(6);
        await(log().append(request(channel, "young", PublishOptions.none(), brief)));
        pass(6);

        assertThat(texts(readAfter(0, 100))).containsExactly("young");
        assertThat(texts(await(log().read(LogRead.newest(channel, 100))))).containsExactly("young");
        assertThat(head().offset()).isEqualTo(2);
    }

    @Test
    void clause5TheHeadOutlivesThePublications() {
        ChannelRules brief = ChannelRules.builder().retain(100, units(2)).build();
        Publication last = appended(await(log().append(request(channel, "a", PublishOptions.none(), brief))));
        pass(4);

        assertThat(readAfter(0, 100)).isEqualTo(new LogPage(last.cursor(), List.of()));
        Publication next = appended(await(log().append(request(channel, "b", PublishOptions.none(), brief))));
        assertThat(next.follows(last.cursor())).isTrue();
    }

    @Test
    void clause5WhenTheHeadIsOverTheChannelBeginsANewEpoch() {
        ChannelRules mortal =
                ChannelRules.builder().retain(100, units(2)).headTtl(units(5)).build();
        Publication before = appended(await(log().append(request(channel, "a", PublishOptions.none(), mortal))));
        pass(7);

        Cursor reborn = head();
        Publication after = appended(await(log().append(request(channel, "b", PublishOptions.none(), mortal))));

        assertThat(reborn.epoch()).isNotEmpty().isNotEqualTo(before.epoch());
        assertThat(reborn.offset()).isEqualTo(0);
        assertThat(reborn.tag()).isEqualTo(Cursor.NO_TAG);
        assertThat(after.follows(reborn)).isTrue();
    }

    @Test
    void clause5AnAppendAfterTheHeadIsOverBeginsANewEpochToo() {
        ChannelRules mortal =
                ChannelRules.builder().retain(100, units(2)).headTtl(units(5)).build();
        Publication before = appended(await(log().append(request(channel, "a", PublishOptions.none(), mortal))));
        pass(7);

        Publication after = appended(await(log().append(request(channel, "b", PublishOptions.none(), mortal))));

        assertThat(after.epoch()).isNotEqualTo(before.epoch());
        assertThat(after.offset()).isEqualTo(1);
        assertThat(after.previousTag()).isEqualTo(0);
        assertThat(texts(readAfter(0, 100))).containsExactly("b");
    }

    @Test
    void clause5EachPublicationRenewsTheHead() {
        ChannelRules mortal =
                ChannelRules.builder().retain(100, units(5)).headTtl(units(5)).build();
        Publication last = appended(await(log().append(request(channel, "a", PublishOptions.none(), mortal))));

        for (int i = 0; i < 4; i++) {
            pass(3);
            Publication next = appended(await(log().append(request(channel, "b", PublishOptions.none(), mortal))));
            assertThat(next.follows(last.cursor())).isTrue();
            last = next;
        }
    }

    @Test
    void clause5ReadingDoesNotRenewTheHead() {
        ChannelRules mortal =
                ChannelRules.builder().retain(100, units(5)).headTtl(units(5)).build();
        Publication last = appended(await(log().append(request(channel, "a", PublishOptions.none(), mortal))));
        pass(3);
        assertThat(head()).isEqualTo(last.cursor());
        pass(3);

        assertThat(head().epoch()).isNotEqualTo(last.epoch());
    }

    @Test
    void clause6AReadReturnsWhatComesAfterUpToTheLimit() {
        appendMany(10);

        assertThat(texts(readAfter(0, 3))).containsExactly("p1", "p2", "p3");
        assertThat(texts(readAfter(3, 3))).containsExactly("p4", "p5", "p6");
        assertThat(texts(readAfter(8, 300))).containsExactly("p9", "p10");
        assertThat(readAfter(3, 3).head().offset()).isEqualTo(10);
    }

    @Test
    void clause6AReadAfterTheTopReturnsNothingButTheHead() {
        appendMany(3);

        for (long after : new long[] {3, 4, 1_000_000, Long.MAX_VALUE}) {
            LogPage page = readAfter(after, 10);
            assertThat(page.publications()).isEmpty();
            assertThat(page.head().offset()).isEqualTo(3);
        }
    }

    @Test
    void clause6AReadFromJustBeforeTheOldestIsComplete() {
        ChannelRules three = ChannelRules.builder().retain(3, units(1_000)).build();
        List<Publication> all = new ArrayList<>();
        for (int i = 1; i <= 8; i++) {
            all.add(appended(await(log().append(request(channel, "p" + i, PublishOptions.none(), three)))));
        }

        List<Publication> read = readAfter(5, 10).publications();

        assertThat(texts(read)).containsExactly("p6", "p7", "p8");
        assertThat(read.get(0).follows(all.get(4).cursor())).isTrue();
    }

    @Test
    void clause6AReverseReadBeginsAtTheNewest() {
        appendMany(10);

        assertThat(texts(await(log().read(LogRead.newest(channel, 3))))).containsExactly("p10", "p9", "p8");
        assertThat(texts(readBefore(8, 3))).containsExactly("p7", "p6", "p5");
        assertThat(texts(readBefore(3, 300))).containsExactly("p2", "p1");
        assertThat(texts(readBefore(1, 300))).isEmpty();
        assertThat(texts(readBefore(1_000, 2))).containsExactly("p10", "p9");
        assertThat(readBefore(3, 300).head().offset()).isEqualTo(10);
    }

    @Test
    void clause6ALimitOfZeroReadsOnlyTheHead() {
        appendMany(2);

        assertThat(readAfter(0, 0)).isEqualTo(new LogPage(head(), List.of()));
        assertThat(await(log().read(LogRead.newest(channel, 0)))).isEqualTo(new LogPage(head(), List.of()));
        assertThat(head().offset()).isEqualTo(2);
    }

    @Test
    void clause6ClearForgetsThePublicationsAndKeepsTheHead() {
        appendMany(3);
        Cursor before = head();

        await(log().clear(channel));

        assertThat(readAfter(0, 10)).isEqualTo(new LogPage(before, List.of()));
        assertThat(append("p4").follows(before)).isTrue();
        assertThat(texts(readAfter(0, 10))).containsExactly("p4");
    }

    @Test
    void clause6ClearOfANeverWrittenChannelDoesNothing() {
        Cursor before = head();

        await(log().clear(channel));

        assertThat(head()).isEqualTo(before);
        assertThat(append("a").follows(before)).isTrue();
    }

    @Test
    void clause7ANeverWrittenChannelHasAnEpochThatItsFirstPublicationKeeps() {
        Cursor before = head();
        assertThat(readAfter(0, 10)).isEqualTo(new LogPage(before, List.of()));
        assertThat(await(otherNode().log().read(LogRead.head(channel))).head()).isEqualTo(before);

        Publication first = append("a");

        assertThat(before.epoch()).isNotEmpty();
        assertThat(before.offset()).isEqualTo(0);
        assertThat(before.tag()).isEqualTo(Cursor.NO_TAG);
        assertThat(first.follows(before)).isTrue();
    }

    @Test
    void clause7WritingOneChannelLeavesTheEpochOfOthersAlone() {
        Cursor before = await(log().read(LogRead.head(channel("other")))).head();

        appendMany(3);

        assertThat(await(log().read(LogRead.head(channel("other")))).head()).isEqualTo(before);
    }

    @Test
    void clause7TheEndOfOneLifeLeavesTheEpochOfOthersAlone() {
        ChannelRules mortal =
                ChannelRules.builder().retain(100, units(2)).headTtl(units(5)).build();
        List<ChannelId> neighbours =
                IntStream.range(0, 20).mapToObj(i -> channel("neighbour" + i)).toList();
        List<Cursor> before = heads(neighbours);
        List<ChannelId> mortals =
                IntStream.range(0, 50).mapToObj(i -> channel("mortal" + i)).toList();
        for (ChannelId each : mortals) {
            var unused = appended(await(log().append(request(each, "a", PublishOptions.none(), mortal))));
        }
        pass(7);

        assertThat(heads(mortals)).allMatch(head -> head.offset() == 0);
        assertThat(heads(neighbours)).isEqualTo(before);
    }

    private List<Cursor> heads(List<ChannelId> channels) {
        return channels.stream()
                .map(each -> await(log().read(LogRead.head(each))).head())
                .toList();
    }

    @Test
    void clause7ReadersOfANeverWrittenChannelAgreeWithItsFirstWriter() {
        for (int i = 0; i < 20 * iterations(); i++) {
            ChannelId fresh = channel("fresh" + i);
            AtomicReference<@Nullable String> epoch = new AtomicReference<>();
            together(2, number -> {
                String seen = number == 0
                        ? await(log().read(LogRead.head(fresh))).head().epoch()
                        : appended(await(log().append(request(fresh, "a", PublishOptions.none(), rules))))
                                .epoch();
                String other = epoch.getAndSet(seen);
                assertThat(other == null || other.equals(seen)).isTrue();
            });
        }
    }

    @Test
    void clause8WithoutRetentionNothingIsLogged() {
        Cursor before = head();

        Publication sent = appended(await(log().append(request(channel, "a", PublishOptions.none(), unretained()))));

        assertThat(sent.isLogged()).isFalse();
        assertThat(sent.offset()).isEqualTo(0);
        assertThat(sent.epoch()).isEmpty();
        assertThat(sent.data().text()).isEqualTo("a");
        assertThat(readAfter(0, 10)).isEqualTo(new LogPage(before, List.of()));
    }

    @Test
    void clause8WithoutRetentionADedupKeyIsHonoured() {
        PublishOptions keyed = PublishOptions.dedupKey("k");
        await(log().append(request(channel, "a", keyed, unretained())));

        assertThat(await(log().append(request(channel, "a", keyed, unretained()))))
                .isEqualTo(new AppendResult.Repeated(null));
        assertThat(await(log().append(request(channel, "b", keyed, unretained()))))
                .isEqualTo(AppendResult.Conflict.OTHER_BODY);
        pass(11);
        assertThat(appended(await(log().append(request(channel, "b", keyed, unretained()))))
                        .isLogged())
                .isFalse();
    }

    @Test
    void clause9EachPublicationIsAnnouncedOnceInTheOrderOfTheLog() {
        assumeTrue(log().announcesOn(store().bus()), "the node announces for this store");
        RecordingWatcher watcher = RecordingWatcher.watching(store().bus(), channel);
        RecordingWatcher elsewhere = RecordingWatcher.watching(otherNode().bus(), channel);

        together(WRITERS, number -> {
            for (int i = 0; i < APPENDS; i++) {
                append(number + "-" + i);
            }
        });

        for (RecordingWatcher each : List.of(watcher, elsewhere)) {
            for (long offset = 1; offset <= (long) WRITERS * APPENDS; offset++) {
                assertThat(each.nextPublication().offset()).isEqualTo(offset);
            }
            assertThat(each.waiting()).isEmpty();
        }
    }

    @Test
    void clause9WhatIsAnnouncedIsWhatWasAppended() {
        assumeTrue(log().announcesOn(store().bus()), "the node announces for this store");
        RecordingWatcher watcher = RecordingWatcher.watching(store().bus(), channel);
        PublishOptions options =
                PublishOptions.none().withKey("k").withEventType("e").withHeader("h", "v");
        Publisher publisher = new Publisher("ana", "connection-1", null);
        Payload data = Payload.of(new byte[] {0, -1, 10, 13});

        Publication appended =
                appended(await(log().append(new AppendRequest(channel, data, options, publisher, rules, randomTag()))));

        Publication heard = watcher.nextPublication();
        assertThat(heard.cursor()).isEqualTo(appended.cursor());
        assertThat(heard.previousTag()).isEqualTo(appended.previousTag());
        assertThat(heard.data()).isEqualTo(data);
        assertThat(heard.key()).isEqualTo("k");
        assertThat(heard.eventType()).isEqualTo("e");
        assertThat(heard.headers()).isEqualTo(Map.of("h", "v"));
        assertThat(heard.publisher()).isEqualTo(publisher);
    }

    @Test
    void clause9RepeatsAndConflictsAreNotAnnounced() {
        assumeTrue(log().announcesOn(store().bus()), "the node announces for this store");
        RecordingWatcher watcher = RecordingWatcher.watching(store().bus(), channel);

        appendKeyed(channel, "k", "a");
        appendKeyed(channel, "k", "a");
        appendKeyed(channel, "k", "b");
        append("marker");

        assertThat(watcher.nextPublication().data().text()).isEqualTo("a");
        assertThat(watcher.nextPublication().data().text()).isEqualTo("marker");
    }

    @Test
    void clause9WhatIsNotLoggedIsAnnouncedOnceUnlessRepeated() {
        assumeTrue(log().announcesOn(store().bus()), "the node announces for this store");
        RecordingWatcher watcher = RecordingWatcher.watching(store().bus(), channel);

        await(log().append(request(channel, "a", PublishOptions.dedupKey("k"), unretained())));
        await(log().append(request(channel, "a", PublishOptions.dedupKey("k"), unretained())));
        await(log().append(request(channel, "b", PublishOptions.none(), unretained())));

        Publication first = watcher.nextPublication();
        assertThat(first.data().text()).isEqualTo("a");
        assertThat(first.offset()).isEqualTo(0);
        assertThat(watcher.nextPublication().data().text()).isEqualTo("b");
    }

    @Test
    void clause9NothingBetweenWatchAndReadIsMissed() {
        assumeTrue(log().announcesOn(store().bus()), "the node announces for this store");
        CyclicBarrier round = new CyclicBarrier(2);
        together(2, number -> {
            for (int i = 0; i < 300 * iterations(); i++) {
                ChannelId raced = channel("raced" + i);
                meet(round);
                // The two meet at many different distances.
                for (int delay = ThreadLocalRandom.current().nextInt(200); delay > 0; delay--) {
                    Thread.onSpinWait();
                }
                if (number == 0) {
                    await(log().append(request(raced, "a", PublishOptions.none(), rules)));
                } else {
                    RecordingWatcher watcher = RecordingWatcher.watching(store().bus(), raced);
                    if (await(log().read(LogRead.head(raced))).head().offset() == 0) {
                        assertThat(watcher.nextPublication().offset()).isEqualTo(1);
                    }
                    watcher.close();
                }
            }
        });
    }

    private void manyWriters(String name, ChannelRules rules, @Nullable Disturbance disturbance) {
        List<ChannelId> channels = new ArrayList<>();
        List<Map<Long, Publication>> appended = new ArrayList<>();
        for (int i = 0; i < CHANNELS; i++) {
            channels.add(channel(name + i));
            appended.add(new ConcurrentHashMap<>());
        }
        AtomicInteger writing = new AtomicInteger(WRITERS);
        together(WRITERS + 2, number -> {
            if (number < WRITERS) {
                try {
                    write(channels, appended, number, rules);
                } finally {
                    writing.decrementAndGet();
                }
            } else if (number == WRITERS) {
                for (int round = 0; writing.get() > 0; round++) {
                    page(channels.get(round % CHANNELS), 1 + round % 40);
                }
            } else {
                for (int round = 0; disturbance != null && round < 20; round++) {
                    disturbance.disturb(channels.get(round % CHANNELS));
                }
            }
        });
        appended.forEach(ChannelLogContract::assertDense);
    }

    private void write(
            List<ChannelId> channels, List<Map<Long, Publication>> appended, int number, ChannelRules rules) {
        for (int i = 0; i < APPENDS; i++) {
            int target = (i + number) % CHANNELS;
            Publication publication = appended(
                    await(log().append(request(channels.get(target), number + "-" + i, PublishOptions.none(), rules))));
            Publication twin = appended.get(target).put(publication.offset(), publication);
            assertThat(twin).as("given the same offset as %s", publication).isNull();
        }
    }

    /** Pages through a channel from its oldest, as a reader that catches up does. */
    private void page(ChannelId id, int limit) {
        Publication last = null;
        while (true) {
            LogPage page = await(log().read(LogRead.after(id, last == null ? 0 : last.offset(), limit)));
            assertThat(page.publications().size()).isLessThanOrEqualTo(limit);
            boolean first = true;
            for (Publication publication : page.publications()) {
                if (last != null && (!first || publication.offset() == last.offset() + 1)) {
                    assertThat(publication.follows(last.cursor()))
                            .as("%s follows %s", publication, last)
                            .isTrue();
                }
                first = false;
                last = publication;
            }
            long readable = last == null ? 0 : last.offset();
            assertThat(page.head().offset()).as("head").isGreaterThanOrEqualTo(readable);
            if (page.publications().isEmpty()) {
                return;
            }
            if (readable == page.head().offset() && last != null) {
                assertThat(page.head()).isEqualTo(last.cursor());
            }
        }
    }

    private static void assertDense(Map<Long, Publication> appended) {
        for (long offset = 1; offset <= appended.size(); offset++) {
            Publication publication = appended.get(offset);
            assertThat(publication)
                    .as("offset %s of %s", offset, appended.size())
                    .isNotNull();
            Publication before = appended.get(offset - 1);
            if (publication != null && before != null) {
                assertThat(publication.follows(before.cursor())).isTrue();
            }
        }
    }

    private ChannelLog log() {
        return store().log();
    }

    @CanIgnoreReturnValue
    private Publication append(String text) {
        return appended(await(log().append(request(channel, text, PublishOptions.none(), rules))));
    }

    private void appendMany(int count) {
        for (int i = 1; i <= count; i++) {
            append("p" + i);
        }
    }

    @CanIgnoreReturnValue
    private AppendResult appendKeyed(ChannelId id, String key, String text) {
        return await(log().append(request(id, text, PublishOptions.dedupKey(key), rules)));
    }

    private ChannelRules unretained() {
        return ChannelRules.builder().dedupWindow(units(10)).build();
    }

    private Cursor head() {
        return await(log().read(LogRead.head(channel))).head();
    }

    private LogPage readAfter(long offset, int limit) {
        return await(log().read(LogRead.after(channel, offset, limit)));
    }

    private LogPage readBefore(long offset, int limit) {
        return await(log().read(new LogRead(channel, offset, limit, true)));
    }

    private static AppendRequest request(ChannelId id, String text, PublishOptions options, ChannelRules rules) {
        return new AppendRequest(id, Payload.of(text), options, null, rules, randomTag());
    }

    private static long randomTag() {
        return ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
    }

    private static Publication appended(AppendResult result) {
        if (result instanceof AppendResult.Appended appended) {
            return appended.publication();
        }
        throw new AssertionError("Expected it to be appended: " + result);
    }

    private static List<String> texts(LogPage page) {
        return texts(page.publications());
    }

    private static List<String> texts(List<Publication> publications) {
        return publications.stream()
                .map(publication -> publication.data().text())
                .toList();
    }

    private interface Disturbance {
        void disturb(ChannelId channel);
    }
}
