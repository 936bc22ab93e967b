package dev.fanfare.jwt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.security.GeneralSecurityException;

/** Whatever a token that is signed well claims, there is an answer, and no failure. */
class ClaimsFuzzTest {

    private static final String SECRET = "0123456789abcdef0123456789abcdef";

    private final JwtAuthenticator tokens = JwtAuthenticator.hmac(SECRET);

    @FuzzTest(maxDuration = "5m")
    void areAnswered(byte[] claims) throws GeneralSecurityException {
        String token = Tokens.hmac("HS256", SECRET.getBytes(UTF_8), new String(claims, UTF_8));

        assertThat(tokens.authenticate(Tokens.shown(token))).isCompleted();
        assertThat(tokens.authenticate(Tokens.shown(token, "ann", "chat:a"))).isCompleted();
    }
}
