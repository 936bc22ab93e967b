package dev.fanfare.jwt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;
import static java.util.Objects.requireNonNullElseGet;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.ExpiredJWTException;
import dev.fanfare.Authenticator;
import dev.fanfare.SubscriptionAuthenticator;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows clients by JSON Web Tokens (RFC 7519), and grants subscriptions by them.
 *
 * <pre>{@code
 * JwtAuthenticator tokens = JwtAuthenticator.hmac(secret);
 * Fanfare.builder().subscriptionAuthenticator(tokens)…
 * NettyTransport.builder(fanfare).authenticator(tokens)…
 * }</pre>
 *
 * <p>A <b>connection token</b> names the user in {@code sub} (absent: anonymous), and may have {@code info},
 * shown to others; {@code channels}, an array of names, or {@code subs}, an object whose keys are names, to
 * which the server subscribes the client; {@code exp}, after which the client must have shown a new one; and
 * {@code expire_at}, which takes the place of {@code exp} for how long the connection lasts, 0 for without
 * end. A <b>subscription token</b> has the user in {@code sub}, and the one channel in {@code channel}; it may
 * have {@code exp} and {@code expire_at}, and {@code client}, the only connection that may use it. These are
 * the claims of Centrifugo; its {@code meta}, {@code b64info} and the options within {@code subs} are not
 * looked at. Neither kind passes for the other.
 *
 * <p>The signature is verified by the keys given and their algorithms; {@code none} is no algorithm. A token
 * is never written to a log.
 *
 * <p><b>Threading:</b> thread-safe. It may block while keys are fetched.
 */
public final class JwtAuthenticator implements Authenticator, SubscriptionAuthenticator {

    private static final Logger LOG = LoggerFactory.getLogger(JwtAuthenticator.class);

    private final JwtKeys keys;
    private final TokenVerifier verifier;
    private final TokenClaims claims;

    private JwtAuthenticator(Builder builder) {
        this.keys = builder.keys;
        Duration skew = requireNonNullElse(builder.clockSkew, Duration.ZERO);
        Clock clock = requireNonNullElseGet(builder.clock, Clock::systemUTC);
        this.verifier = new TokenVerifier(builder.keys, builder.issuer, builder.audience, skew, clock);
        this.claims = new TokenClaims(skew);
    }

    /**
     * Verifies tokens that are signed with HS256 and this secret.
     *
     * @throws IllegalArgumentException if the secret has less than 32 bytes
     */
    public static JwtAuthenticator hmac(String secret) {
        return builder(JwtKeys.hmac(JwtAlgorithm.HS256, secret.getBytes(UTF_8))).build();
    }

    /** Verifies tokens with these keys; name issuer and audience as well where the issuer serves others, too. */
    public static Builder builder(JwtKeys keys) {
        return new Builder(requireNonNull(keys, "keys"));
    }

    @Override
    public CompletionStage<Authenticator.Answer> authenticate(Authenticator.Credentials credentials) {
        if (credentials.token().isEmpty()) {
            return CompletableFuture.completedFuture(Authenticator.Rejected.UNAUTHORIZED);
        }
        return judge(
                credentials.token(),
                claims::connection,
                Authenticator.Rejected.EXPIRED_TOKEN,
                Authenticator.Rejected.INVALID_TOKEN);
    }

    @Override
    public CompletionStage<SubscriptionAuthenticator.Answer> authenticate(
            SubscriptionAuthenticator.Credentials credentials) {
        return judge(
                credentials.token(),
                token -> claims.subscription(token, credentials),
                SubscriptionAuthenticator.Rejected.EXPIRED_TOKEN,
                SubscriptionAuthenticator.Rejected.INVALID_TOKEN);
    }

    /** Tells the keys' algorithms and where they come from; never a secret. */
    @Override
    public String toString() {
        return "JwtAuthenticator[" + keys + "]";
    }

    private <A> CompletionStage<A> judge(String token, Reading<A> reading, A ifExpired, A ifInvalid) {
        try {
            return CompletableFuture.completedFuture(reading.read(verifier.verify(token)));
        } catch (ExpiredJWTException expired) {
            return CompletableFuture.completedFuture(ifExpired);
        } catch (ParseException malformed) {
            refused("malformed"); // the message may quote from it
            return CompletableFuture.completedFuture(ifInvalid);
        } catch (BadJOSEException bad) {
            refused(bad.getMessage());
            return CompletableFuture.completedFuture(ifInvalid);
        } catch (KeySourceException unknown) {
            return CompletableFuture.failedFuture(unknown);
        } catch (JOSEException | IllegalArgumentException broken) {
            refused(broken.getClass().getSimpleName());
            return CompletableFuture.completedFuture(ifInvalid);
        }
    }

    private static void refused(@Nullable String why) {
        LOG.atDebug().addKeyValue("reason", why).log("A token was refused");
    }

    private interface Reading<A> {
        A read(JWTClaimsSet claims) throws ParseException;
    }

    /**
     * Builds a {@link JwtAuthenticator}; each setter checks its argument at once, and may be called once.
     *
     * <p><b>Threading:</b> not thread-safe. May be used again after {@link #build}.
     */
    public static final class Builder {
        private static final Duration MAX_SKEW = Duration.ofMinutes(5);

        private final JwtKeys keys;
        private @Nullable String issuer;
        private @Nullable String audience;
        private @Nullable Duration clockSkew;
        private @Nullable Clock clock;

        private Builder(JwtKeys keys) {
            this.keys = keys;
        }

        /** Demands that {@code iss}; default: any. */
        @CanIgnoreReturnValue
        public Builder issuer(String issuer) {
            this.issuer = once(this.issuer, issuer, "issuer");
            return this;
        }

        /** Demands that {@code aud} is or has this; default: any. */
        @CanIgnoreReturnValue
        public Builder audience(String audience) {
            this.audience = once(this.audience, audience, "audience");
            return this;
        }

        /**
         * Sets how much the issuer's clock may be ahead or behind, 0 to 5 minutes, in whole seconds; tokens are
         * honoured for so much longer. Default: 0.
         */
        @CanIgnoreReturnValue
        public Builder clockSkew(Duration skew) {
            if (skew.isNegative() || skew.compareTo(MAX_SKEW) > 0) {
                throw new IllegalArgumentException("skew must be in [0, " + MAX_SKEW + "]: " + skew);
            }
            this.clockSkew = once(this.clockSkew, skew, "clockSkew");
            return this;
        }

        /** Sets the clock; for tests. */
        @CanIgnoreReturnValue
        public Builder clock(Clock clock) {
            this.clock = once(this.clock, clock, "clock");
            return this;
        }

        private static <T> T once(@Nullable T present, T value, String name) {
            requireNonNull(value, name);
            if (present != null) {
                throw new IllegalStateException(name + " is set already");
            }
            return value;
        }

        /** Builds it. */
        public JwtAuthenticator build() {
            return new JwtAuthenticator(this);
        }
    }
}
