package dev.fanfare.internal;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import dev.fanfare.Authenticator;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.Refusal;
import dev.fanfare.RefusedException;
import dev.fanfare.Tickets;
import dev.fanfare.spi.AppendRequest;
import dev.fanfare.spi.ChannelLog;
import dev.fanfare.spi.ChannelLog.AppendResult;
import dev.fanfare.spi.LatestValues;
import dev.fanfare.spi.Store;
import dev.fanfare.spi.TimeSource;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what tickets are good for among the latest values, and redeems each once, as a publish with a dedup
 * key is made once. If a node dies in between, the ticket is spent, and the client fetches another.
 *
 * <p><i>Threads.</i> Thread-safe.
 *
 * <p><i>Bounds.</i> At most {@link #MAX_LIVE} tickets of this node live at a time, each for {@link #LIFETIME}.
 */
final class StoredTickets implements Tickets {

    private static final int MAX_LIVE = 100_000;
    private static final int MAX_CHARS = 16 * 1024;
    private static final int TICKET_BYTES = 32;
    private static final String PREFIX = "t1.";
    private static final String PARAMETER = "ticket";
    /** No namespace of a host: those who publish cannot name it, and nobody is subscribed to it. */
    private static final ChannelId CHANNEL = ChannelId.of("$fanfare:tickets");

    private static final ChannelRules ONCE = ChannelRules.builder()
            .dedupWindow(LIFETIME.plus(Duration.ofMinutes(1)))
            .build();

    private final LatestValues values;
    private final ChannelLog log;
    private final Calls calls;
    private final TimeSource time;
    private final SecureRandom random = new SecureRandom();
    private long windowBegan;
    private int issued;

    StoredTickets(Store store, Calls calls, TimeSource time) {
        this.values = store.latestValues();
        this.log = store.log();
        this.calls = calls;
        this.time = time;
        this.windowBegan = time.nanos();
    }

    @Override
    public CompletionStage<String> issue(Authenticator.Accepted admission) {
        String text = AdmissionText.of(requireNonNull(admission, "admission"));
        if (text.length() > MAX_CHARS) {
            throw new IllegalArgumentException(
                    "What a ticket is good for has at most " + MAX_CHARS + " characters: " + text.length());
        }
        if (!isRoomForOneMore()) {
            return CompletableFuture.failedFuture(
                    new RefusedException("Too many tickets: " + MAX_LIVE, Refusal.TOO_MANY_REQUESTS));
        }
        byte[] bytes = new byte[TICKET_BYTES];
        random.nextBytes(bytes);
        String ticket = PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        Publication value = Publication.builder(Payload.of(text)).build();
        return calls.forHost(calls.store("keeping a ticket", () -> values.put(CHANNEL, hash(ticket), value, LIFETIME))
                .thenApply(done -> ticket));
    }

    /** Counts by windows of a ticket's life, so that up to twice as many may live for a moment. */
    private synchronized boolean isRoomForOneMore() {
        long now = time.nanos();
        if (now - windowBegan >= LIFETIME.toNanos()) {
            windowBegan = now;
            issued = 0;
        }
        return issued++ < MAX_LIVE;
    }

    private CompletionStage<Authenticator.Answer> redeem(String ticket) {
        String hash = hash(ticket);
        return calls.store("looking for a ticket", () -> values.get(CHANNEL, hash))
                .thenCompose(value -> value == null
                        ? CompletableFuture.completedFuture(Authenticator.Rejected.EXPIRED_TOKEN)
                        : spend(hash)
                                .thenApply(isFirst -> isFirst
                                        ? AdmissionText.read(value.data().text())
                                        : Authenticator.Rejected.EXPIRED_TOKEN));
    }

    /** Answers true exactly once for one hash. */
    private CompletionStage<Boolean> spend(String hash) {
        AppendRequest request = new AppendRequest(
                CHANNEL, Payload.of("1"), PublishOptions.dedupKey(hash), null, ONCE, 1 + random.nextInt(1 << 30));
        return calls.store("spending a ticket", () -> log.append(request)).thenApply(result -> {
            if (result instanceof AppendResult.Full) {
                throw new RefusedException("A ticket cannot be spent now", Refusal.UNAVAILABLE);
            }
            // If this fails, the value goes when its time is over.
            calls.store("dropping a ticket", () -> values.remove(CHANNEL, hash)).exceptionally(failed -> null);
            return result instanceof AppendResult.Appended;
        });
    }

    private static String hash(String ticket) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(ticket.getBytes(US_ASCII));
            return Base64.getUrlEncoder().withoutPadding().encodeToString(hash);
        } catch (NoSuchAlgorithmException everyPlatformHasIt) {
            throw new IllegalStateException(everyPlatformHasIt);
        }
    }

    @Override
    public Authenticator before(Authenticator others) {
        requireNonNull(others, "others");
        return new Authenticator() {
            @Override
            public CompletionStage<Answer> authenticate(Credentials credentials) {
                String ticket = ticket(credentials);
                return ticket == null ? others.authenticate(credentials) : redeem(ticket);
            }

            @Override
            public CompletionStage<Answer> refresh(ConnectionInfo connection, Credentials credentials) {
                String ticket = ticket(credentials);
                return ticket == null ? others.refresh(connection, credentials) : redeem(ticket);
            }
        };
    }

    private static @Nullable String ticket(Authenticator.Credentials credentials) {
        String shown =
                credentials.token().isEmpty() ? credentials.query().getOrDefault(PARAMETER, "") : credentials.token();
        return shown.startsWith(PREFIX) ? shown : null;
    }
}
