package dev.fanfare.netty.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class AllowedOriginsTest {

    @Test
    void allowsWhatIsNoBrowser() {
        assertThat(AllowedOrigins.sameHost().allows(null, "a.example")).isTrue();
    }

    @Test
    void allowsPagesOfTheSameHostAndPort() {
        AllowedOrigins origins = AllowedOrigins.sameHost();

        assertThat(origins.allows("https://A.example:8080", "a.example:8080")).isTrue();
        assertThat(origins.allows("https://a.example", "a.example:8080")).isFalse();
        assertThat(origins.allows("https://a.example", null)).isFalse();
        assertThat(origins.allows("null", "null")).isFalse();
    }

    @Test
    void matchesPatternsAsAWholeAndTakesDotsForDots() {
        AllowedOrigins origins = AllowedOrigins.of(List.of("https://*.friend.example", "http://localhost:*"));

        assertThat(origins.isListed("https://A.Friend.Example")).isTrue();
        assertThat(origins.isListed("http://localhost:3000")).isTrue();
        assertThat(origins.isListed("https://a.friend-example")).isFalse();
        assertThat(origins.isListed("https://a.friend.example.evil.example")).isFalse();
        assertThat(origins.isListed("http://a.friend.example")).isFalse();
    }

    @Test
    void allowsEverybodyIfToldSo() {
        assertThat(AllowedOrigins.of(List.of("*")).allows("https://any.example", "a.example"))
                .isTrue();
    }
}
