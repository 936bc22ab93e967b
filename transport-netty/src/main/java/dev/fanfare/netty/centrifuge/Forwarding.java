package dev.fanfare.netty.centrifuge;

import dev.fanfare.Rate;
import dev.fanfare.spi.TokenBucket;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Says how often the posts of one session are brought to another node. On its own node a session costs that node alone,
 * which slows it down there; on the way to another it costs all of them, and the places of others.
 *
 * <p><i>Bounds.</i> {@link #OF_SESSION} for each session, {@link #OF_NEW} for sessions that this node has not heard of:
 * anybody can make them up. Known is who was found on another node: of those, the {@link #MAX_SESSIONS} that were here last
 * are kept, so that made-up ones push nobody out.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class Forwarding {

    /** How often one session posts through this node. */
    static final Rate OF_SESSION = Rate.of(50, 150);
    /** How often there is another session: no more can come than clients can connect. */
    static final Rate OF_NEW = Rate.of(2_000, 5_000);

    static final int MAX_SESSIONS = 50_000;

    private final TokenBucket newcomers = new TokenBucket(OF_NEW);
    /** By session, longest unused first; guarded by itself. */
    private final Map<String, TokenBucket> sessions = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, TokenBucket> eldest) {
            return size() > MAX_SESSIONS;
        }
    };

    /** What becomes of a post. */
    enum Verdict {
        /** It may go. */
        FINE,
        /** The session posts too often. */
        TOO_OFTEN,
        /** Too many sessions are new. */
        TOO_MANY
    }

    /** Judges a post. */
    Verdict judge(String session, long nanos) {
        synchronized (sessions) {
            TokenBucket known = sessions.get(session);
            if (known == null) {
                return newcomers.tryTake(nanos) ? Verdict.FINE : Verdict.TOO_MANY;
            }
            return known.tryTake(nanos) ? Verdict.FINE : Verdict.TOO_OFTEN;
        }
    }

    /** Learns that there is such a session. */
    void keep(String session) {
        synchronized (sessions) {
            sessions.computeIfAbsent(session, found -> new TokenBucket(OF_SESSION));
        }
    }

    /** Learns that there is no such session, or not any more. */
    void forget(String session) {
        synchronized (sessions) {
            sessions.remove(session);
        }
    }

    /** Returns how many sessions are known. */
    int count() {
        synchronized (sessions) {
            return sessions.size();
        }
    }
}
