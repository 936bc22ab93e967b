package dev.fanfare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients are shown: SDKs look into the words, and take some for something else. */
class HostCodeTest {

    @ParameterizedTest
    @ValueSource(strings = {"lunch time", "déjà vu", "true story", "nullified", "x"})
    void plainWordsAreTaken(String words) {
        assertThat(HostCode.disconnect(4000, words).text()).isEqualTo(words);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", " ", "{}", "[1]", "\"bye\"", "7", "-1", "true", "false", "null", " 7", "\ttrue", "null\n", " {} "
            })
    void whatIsEmptyOrJsonIsRefused(String words) {
        assertThatIllegalArgumentException().isThrownBy(() -> HostCode.disconnect(4000, words));
    }

    @Test
    void theWordsFitIntoACloseFrame() {
        assertThat(HostCode.disconnect(4000, "x".repeat(123)).code()).isEqualTo(4000);
        assertThatIllegalArgumentException().isThrownBy(() -> HostCode.disconnect(4000, "x".repeat(124)));
        assertThatIllegalArgumentException().isThrownBy(() -> HostCode.disconnect(4000, "é".repeat(62)));
    }

    @ParameterizedTest
    @ValueSource(ints = {3999, 5000, 1000})
    void codesOfOthersAreRefusedToDisconnect(int code) {
        assertThatIllegalArgumentException().isThrownBy(() -> HostCode.disconnect(code, "x"));
    }

    @ParameterizedTest
    @ValueSource(ints = {2000, 2099, 2500, 2599, 3000})
    void codesOfOthersAreRefusedToUnsubscribe(int code) {
        assertThatIllegalArgumentException().isThrownBy(() -> HostCode.unsubscribe(code, "x"));
    }

    @ParameterizedTest
    @EnumSource
    void ourOwnWordsAreAsPlain(DisconnectReason reason) {
        assertThat(new HostCode(reason.code(), reason.text()).text()).isEqualTo(reason.text());
    }
}
