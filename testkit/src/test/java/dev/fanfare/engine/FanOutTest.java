package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.DisconnectReason;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.StartAt;
import dev.fanfare.faults.CausesFault;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.testkit.ManualLoop;
import dev.fanfare.testkit.ManualTime;
import dev.fanfare.testkit.RecordingFormat;
import dev.fanfare.testkit.RecordingOutlet;
import dev.fanfare.testkit.RecordingOutlet.Disconnected;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What one publication costs on its way to many connections. */
@ExtendWith(Quiet.class)
class FanOutTest {

    private final ManualTime time = new ManualTime();
    private final ManualNode node = ManualNode.open(MemoryStore.create(time), time, FanOutTest::namespaces);
    private final ManualLoop secondLoop = node.newLoop();
    private final RecordingFormat json = node.format;
    private final RecordingFormat binary = new RecordingFormat();

    private static FanfareBuilder namespaces(FanfareBuilder builder) {
        return builder.namespace("log", rules -> rules.retain(5000, Duration.ofHours(1)))
                .namespace("room", rules -> rules.presence())
                .namespace("", rules -> rules);
    }

    @AfterEach
    void close() {
        node.close();
        assertThat(json.unreleased()).as("frames not released").isZero();
        assertThat(json.misused() + binary.misused()).as("frames misused").isZero();
        assertThat(binary.unreleased()).as("frames not released").isZero();
    }

    @Test
    void aPublicationIsEncodedOncePerFormat() {
        List<RecordingOutlet> clients = new ArrayList<>();
        clients.addAll(subscribe(20, "log:a", node.loop, json));
        clients.addAll(subscribe(20, "log:a", node.loop, binary));
        clients.addAll(subscribe(20, "log:a", secondLoop, json));

        node.publish("log:a", "1");

        assertThat(clients)
                .allSatisfy(client -> assertThat(client.texts("log:a")).containsExactly("1"));
        assertThat(json.encoded()).isEqualTo(1);
        assertThat(binary.encoded()).isEqualTo(1);
    }

    @Test
    void formatsThatAlternateAreStillEncodedOnce() {
        for (int i = 0; i < 10; i++) {
            subscribe(1, "log:a", node.loop, json);
            subscribe(1, "log:a", node.loop, binary);
        }

        node.publish("log:a", "1");

        assertThat(json.encoded()).isEqualTo(1);
        assertThat(binary.encoded()).isEqualTo(1);
    }

    @Test
    void nobodyListeningNothingIsEncoded() {
        subscribe(1, "log:b", node.loop, json);

        node.publish("log:a", "1");

        assertThat(json.encoded()).isZero();
    }

    @Test
    void aLoopIsWokenOnceForABurst() {
        subscribe(10, "log:a", node.loop, json);

        burst("log:a", 5);

        assertThat(node.loop.waiting()).isEqualTo(1);
        node.settle();
    }

    @Test
    void aConnectionIsFlushedOncePerTurn() {
        List<RecordingOutlet> clients = subscribe(10, "log:a", node.loop, json);

        burst("log:a", 5);
        node.loop.runOne();

        assertThat(clients).allSatisfy(client -> {
            assertThat(client.texts("log:a")).hasSize(5);
            assertThat(client.flushes()).isEqualTo(1);
        });
    }

    @Test
    void severalChannelsOfOneConnectionShareAFlush() {
        RecordingOutlet client = node.connect();
        client.subscribe("log:a", StartAt.live()).subscribe("log:b", StartAt.live());
        node.settle();
        int before = client.flushes();

        burst("log:a", 3);
        burst("log:b", 3);
        node.loop.runOne();

        assertThat(client.flushes() - before).isEqualTo(1);
        assertThat(client.unflushed()).isZero();
    }

    @Test
    void whoGotNothingIsNotFlushed() {
        RecordingOutlet other = subscribe(1, "log:b", node.loop, json).get(0);
        int before = other.flushes();

        node.publish("log:a", "1");

        assertThat(other.flushes()).isEqualTo(before);
    }

    @Test
    void whatIsWrittenInOneTurnIsFlushedInIt() {
        RecordingOutlet client = subscribe(1, "log:a", node.loop, json).get(0);

        burst("log:a", 3000);
        while (node.loop.runOne()) {
            assertThat(client.unflushed()).isZero();
        }

        assertThat(client.texts("log:a")).hasSize(3000);
    }

    @Test
    void framesAreReleasedWhenTheClientVanishedMeanwhile() {
        RecordingOutlet client = subscribe(1, "log:a", node.loop, json).get(0);
        burst("log:a", 3);

        client.vanish();
        node.settle();

        assertThat(client.texts("log:a")).isEmpty();
        assertThat(json.unreleased()).isZero();
    }

    @Test
    void framesAreReleasedWhenOneLoopIsSlower() {
        subscribe(1, "log:a", node.loop, json);
        RecordingOutlet slower = subscribe(1, "log:a", secondLoop, json).get(0);
        burst("log:a", 1);
        node.loop.runAll();
        int whileOneIsOut = json.unreleased();

        secondLoop.runAll();

        assertThat(whileOneIsOut).isEqualTo(1);
        assertThat(json.unreleased()).isZero();
        assertThat(slower.texts("log:a")).containsExactly("0");
    }

    @Test
    void anEncoderThatThrowsDisconnectsItsFormatOnly() {
        List<RecordingOutlet> good = subscribe(3, "log:a", node.loop, json);
        List<RecordingOutlet> bad = subscribe(3, "log:a", node.loop, binary);
        binary.refuse(publication -> publication.data().text().equals("2"));

        node.publishMany("log:a", 1, 3);

        assertThat(good).allSatisfy(client -> assertThat(client.texts("log:a")).containsExactly("1", "2", "3"));
        assertThat(bad)
                .allSatisfy(client -> assertThat(client.events())
                        .hasSize(2)
                        .contains(new Disconnected(DisconnectReason.INAPPROPRIATE_PROTOCOL)));
    }

    @Test
    void anEncoderThatThrowsWhileCatchingUpDisconnects() {
        RecordingOutlet bad = subscribe(1, "log:a", node.loop, binary).get(0);
        binary.refuse(publication -> publication.data().text().equals("2"));
        bad.takeOnly(0);
        node.publishMany("log:a", 1, 3);

        bad.drain();
        node.settle();

        assertThat(bad.texts("log:a")).containsExactly("1");
        assertThat(bad.events()).contains(new Disconnected(DisconnectReason.INAPPROPRIATE_PROTOCOL));
    }

    @Test
    void anEncoderThatThrowsAtAJoinDisconnectsToo() {
        binary.refusePresence();
        RecordingOutlet bad = node.connect("bad", node.loop, binary).subscribe("room:a", StartAt.live());
        RecordingOutlet good = node.connect("good").subscribe("room:a", StartAt.live());

        node.settle();

        assertThat(bad.events()).contains(new Disconnected(DisconnectReason.INAPPROPRIATE_PROTOCOL));
        assertThat(good.events()).noneMatch(Disconnected.class::isInstance).hasSizeGreaterThan(1);
    }

    @Test
    void aJoinIsEncodedOncePerFormat() {
        for (int i = 0; i < 5; i++) {
            node.connect().subscribe("room:a", StartAt.live());
        }
        node.settle();
        int before = json.encoded();

        node.connect().subscribe("room:a", StartAt.live());
        node.settle();

        assertThat(json.encoded() - before).isEqualTo(1);
    }

    @Test
    void aConnectionInManyChannelsThatWaitsIsServedInTurn() {
        RecordingOutlet client = node.connect();
        IntStream.range(0, 10).forEach(i -> client.subscribe("log:" + i, StartAt.live()));
        node.settle();
        client.takeEvents();
        client.takeOnly(0);
        for (int i = 0; i < 10; i++) {
            node.publishMany("log:" + i, 1, 3);
        }

        while (client.events().size() < 30) {
            client.drain(1);
            node.settle();
        }

        for (int i = 0; i < 10; i++) {
            assertThat(client.texts("log:" + i)).containsExactly("1", "2", "3");
        }
        assertThat(client.violations()).isEmpty();
    }

    @Test
    void anOutletThatBecomesWritableWithinItsFlushLosesNothing() {
        RecordingOutlet client = subscribe(1, "log:a", node.loop, json).get(0);
        client.takeOnly(2);
        client.onFlush(() -> client.drain(2));

        node.publishMany("log:a", 1, 50);
        burst("log:a", 50);
        node.settle();

        assertThat(client.texts("log:a")).hasSize(100);
        assertThat(client.unflushed()).isZero();
        assertThat(client.violations()).isEmpty();
    }

    @Test
    @CausesFault("An outlet failed")
    void aBrokenOutletDoesNotStopItsLoop() {
        List<RecordingOutlet> clients = subscribe(3, "log:a", node.loop, json);
        clients.get(1).onFlush(() -> {
            throw new IllegalStateException("broken outlet");
        });

        node.publishMany("log:a", 1, 3);

        assertThat(clients.get(0).texts("log:a")).containsExactly("1", "2", "3");
        assertThat(clients.get(2).texts("log:a")).containsExactly("1", "2", "3");
        assertThat(clients.get(0).unflushed()).isZero();
        assertThat(clients.get(2).unflushed()).isZero();
    }

    private List<RecordingOutlet> subscribe(int count, String channel, ManualLoop loop, RecordingFormat format) {
        List<RecordingOutlet> clients = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            clients.add(node.connect("", loop, format).subscribe(channel, StartAt.live()));
        }
        node.settle();
        clients.forEach(RecordingOutlet::takeEvents);
        return clients;
    }

    /** Publishes without letting the loops run in between. */
    private void burst(String channel, int count) {
        for (int i = 0; i < count; i++) {
            assertThat(node.fanfare.publish(channel, Integer.toString(i))).isCompleted();
        }
    }
}
