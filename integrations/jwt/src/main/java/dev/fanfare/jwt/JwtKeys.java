package dev.fanfare.jwt;

import static java.util.Objects.requireNonNull;

import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.Curve;
import java.net.URI;
import java.security.Key;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.crypto.spec.SecretKeySpec;

/**
 * The keys by which tokens are verified, each bound to one algorithm: what a token's header says can choose
 * among them, and nothing else.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public abstract class JwtKeys {

    private static final int MIN_RSA_BITS = 2048;

    JwtKeys() {}

    /**
     * Verifies with a secret that is shared with the issuer.
     *
     * <p>A shorter secret than the algorithm asks for is refused. (To accept tokens of an issuer that has
     * one, fill it up with zero bytes: HMAC does the same.)
     *
     * @throws IllegalArgumentException if the algorithm has no secrets, or the secret is too short
     */
    public static JwtKeys hmac(JwtAlgorithm algorithm, byte[] secret) {
        if (!algorithm.isSymmetric()) {
            throw new IllegalArgumentException(algorithm + " is verified with a public key, not with a secret");
        }
        if (secret.length < algorithm.minSecretBytes()) {
            throw new IllegalArgumentException("A secret for " + algorithm + " has at least "
                    + algorithm.minSecretBytes() + " bytes, this one has " + secret.length);
        }
        return new FixedKey(algorithm, new SecretKeySpec(secret, algorithm.name()));
    }

    /**
     * Verifies with the issuer's public key.
     *
     * @throws IllegalArgumentException if the key is of another kind than the algorithm's, or too short
     */
    public static JwtKeys publicKey(JwtAlgorithm algorithm, PublicKey key) {
        boolean isFitting = switch (algorithm) {
            case RS256 -> key instanceof RSAPublicKey rsa && rsa.getModulus().bitLength() >= MIN_RSA_BITS;
            case ES256 -> key instanceof ECPublicKey ec && Curve.P_256.equals(Curve.forECParameterSpec(ec.getParams()));
            case EDDSA ->
                key instanceof EdECPublicKey ed && ed.getParams().getName().equals("Ed25519");
            default -> false;
        };
        if (!isFitting) {
            throw new IllegalArgumentException(
                    "This key, " + key.getAlgorithm() + ", does not serve " + algorithm + ", or is too short for it");
        }
        return new FixedKey(algorithm, key);
    }

    /**
     * Verifies with the keys that the issuer publishes as a JWK set (RFC 7517). It is fetched when it is
     * first needed, kept for 5 minutes, and fetched again before that when a token names a key that is not
     * in it, but at most once in 30 seconds. A fetch takes at most 5 seconds and 50 KiB; while the issuer
     * cannot be reached, the last set serves for an hour more.
     *
     * @param location where it is
     * @param algorithms by which the issuer signs
     * @throws IllegalArgumentException if an algorithm has secrets, which nobody may publish, or none is given
     */
    public static JwtKeys jwks(URI location, Set<JwtAlgorithm> algorithms) {
        return new JwksKeys(requireNonNull(location, "location"), Set.copyOf(algorithms));
    }

    /** Verifies with whichever of these fits; for an issuer that changes its key. */
    public static JwtKeys anyOf(JwtKeys... keys) {
        return new AnyOf(List.of(keys));
    }

    /**
     * Returns the keys that may have signed a token with this header; none if there is no such key. May block.
     *
     * @throws KeySourceException if nobody can tell now
     */
    abstract List<Key> candidates(JWSHeader header) throws KeySourceException;

    private static final class FixedKey extends JwtKeys {
        private final JwtAlgorithm algorithm;
        private final Key key;

        FixedKey(JwtAlgorithm algorithm, Key key) {
            this.algorithm = algorithm;
            this.key = key;
        }

        @Override
        List<Key> candidates(JWSHeader header) {
            return algorithm.jws().equals(header.getAlgorithm()) ? List.of(key) : List.of();
        }

        @Override
        public String toString() {
            return algorithm.name();
        }
    }

    private static final class AnyOf extends JwtKeys {
        private final List<JwtKeys> all;

        AnyOf(List<JwtKeys> all) {
            this.all = all;
        }

        @Override
        List<Key> candidates(JWSHeader header) throws KeySourceException {
            List<Key> found = new ArrayList<>();
            for (JwtKeys each : all) {
                found.addAll(each.candidates(header));
            }
            return found;
        }

        @Override
        public String toString() {
            return all.toString();
        }
    }
}
