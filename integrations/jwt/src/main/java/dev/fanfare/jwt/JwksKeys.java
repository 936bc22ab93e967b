package dev.fanfare.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.AsymmetricJWK;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import dev.fanfare.spi.LogLine;
import java.net.MalformedURLException;
import java.net.URI;
import java.security.Key;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The keys of a JWK set that is fetched; keeping, refreshing and sparing the issuer are the library's work.
 */
final class JwksKeys extends JwtKeys {

    private static final LogLine USELESS = LogLine.warn(JwksKeys.class, "A key is of no use");
    private static final Duration KEPT = Duration.ofMinutes(5);
    private static final Duration BETWEEN_FETCHES = Duration.ofSeconds(30);
    private static final Duration OUTAGE = Duration.ofHours(1);
    private static final Duration PATIENCE = Duration.ofMillis(2500); // to connect, and the same again to read
    private static final int MAX_BYTES = 50 * 1024;

    private final URI location;
    private final Set<JWSAlgorithm> algorithms;
    private final JWKSource<SecurityContext> source;

    JwksKeys(URI location, Set<JwtAlgorithm> algorithms) {
        this(location, algorithms, BETWEEN_FETCHES);
    }

    JwksKeys(URI location, Set<JwtAlgorithm> algorithms, Duration betweenFetches) {
        if (algorithms.isEmpty() || algorithms.stream().anyMatch(JwtAlgorithm::isSymmetric)) {
            throw new IllegalArgumentException("A JWK set serves RS256, ES256 and EdDSA, and not " + algorithms);
        }
        this.location = location;
        this.algorithms = algorithms.stream().map(JwtAlgorithm::jws).collect(Collectors.toUnmodifiableSet());
        int patience = (int) PATIENCE.toMillis();
        try {
            this.source = JWKSourceBuilder.create(
                            location.toURL(), new DefaultResourceRetriever(patience, patience, MAX_BYTES))
                    .cache(KEPT.toMillis(), 2 * PATIENCE.toMillis())
                    .refreshAheadCache(false)
                    .rateLimited(betweenFetches.toMillis())
                    .outageTolerant(OUTAGE.toMillis())
                    .build();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException("Not the address of a JWK set: " + location, e);
        }
    }

    @Override
    List<Key> candidates(JWSHeader header) throws KeySourceException {
        if (!algorithms.contains(header.getAlgorithm())) {
            return List.of();
        }
        List<Key> keys = new ArrayList<>();
        for (JWK each : source.get(new JWKSelector(JWKMatcher.forJWSHeader(header)), null)) {
            try {
                keys.add(key(each));
            } catch (JOSEException | IllegalArgumentException e) {
                USELESS.log("location", location, "failure", e.getMessage());
            }
        }
        return keys;
    }

    private static Key key(JWK jwk) throws JOSEException {
        if (jwk instanceof OctetKeyPair octets) {
            return Ed25519Verifier.publicKey(octets.getDecodedX());
        } else if (jwk instanceof AsymmetricJWK pair) {
            return pair.toPublicKey();
        }
        throw new JOSEException("it is no public key, but " + jwk.getKeyType());
    }

    @Override
    public String toString() {
        return algorithms + " of " + location;
    }
}
