package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.StartAt;
import dev.fanfare.servers.RedisServer;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures publishing through Redis against the same commands sent by Lettuce alone, in turns, and how long a
 * publication takes from one node to another. Not a test: {@code benchmarks/README.md} says how to run it.
 */
final class RedisBenchmark {

    private static final int ROUNDS = Integer.getInteger("rounds", 7);
    private static final int COUNT = Integer.getInteger("count", 40_000);
    private static final String PARTS = System.getProperty("parts", "logged,sent,latency");
    private static final int IN_FLIGHT = 128;
    private static final int CHANNELS = 100;
    private static final byte[] DATA = "x".repeat(128).getBytes(US_ASCII);
    private static final Payload PAYLOAD = Payload.of(new String(DATA, US_ASCII));

    private RedisBenchmark() {}

    @FunctionalInterface
    private interface Publish {
        CompletionStage<?> to(int channel);
    }

    public static void main(String[] args) throws Exception {
        try (RedisServer server = RedisServer.start();
                RedisStore storeA = RedisStore.of(server.uri());
                RedisStore storeB = RedisStore.of(server.uri());
                Fanfare a = fanfare(storeA);
                Fanfare b = fanfare(storeB);
                RedisClient client = RedisClient.create(server.uri());
                StatefulRedisConnection<byte[], byte[]> bare = client.connect(ByteArrayCodec.INSTANCE)) {
            Publish logged = channel -> a.publish(ids("chat")[channel], PAYLOAD, PublishOptions.none());
            Publish sent = channel -> a.publish(ids("typing")[channel], PAYLOAD, PublishOptions.none());
            if (PARTS.contains("logged")) {
                compare("logged", logged, bareAppend(bare), bare);
            }
            if (PARTS.contains("sent")) {
                compare("fire and forget", sent, barePublish(bare), bare);
            }
            if (PARTS.contains("latency")) {
                latency(a, b);
            }
        }
        System.exit(0);
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

    private static ChannelId[] ids(String namespace) {
        return namespace.equals("chat") ? CHAT : TYPING;
    }

    /** The script of an append with the arguments that it would have, made once. */
    private static Publish bareAppend(StatefulRedisConnection<byte[], byte[]> bare) {
        String digest = bare.sync().scriptLoad(Script.APPEND.text("bare", "", 0).getBytes(UTF_8));
        Keys keys = new Keys("bare");
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
        return channel -> bare.async().evalsha(digest, ScriptOutputType.VALUE, keysOf[channel], argumentsOf[channel]);
    }

    private static Publish barePublish(StatefulRedisConnection<byte[], byte[]> bare) {
        byte[][] names = new byte[CHANNELS][];
        Arrays.setAll(names, i -> text("bare:b:{" + TYPING[i] + '}'));
        byte[] frame = Arrays.copyOf(DATA, DATA.length + 40);
        return channel -> bare.async().publish(names[channel], frame);
    }

    private static byte[] text(String text) {
        return text.getBytes(UTF_8);
    }

    /** Runs both in turns, so that what else the machine does meets both. */
    private static void compare(
            String what, Publish ours, Publish bare, StatefulRedisConnection<byte[], byte[]> connection)
            throws InterruptedException {
        double[] ratios = new double[ROUNDS];
        for (int i = -2; i < ROUNDS; i++) {
            double ourRate = closed(ours);
            double bareRate = batched(bare, connection);
            if (i >= 0) {
                ratios[i] = ourRate / bareRate;
                System.out.printf(
                        Locale.ROOT,
                        "%-16s ours %,8.0f/s   Lettuce alone %,8.0f/s   ratio %.2f%n",
                        what,
                        ourRate,
                        bareRate,
                        ratios[i]);
            }
        }
        Arrays.sort(ratios);
        System.out.printf(Locale.ROOT, "%-16s median ratio %.2f%n", what, ratios[ROUNDS / 2]);
    }

    /** Keeps so many in flight: one that ends makes place for another. */
    private static double closed(Publish publish) throws InterruptedException {
        Semaphore places = new Semaphore(IN_FLIGHT);
        AtomicReference<Throwable> failed = new AtomicReference<>();
        long start = System.nanoTime();
        for (int i = 0; i < COUNT; i++) {
            places.acquire();
            publish.to(i % CHANNELS).whenComplete((done, failure) -> {
                if (failure != null || done instanceof PublishResult.Refused) {
                    failed.set(failure == null ? new IllegalStateException("refused") : failure);
                }
                places.release();
            });
        }
        places.acquire(IN_FLIGHT);
        if (failed.get() != null) {
            throw new IllegalStateException(failed.get());
        }
        return COUNT / ((System.nanoTime() - start) / 1e9);
    }

    /** Sends pipelines of so many, each in one write, and waits for each: the way Lettuce's manual recommends. */
    private static double batched(Publish publish, StatefulRedisConnection<byte[], byte[]> connection)
            throws InterruptedException {
        connection.setAutoFlushCommands(false);
        RedisFuture<?>[] batch = new RedisFuture<?>[IN_FLIGHT];
        long start = System.nanoTime();
        for (int i = 0; i < COUNT; i += IN_FLIGHT) {
            for (int j = 0; j < IN_FLIGHT; j++) {
                batch[j] = (RedisFuture<?>) publish.to((i + j) % CHANNELS);
            }
            connection.flushCommands();
            for (RedisFuture<?> each : batch) {
                if (!each.await(20, TimeUnit.SECONDS) || each.getError() != null) {
                    throw new IllegalStateException(each.getError());
                }
            }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        connection.setAutoFlushCommands(true);
        return COUNT / seconds;
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
}
