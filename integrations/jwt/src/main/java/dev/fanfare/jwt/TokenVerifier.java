package dev.fanfare.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jca.JCAContext;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerifierFactory;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.jwt.proc.ExpiredJWTException;
import com.nimbusds.jwt.proc.JWTProcessor;
import java.security.Key;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.util.Date;
import java.util.Set;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;

/**
 * Verifies a token's signature and what it says of itself: who made it, for whom, from when and until when.
 * The order and the rules are the library's. Thread-safe.
 */
final class TokenVerifier {

    /** Longer ones are refused unread. */
    private static final int MAX_LENGTH = 16 * 1024;

    private final JWTProcessor<SecurityContext> processor;

    TokenVerifier(JwtKeys keys, @Nullable String issuer, @Nullable String audience, Duration skew, Clock clock) {
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSKeySelector((header, context) -> keys.candidates(header));
        processor.setJWSVerifierFactory(new Verifiers());
        processor.setJWTClaimsSetVerifier(new Claims(issuer, audience, skew, clock));
        this.processor = processor;
    }

    /**
     * Returns what the token claims.
     *
     * @throws ExpiredJWTException if it was good once
     * @throws KeySourceException if nobody can tell now
     * @throws BadJOSEException if it is not good
     * @throws ParseException if it is no token
     * @throws JOSEException if it could not be worked on
     */
    JWTClaimsSet verify(String token) throws BadJOSEException, ParseException, JOSEException {
        if (token.length() > MAX_LENGTH) {
            throw new ParseException("longer than " + MAX_LENGTH + " characters", 0);
        }
        return processor.process(token, null);
    }

    private static final class Claims extends DefaultJWTClaimsVerifier<SecurityContext> {
        private final Clock clock;

        Claims(@Nullable String issuer, @Nullable String audience, Duration skew, Clock clock) {
            super(
                    audience == null ? null : Set.of(audience),
                    issuer == null
                            ? null
                            : new JWTClaimsSet.Builder().issuer(issuer).build(),
                    Set.of(),
                    Set.of());
            this.clock = clock;
            setMaxClockSkew((int) skew.toSeconds());
        }

        @Override
        protected Date currentTime() {
            return Date.from(clock.instant());
        }
    }

    /** Makes the verifier for a key that was chosen already, and bound to the algorithm. */
    private static final class Verifiers implements JWSVerifierFactory {
        private final JCAContext context = new JCAContext();

        @Override
        public JWSVerifier createJWSVerifier(JWSHeader header, Key key) throws JOSEException {
            if (key instanceof SecretKey secret) {
                return new MACVerifier(secret);
            } else if (key instanceof RSAPublicKey rsa) {
                return new RSASSAVerifier(rsa);
            } else if (key instanceof ECPublicKey ec) {
                return new ECDSAVerifier(ec);
            }
            return new Ed25519Verifier((PublicKey) key);
        }

        @Override
        public Set<JWSAlgorithm> supportedJWSAlgorithms() {
            return Set.of();
        }

        @Override
        public JCAContext getJCAContext() {
            return context;
        }
    }
}
