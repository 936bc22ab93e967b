package dev.fanfare.jwt;

import com.nimbusds.jose.JWSAlgorithm;

/** How a token is signed (RFC 7518 section 3, RFC 8037). There is no {@code none}. */
public enum JwtAlgorithm {
    /** HMAC with SHA-256, a secret of at least 32 bytes. */
    HS256("HS256", 32),
    /** HMAC with SHA-384, a secret of at least 48 bytes. */
    HS384("HS384", 48),
    /** HMAC with SHA-512, a secret of at least 64 bytes. */
    HS512("HS512", 64),
    /** RSA, PKCS #1 v1.5, with SHA-256; a key of at least 2,048 bits. */
    RS256("RS256", 0),
    /** ECDSA on the curve P-256, with SHA-256. */
    ES256("ES256", 0),
    /** EdDSA on the curve Ed25519. */
    EDDSA("EdDSA", 0);

    private final String header;
    private final int minSecretBytes;

    JwtAlgorithm(String header, int minSecretBytes) {
        this.header = header;
        this.minSecretBytes = minSecretBytes;
    }

    /** Returns it as a token's header names it. */
    JWSAlgorithm jws() {
        return JWSAlgorithm.parse(header);
    }

    /** Tells whether one secret both signs and verifies. */
    boolean isSymmetric() {
        return minSecretBytes > 0;
    }

    int minSecretBytes() {
        return minSecretBytes;
    }
}
