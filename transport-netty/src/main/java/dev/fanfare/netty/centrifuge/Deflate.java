package dev.fanfare.netty.centrifuge;

import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * Compresses whole messages as permessage-deflate does (RFC 7692, 7.2), each for itself; one for each transport.
 *
 * <p><i>Bounds.</i> A few compressors of each kind are kept, because their memory is costly to get; what inflates beyond what
 * is allowed is given up there.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class Deflate {

    /** Ends every compressed message, and is not sent. */
    private static final byte[] TAIL = {0, 0, (byte) 0xff, (byte) 0xff};

    private static final int KEPT = 4;

    private final BlockingQueue<Deflater> deflaters = new ArrayBlockingQueue<>(KEPT);
    private final BlockingQueue<Inflater> inflaters = new ArrayBlockingQueue<>(KEPT);

    /** Returns the first bytes compressed, without the tail; null if that is no shorter. */
    byte @Nullable [] compress(byte[] message, int length) {
        Deflater free = deflaters.poll();
        Deflater deflater = free != null ? free : new Deflater(Deflater.BEST_SPEED, true);
        try {
            deflater.setInput(message, 0, length);
            byte[] out = new byte[length + TAIL.length];
            int written = deflater.deflate(out, 0, out.length, Deflater.SYNC_FLUSH);
            // A full buffer may mean that there is more; it is no shorter anyway.
            return written < length ? Arrays.copyOf(out, written - TAIL.length) : null;
        } finally {
            deflater.reset();
            if (!deflaters.offer(deflater)) {
                deflater.end();
            }
        }
    }

    /**
     * Returns what a client compressed.
     *
     * @param maxBytes how long it may become
     * @return null if it would become longer
     * @throws DataFormatException if it is not compressed properly
     */
    byte @Nullable [] inflate(byte[] message, int maxBytes) throws DataFormatException {
        Inflater free = inflaters.poll();
        Inflater inflater = free != null ? free : new Inflater(true);
        try {
            return inflate(inflater, message, maxBytes);
        } finally {
            inflater.reset();
            if (!inflaters.offer(inflater)) {
                inflater.end();
            }
        }
    }

    private static byte @Nullable [] inflate(Inflater inflater, byte[] message, int maxBytes)
            throws DataFormatException {
        byte[] out = new byte[Math.min(Math.max(64, 4 * message.length), maxBytes + 1)];
        int length = 0;
        inflater.setInput(message);
        boolean hasTail = false;
        while (true) {
            int more = inflater.inflate(out, length, out.length - length);
            length += more;
            if (length > maxBytes) {
                return null;
            } else if (length == out.length) {
                out = Arrays.copyOf(out, Math.min(2 * length, maxBytes + 1));
            } else if (more == 0) {
                if (inflater.needsDictionary()) {
                    throw new DataFormatException("it needs a dictionary");
                } else if (hasTail || inflater.finished()) {
                    return Arrays.copyOf(out, length);
                }
                inflater.setInput(TAIL);
                hasTail = true;
            }
        }
    }
}
