package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.StartAt;
import dev.fanfare.presence.Member;
import dev.fanfare.servers.RedisServer;
import dev.fanfare.spi.PresenceStore;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;

/**
 * Measures publishing through Redis against the same commands sent by Lettuce alone, in turns, and how long a
 * publication takes from one node to another. Not a test: {@code benchmarks/README.md} says how to run it.
 */
final class RedisBenchmark {

    private static final int ROUNDS = Integer.getInteger("rounds", 101);
    private static final int WARM_UP = Integer.getInteger("warmup", 50);
    private static final int IN_FLIGHT = 128;
    private static final int COUNT = IN_FLIGHT * Integer.getInteger("pipelines", 100);
    private static final String PARTS = System.getProperty("parts", "logged,sent,latency,resume,presence");
    private static final int CHANNELS = 100;
    private static final byte[] DATA = "x".repeat(128).getBytes(US_ASCII);
    private static final Payload PAYLOAD = Payload.of(new String(DATA, US_ASCII));

    private RedisBenchmark() {}

    @FunctionalInterface
    private interface Publish {
        CompletionStage<?> to(int channel);

        /** Sends what was published so far, if it is not sent anyway. */
        default void flush() {}
    }

    /** Publishes with Lettuce, which is told when to write, as its manual recommends. */
    private record Bare(StatefulRedisConnection<byte[], byte[]> connection, IntFunction<RedisFuture<?>> command)
            implements Publish {
        @Override
        public CompletionStage<?> to(int channel) {
            return command.apply(channel);
        }

        @Override
        public void flush() {
            connection.flushCommands();
        }
    }

    public static void main(String[] args) throws Exception {
        try (RedisServer server = RedisServer.start();
                RedisStore storeA = RedisStore.of(server.uri());
                RedisStore storeB = RedisStore.of(server.uri());
                Fanfare a = fanfare(storeA);
                Fanfare b = fanfare(storeB);
                RedisClient client = client(server);
                StatefulRedisConnection<byte[], byte[]> bare = client.connect(ByteArrayCodec.INSTANCE)) {
            Publish logged = channel -> a.publish(CHAT[channel], PAYLOAD, PublishOptions.none());
            Publish sent = channel -> a.publish(TYPING[channel], PAYLOAD, PublishOptions.none());
            Publish bareAppend = bareAppend(bare);
            Publish barePublish = barePublish(bare);
            bare.setAutoFlushCommands(false);
            if (PARTS.contains("logged")) {
                compare("logged", server, logged, bareAppend);
            }
            if (PARTS.contains("sent")) {
                compare("fire and forget", server, sent, barePublish);
            }
            if (PARTS.contains("latency")) {
                latency(a, b);
            }
            if (PARTS.contains("resume")) {
                resume(a, b);
            }
            if (PARTS.contains("presence")) {
                presence(storeA.presence());
            }
        }
        System.exit(0);
    }

    /** A client without what the store does without too: time-outs, reconnecting, and an index of its queue. */
    private static RedisClient client(RedisServer server) {
        RedisClient client = RedisClient.create(server.uri());
        client.setOptions(ClientOptions.builder()
                .autoReconnect(false)
                .maintNotificationsConfig(MaintNotificationsConfig.disabled())
                .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
                .useHashIndexQueue(false)
                .build());
        return client;
    }

    private static Fanfare fanfare(RedisStore store) {
        return Fanfare.builder()
                .store(store)
                .namespace("chat", rules -> rules.retain(100, Duration.ofHours(1)))
                .namespace("typing", rules -> rules)
                .build();
    }

    private static final ChannelId[] CHAT = named("chat");
    private static final ChannelId[] TYPING = named("typing");

    private static ChannelId[] named(String namespace) {
        ChannelId[] ids = new ChannelId[CHANNELS];
        Arrays.setAll(ids, i -> ChannelId.of(namespace + ":c" + i));
        return ids;
    }

    /** The script of an append with the arguments that it would have, made once. */
    private static Publish bareAppend(StatefulRedisConnection<byte[], byte[]> bare) {
        String digest = bare.sync().scriptLoad(Script.APPEND.text("bare", "", 0).getBytes(UTF_8));
        Keys keys = new Keys("lettuce");
        byte[][][] keysOf = new byte[CHANNELS][][];
        byte[][][] argumentsOf = new byte[CHANNELS][][];
        byte[] body = Envelope.body(PAYLOAD, PublishOptions.none(), null);
        for (int i = 0; i < CHANNELS; i++) {
            byte[] place = Keys.place(CHAT[i]);
            keysOf[i] = new byte[][] {keys.head(place), keys.stream(place), keys.genesis(CHAT[i])};
            argumentsOf[i] = new byte[][] {
                text("epoch"),
                text("" + Keys.phase(CHAT[i])),
                new ByteSink(8).putLong(4711).toBytes(),
                text("100"),
                text("3600000"),
                text("2592000000"),
                body,
                text("PUBLISH"),
                text(keys.bus(CHAT[i])),
                text("16384")
            };
        }
        RedisAsyncCommands<byte[], byte[]> commands = bare.async();
        return new Bare(
                bare,
                channel -> commands.evalsha(digest, ScriptOutputType.VALUE, keysOf[channel], argumentsOf[channel]));
    }

    /** The same bytes that a publication is on the wire, made once. */
    private static Publish barePublish(StatefulRedisConnection<byte[], byte[]> bare) {
        Keys keys = new Keys("lettuce");
        byte[][] names = new byte[CHANNELS][];
        Arrays.setAll(names, i -> text(keys.bus(TYPING[i])));
        byte[] frame = BusFrame.published(
                Publication.builder(PAYLOAD).timeMillis(1_700_000_000_000L).build());
        RedisAsyncCommands<byte[], byte[]> commands = bare.async();
        return new Bare(bare, channel -> commands.publish(names[channel], frame));
    }

    private static byte[] text(String text) {
        return text.getBytes(UTF_8);
    }

    /** Runs both in short turns, now one first and now the other, so that what else the machine does meets both. */
    private static void compare(String what, RedisServer server, Publish ours, Publish bare) throws Exception {
        for (int i = 0; i < WARM_UP; i++) {
            run(ours);
            run(bare);
        }
        Side our = new Side(ours, server);
        Side alone = new Side(bare, server);
        double[] ratios = new double[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            (i % 2 == 0 ? our : alone).turn();
            (i % 2 == 0 ? alone : our).turn();
            ratios[i] = our.rates[i] / alone.rates[i];
        }
        Arrays.sort(ratios);
        System.out.printf(
                Locale.ROOT,
                "%-16s ratio %.2f, the middle half of %d pairs %.2f to %.2f, all %.2f to %.2f%n",
                what,
                ratios[ROUNDS / 2],
                ROUNDS,
                ratios[ROUNDS / 4],
                ratios[ROUNDS * 3 / 4],
                ratios[0],
                ratios[ROUNDS - 1]);
        our.print("ours");
        alone.print("Lettuce alone");
    }

    /** One of the two, and what its turns took. */
    private static final class Side {
        private final Publish publish;
        private final ProcessHandle client = ProcessHandle.current();
        private final ProcessHandle server;
        private final double[] rates = new double[ROUNDS];
        private int turns;
        private long clientNanos;
        private long serverNanos;

        Side(Publish publish, RedisServer server) {
            this.publish = publish;
            this.server = ProcessHandle.of(server.pid()).orElseThrow();
        }

        void turn() throws Exception {
            long clientBefore = processorTime(client);
            long serverBefore = processorTime(server);
            rates[turns++] = run(publish);
            clientNanos += processorTime(client) - clientBefore;
            serverNanos += processorTime(server) - serverBefore;
        }

        private static long processorTime(ProcessHandle process) {
            return process.info().totalCpuDuration().orElseThrow().toNanos();
        }

        void print(String name) {
            Arrays.sort(rates);
            double publishes = 1e3 * turns * COUNT;
            System.out.printf(
                    Locale.ROOT,
                    "    %-14s median %,8.0f/s; processor time per publish %.2f us here, %.2f us in Redis%n",
                    name,
                    rates[turns / 2],
                    clientNanos / publishes,
                    serverNanos / publishes);
        }
    }

    /** Publishes pipelines of so many, and waits for each: the way that Lettuce's manual recommends. */
    private static double run(Publish publish) throws Exception {
        CompletableFuture<?>[] pipeline = new CompletableFuture<?>[IN_FLIGHT];
        long start = System.nanoTime();
        for (int i = 0; i < COUNT; i += IN_FLIGHT) {
            for (int j = 0; j < IN_FLIGHT; j++) {
                pipeline[j] = publish.to((i + j) % CHANNELS).toCompletableFuture();
            }
            publish.flush();
            for (CompletableFuture<?> each : pipeline) {
                if (each.get(20, TimeUnit.SECONDS) instanceof PublishResult.Refused refused) {
                    throw new IllegalStateException(refused.toString());
                }
            }
        }
        return COUNT / ((System.nanoTime() - start) / 1e9);
    }

    /** Publishes 2,000 a second on one node, and sees when they come on the other. */
    private static void latency(Fanfare a, Fanfare b) throws InterruptedException {
        int count = 20_000;
        long pause = TimeUnit.SECONDS.toNanos(1) / 2_000;
        long[] sentAt = new long[count];
        long[] micros = new long[count];
        AtomicInteger next = new AtomicInteger();
        CountDownLatch all = new CountDownLatch(count);
        ChannelId channel = ChannelId.of("chat:latency");
        b.subscribe(channel, StartAt.live(), publication -> {
                    int i = Integer.parseInt(publication.data().text());
                    if (i != next.getAndIncrement()) {
                        throw new IllegalStateException("not in order");
                    }
                    micros[i] = (System.nanoTime() - sentAt[i]) / 1000;
                    all.countDown();
                })
                .ready()
                .toCompletableFuture()
                .join();
        long due = System.nanoTime();
        for (int i = 0; i < count; i++) {
            due += pause;
            while (System.nanoTime() < due) {
                LockSupport.parkNanos(due - System.nanoTime());
            }
            sentAt[i] = System.nanoTime();
            a.publish(channel, Payload.of(Integer.toString(i)), PublishOptions.none());
        }
        if (!all.await(60, TimeUnit.SECONDS)) {
            throw new IllegalStateException(all.getCount() + " did not arrive");
        }
        long[] settled = Arrays.copyOfRange(micros, count / 4, count);
        Arrays.sort(settled);
        System.out.printf(
                Locale.ROOT,
                "from node to node, 2,000/s: p50 %.2f ms, p99 %.2f ms, max %.2f ms%n",
                settled[settled.length / 2] / 1e3,
                settled[(int) (settled.length * 0.99)] / 1e3,
                settled[settled.length - 1] / 1e3);
    }

    /** Lets subscribers come back, one after the other, each to a channel of its own that nobody else reads there. */
    private static void resume(Fanfare a, Fanfare b) throws InterruptedException {
        int missed = 50;
        long[] micros = new long[1_000];
        for (int i = 0; i < micros.length; i++) {
            ChannelId channel = ChannelId.of("chat:resume" + i);
            Cursor first = null;
            for (int j = 0; j <= missed; j++) {
                PublishResult result =
                        a.publish(channel, PAYLOAD).toCompletableFuture().join();
                first = first == null ? result.position().orElseThrow() : first;
            }
            CountDownLatch all = new CountDownLatch(missed);
            long begun = System.nanoTime();
            b.subscribe(channel, StartAt.after(first), publication -> all.countDown());
            if (!all.await(20, TimeUnit.SECONDS)) {
                throw new IllegalStateException(all.getCount() + " did not arrive");
            }
            micros[i] = (System.nanoTime() - begun) / 1000;
        }
        long[] settled = Arrays.copyOfRange(micros, micros.length / 4, micros.length);
        Arrays.sort(settled);
        System.out.printf(
                Locale.ROOT,
                "coming back to %d that were missed: p50 %.2f ms, p99 %.2f ms, max %.2f ms%n",
                missed,
                settled[settled.length / 2] / 1e3,
                settled[(int) (settled.length * 0.99)] / 1e3,
                settled[settled.length - 1] / 1e3);
    }

    /** Lets members enter and leave, as many as fit into the pipeline at a time. */
    private static void presence(PresenceStore presence) throws Exception {
        String node = "bench";
        presence.renew(node, Duration.ofMinutes(5)).toCompletableFuture().join();
        AtomicInteger next = new AtomicInteger();
        Publish enter = channel -> {
            String name = "u" + next.getAndIncrement();
            return presence.enter(node, CHAT[channel], new Member(name, name, null), Duration.ZERO);
        };
        Publish leave = channel -> {
            String name = "u" + next.getAndIncrement();
            return presence.leave(CHAT[channel], new Member(name, name, null), Duration.ZERO);
        };
        for (int i = 0; i < 5; i++) {
            next.set(0);
            double entered = run(enter);
            next.set(0);
            double left = run(leave);
            System.out.printf(
                    Locale.ROOT,
                    "presence         %,d members enter at %,8.0f/s and leave at %,8.0f/s%n",
                    COUNT,
                    entered,
                    left);
        }
    }
}
