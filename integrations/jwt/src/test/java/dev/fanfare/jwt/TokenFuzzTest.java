package dev.fanfare.jwt;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.fanfare.Authenticator.Accepted;

/** Whatever is shown as a token, nobody gets in whose token nobody signed. */
class TokenFuzzTest {

    private final JwtAuthenticator tokens = JwtAuthenticator.hmac("a secret that nobody guesses so soon");

    @FuzzTest(maxDuration = "5m")
    void isRefused(byte[] bytes) {
        String token = new String(bytes, ISO_8859_1);

        assertThat(tokens.authenticate(Tokens.shown(token))
                        .toCompletableFuture()
                        .join())
                .isNotInstanceOf(Accepted.class);
        assertThat(tokens.authenticate(Tokens.shown(token, "ann", "chat:a"))).isCompleted();
    }
}
