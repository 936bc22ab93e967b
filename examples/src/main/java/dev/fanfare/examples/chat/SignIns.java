package dev.fanfare.examples.chat;

import dev.fanfare.Authenticator;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.FanfareListener;
import java.security.SecureRandom;
import java.text.Normalizer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;

/**
 * <b>For the demo only.</b> Gives a random token to whoever picks a free name, and recognises it when
 * it comes back. No password, nothing on disk; a real host verifies its own session or JWT here.
 *
 * <p>A name belongs to its token while that has a connection and {@link #HELD} beyond, or until it is
 * signed out. So nobody can take a name that is in use, and a name is not lost with a closed tab.
 *
 * <p><b>Threading:</b> thread-safe; one short lock, nothing foreign under it.
 */
final class SignIns implements Authenticator, FanfareListener {

    /** How long a name stays taken after its last connection. */
    static final Duration HELD = Duration.ofSeconds(30);

    /** Most names at a time; a bound, not a feature. */
    static final int MAX_GUESTS = 10_000;

    private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{N}](?:[ ._-]?[\\p{L}\\p{N}]){0,23}");

    private final SecureRandom random = new SecureRandom();
    private final Clock clock;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Guest> byName = new HashMap<>(); // guarded by lock; key in lower case
    private final Map<String, Guest> byToken = new HashMap<>(); // guarded by lock

    SignIns(Clock clock) {
        this.clock = clock;
    }

    /** One name in use; all fields guarded by the lock. */
    private static final class Guest {
        final String name;
        final String token;
        int connections;
        Instant lastSeen;

        Guest(String name, String token, Instant now) {
            this.name = name;
            this.token = token;
            this.lastSeen = now;
        }

        boolean isGone(Instant now) {
            return connections == 0 && lastSeen.plus(HELD).isBefore(now);
        }
    }

    /** What became of a sign-in. */
    sealed interface Outcome {
        /**
         * The name is theirs.
         *
         * @param name as it is shown
         * @param token what proves it
         */
        record SignedIn(String name, String token) implements Outcome {}

        /** No. */
        enum Refused implements Outcome {
            BAD_NAME("A name has 1 to 24 letters or digits, with single spaces, dots or dashes between them."),
            TAKEN(
                    "Somebody is here under that name, or was half a minute ago. Pick another one. If it is you in another tab,"
                            + " duplicate that tab."),
            FULL("There are too many people here. Try again later.");

            private final String text;

            Refused(String text) {
                this.text = text;
            }

            String text() {
                return text;
            }
        }
    }

    /** Signs somebody in under a name. */
    Outcome signIn(String wanted) {
        String name = Normalizer.normalize(wanted.strip(), Normalizer.Form.NFC);
        if (name.length() > 24 || !NAME.matcher(name).matches()) {
            return Outcome.Refused.BAD_NAME;
        }
        String key = name.toLowerCase(Locale.ROOT);
        byte[] secret = new byte[24];
        random.nextBytes(secret);
        String token = Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
        Instant now = clock.instant();
        lock.lock();
        try {
            Guest holder = byName.get(key);
            if (holder != null && !holder.isGone(now)) {
                return Outcome.Refused.TAKEN;
            }
            if (holder != null) {
                byToken.remove(holder.token);
            }
            if (byName.size() >= MAX_GUESTS) {
                byName.values().removeIf(guest -> guest.isGone(now));
                byToken.values().removeIf(guest -> guest.isGone(now));
                if (byName.size() >= MAX_GUESTS) {
                    return Outcome.Refused.FULL;
                }
            }
            // Lower case, so that "Ada" is the "ada" whom the rooms know.
            Guest guest = new Guest(key, token, now);
            byName.put(key, guest);
            byToken.put(token, guest);
            return new Outcome.SignedIn(guest.name, token);
        } finally {
            lock.unlock();
        }
    }

    /** Finds whose token that is. */
    Optional<String> nameOf(String token) {
        lock.lock();
        try {
            return Optional.ofNullable(byToken.get(token)).map(guest -> guest.name);
        } finally {
            lock.unlock();
        }
    }

    /** Gives the name back; the token is worth nothing from now on. */
    void signOut(String token) {
        lock.lock();
        try {
            Guest guest = byToken.remove(token);
            if (guest != null) {
                byName.remove(guest.name, guest);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public CompletionStage<Answer> authenticate(Credentials credentials) {
        if (credentials.token().isEmpty()) {
            return CompletableFuture.completedFuture(Accepted.user(""));
        }
        Optional<String> name = nameOf(credentials.token());
        Answer answer = name.isPresent() ? Accepted.user(name.get()) : Rejected.INVALID_TOKEN;
        return CompletableFuture.completedFuture(answer);
    }

    @Override
    public void onConnect(ConnectionInfo connection) {
        count(connection.user(), 1);
    }

    @Override
    public void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {
        count(connection.user(), -1);
    }

    private void count(String user, int change) {
        lock.lock();
        try {
            Guest guest = byName.get(user);
            if (guest != null) {
                // After a sign-out, connections of the name's earlier holder may still end.
                guest.connections = Math.max(0, guest.connections + change);
                guest.lastSeen = clock.instant();
            }
        } finally {
            lock.unlock();
        }
    }
}
