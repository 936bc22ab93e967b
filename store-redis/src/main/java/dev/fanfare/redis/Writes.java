package dev.fanfare.redis;

import dev.fanfare.Health;
import dev.fanfare.spi.LogLine;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Knows whether a server that answers refuses to write: it has no memory left, too few replicas follow it, it cannot save to its
 * disk, or it is no primary any more. What is refused so was not run at all.
 *
 * <p><i>State.</i> What it refused the newest write with, of those of which it is known what became of them.
 *
 * <p><i>Threads.</i> Thread-safe.
 */
final class Writes {

    private static final LogLine REFUSED =
            LogLine.warn(Writes.class, "Redis refuses to write; its memory, replicas or disk want a look");
    private static final LogLine TAKEN = LogLine.warn(Writes.class, "Redis writes again");

    /** How such errors begin, see {@code scriptPrepareForRun} in Redis. */
    private static final Set<String> REFUSALS = Set.of("OOM", "NOREPLICAS", "MISCONF", "READONLY");

    private final String address;
    private volatile @Nullable String refusal;

    /**
     * Makes one.
     *
     * @param address of the Redis, for the log
     */
    Writes(String address) {
        this.address = address;
    }

    /** Learns of a failure, which may be of another kind. */
    void failed(Throwable failure) {
        String found = refusalOf(failure);
        if (found != null) {
            boolean isNews = !Objects.equals(found, refusal);
            refusal = found;
            if (isNews) {
                REFUSED.log("redis", address, "failure", found);
            }
        }
    }

    /** Learns that the server took what it would have refused otherwise. */
    void taken() {
        if (refusal != null) {
            refusal = null;
            TAKEN.log("redis", address);
        }
    }

    /** Tells whether it writes. */
    Health health() {
        String present = refusal;
        return present == null ? Health.up() : Health.down("redis: writes are refused, " + present);
    }

    /** Returns what a failure begins with if Redis refused before it did anything; null if it is of another kind. */
    static @Nullable String refusalOf(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String code = codeOf(cause);
            if (code != null && REFUSALS.contains(code)) {
                return code;
            }
        }
        return null;
    }

    private static @Nullable String codeOf(Throwable cause) {
        String message = cause.getMessage();
        return message == null ? null : message.split(" ", 2)[0];
    }
}
