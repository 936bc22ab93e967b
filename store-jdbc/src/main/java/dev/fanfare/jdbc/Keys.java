package dev.fanfare.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/** Makes random names that are never used twice, and short keys of long texts. */
final class Keys {

    static final int BYTES = 16;
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static final int EPOCH_LENGTH = 10;

    private static final ThreadLocal<MessageDigest> SHA_256 = ThreadLocal.withInitial(() -> {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("Every Java has SHA-256", impossible);
        }
    });

    private Keys() {}

    static String newEpoch() {
        StringBuilder epoch = new StringBuilder(EPOCH_LENGTH);
        ThreadLocalRandom random = ThreadLocalRandom.current();
        for (int i = 0; i < EPOCH_LENGTH; i++) {
            epoch.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        }
        return epoch.toString();
    }

    /** Returns a random number other than 0. */
    static long newId() {
        return ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
    }

    /** Returns 16 bytes for a text within a channel, the same on every node; different for different pairs. */
    static byte[] of(ChannelId channel, String text) {
        byte[] name = channel.value().getBytes(UTF_8);
        MessageDigest digest = SHA_256.get();
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(name.length).array());
        digest.update(name);
        digest.update(text.getBytes(UTF_8));
        return Arrays.copyOf(digest.digest(), BYTES);
    }

    /** Returns 64 bits of a digest of the body. */
    static long digest(Payload body) {
        return ByteBuffer.wrap(SHA_256.get().digest(body.unsafeBytes())).getLong();
    }
}
