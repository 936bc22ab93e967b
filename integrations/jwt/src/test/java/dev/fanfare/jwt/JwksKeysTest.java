package dev.fanfare.jwt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import com.sun.net.httpserver.HttpServer;
import dev.fanfare.Authenticator.Accepted;
import dev.fanfare.Authenticator.Answer;
import dev.fanfare.Authenticator.Rejected;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Keys that are fetched from an issuer, over a real socket. */
class JwksKeysTest {

    private final AtomicInteger fetches = new AtomicInteger();
    private volatile String published = "{\"keys\":[]}";
    private volatile int status = 200;
    private HttpServer issuer;
    private JwtAuthenticator tokens;

    @BeforeEach
    void start() throws IOException {
        issuer = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        issuer.createContext("/", exchange -> {
            fetches.incrementAndGet();
            byte[] body = published.getBytes(UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        issuer.start();
        tokens = tokens(Duration.ofMillis(1));
    }

    private JwtAuthenticator tokens(Duration betweenFetches) {
        URI location = URI.create("http://localhost:" + issuer.getAddress().getPort() + "/jwks.json");
        return JwtAuthenticator.builder(new JwksKeys(
                        location, Set.of(JwtAlgorithm.RS256, JwtAlgorithm.ES256, JwtAlgorithm.EDDSA), betweenFetches))
                .build();
    }

    @AfterEach
    void stop() {
        issuer.stop(0);
    }

    private void publish(JWK... keys) {
        published = new JWKSet(Arrays.asList(keys)).toString();
    }

    private Answer show(String token) {
        return tokens.authenticate(Tokens.shown(token)).toCompletableFuture().join();
    }

    private static JWK jwk(PublicKey key, String id) {
        if (key instanceof RSAPublicKey rsa) {
            return new RSAKey.Builder(rsa).keyID(id).build();
        } else if (key instanceof ECPublicKey ec) {
            return new ECKey.Builder(Curve.P_256, ec).keyID(id).build();
        }
        byte[] encoded = key.getEncoded();
        Base64URL x = Base64URL.encode(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length));
        return new OctetKeyPair.Builder(Curve.Ed25519, x).keyID(id).build();
    }

    private static String token(String jdk, String alg, KeyPair keys, String id) throws Exception {
        return Tokens.signed(
                jdk, "{\"alg\":\"" + alg + "\",\"kid\":\"" + id + "\"}", keys.getPrivate(), "{\"sub\":\"ann\"}");
    }

    @Test
    void everyKindOfKeyServesItsTokensAndIsFetchedOnce() throws Exception {
        KeyPair rsa = Tokens.keys("RSA", 2048);
        KeyPair ec = Tokens.keys("EC", 256);
        KeyPair ed = Tokens.keys("Ed25519", 0);
        publish(jwk(rsa.getPublic(), "r"), jwk(ec.getPublic(), "e"), jwk(ed.getPublic(), "d"));

        assertThat(show(token("SHA256withRSA", "RS256", rsa, "r"))).isInstanceOf(Accepted.class);
        assertThat(show(token("SHA256withECDSAinP1363Format", "ES256", ec, "e")))
                .isInstanceOf(Accepted.class);
        assertThat(show(token("Ed25519", "EdDSA", ed, "d"))).isInstanceOf(Accepted.class);

        assertThat(fetches).hasValue(1);
    }

    @Test
    void aNewKeyIsFetchedWhenATokenNamesIt() throws Exception {
        KeyPair first = Tokens.keys("Ed25519", 0);
        KeyPair second = Tokens.keys("Ed25519", 0);
        publish(jwk(first.getPublic(), "1"));
        assertThat(show(token("Ed25519", "EdDSA", first, "1"))).isInstanceOf(Accepted.class);

        publish(jwk(second.getPublic(), "2"));

        assertThat(show(token("Ed25519", "EdDSA", second, "2"))).isInstanceOf(Accepted.class);
        assertThat(show(token("Ed25519", "EdDSA", second, "1"))).isEqualTo(Rejected.INVALID_TOKEN);
    }

    @Test
    void aForgedTokenIsRefused() throws Exception {
        publish(jwk(Tokens.keys("Ed25519", 0).getPublic(), "1"));

        assertThat(show(token("Ed25519", "EdDSA", Tokens.keys("Ed25519", 0), "1")))
                .isEqualTo(Rejected.INVALID_TOKEN);
    }

    @Test
    void whileTheIssuerIsDownTheKeysThereWereServe() throws Exception {
        KeyPair keys = Tokens.keys("Ed25519", 0);
        publish(jwk(keys.getPublic(), "1"));
        assertThat(show(token("Ed25519", "EdDSA", keys, "1"))).isInstanceOf(Accepted.class);

        status = 500;

        assertThat(show(token("Ed25519", "EdDSA", keys, "1"))).isInstanceOf(Accepted.class);
    }

    @Test
    void withoutKeysNobodyCanTellAndTheClientMayTryAgain() throws Exception {
        status = 500;
        String token = token("Ed25519", "EdDSA", Tokens.keys("Ed25519", 0), "1");

        assertThatThrownBy(() -> show(token)).isInstanceOf(CompletionException.class);
    }

    @Test
    void unknownKeysDoNotMakeAFloodOfFetches() throws Exception {
        tokens = tokens(Duration.ofMinutes(4));
        publish(jwk(Tokens.keys("Ed25519", 0).getPublic(), "1"));
        KeyPair forger = Tokens.keys("Ed25519", 0);
        for (int i = 0; i < 50; i++) {
            String token = token("Ed25519", "EdDSA", forger, "made up " + i);
            tokens.authenticate(Tokens.shown(token)).exceptionally(nobodyCanTell -> null);
        }

        assertThat(fetches.get()).isBetween(1, 3);
    }

    @Test
    void aKeyThatMayBeNewIsNotCalledForgedWhileNobodyMayLook() throws Exception {
        tokens = tokens(Duration.ofMinutes(4));
        KeyPair known = Tokens.keys("Ed25519", 0);
        publish(jwk(known.getPublic(), "1"));
        KeyPair forger = Tokens.keys("Ed25519", 0);
        assertThat(show(token("Ed25519", "EdDSA", forger, "made up"))).isEqualTo(Rejected.INVALID_TOKEN);

        String beyondTheRate = token("Ed25519", "EdDSA", forger, "made up too");
        assertThatThrownBy(() -> show(beyondTheRate)).isInstanceOf(CompletionException.class);

        assertThat(show(token("Ed25519", "EdDSA", known, "1"))).isInstanceOf(Accepted.class);
        assertThat(show(token("Ed25519", "EdDSA", forger, "1"))).isEqualTo(Rejected.INVALID_TOKEN);
    }

    @Test
    void secretsAreNotPublished() {
        URI location = URI.create("http://localhost/jwks.json");

        assertThatIllegalArgumentException().isThrownBy(() -> JwtKeys.jwks(location, Set.of(JwtAlgorithm.HS256)));
        assertThatIllegalArgumentException().isThrownBy(() -> JwtKeys.jwks(location, Set.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> JwtKeys.jwks(URI.create("nothing:x"), Set.of(JwtAlgorithm.RS256)));
    }
}
