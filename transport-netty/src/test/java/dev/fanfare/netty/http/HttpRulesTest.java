package dev.fanfare.netty.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What two servers could read in two ways is read in none. */
class HttpRulesTest {

    private final HttpRequest request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/");

    HttpRulesTest() {
        request.headers().add("Host", "x");
    }

    private String faultWith(String... headers) {
        for (int i = 0; i < headers.length; i += 2) {
            request.headers().add(headers[i], headers[i + 1]);
        }
        return HttpRules.faultOf(request);
    }

    @Test
    void oneLengthIsFine() {
        assertThat(faultWith("Content-Length", "3")).isNull();
        assertThat(HttpRules.announced(request)).isEqualTo(3);
        assertThat(HttpRules.hasBody(request)).isTrue();
    }

    @Test
    void chunksWithoutLengthAreFine() {
        assertThat(faultWith("Transfer-Encoding", "chunked")).isNull();
        assertThat(HttpRules.hasBody(request)).isTrue();
    }

    /** The decoder makes a character of each byte. */
    @ParameterizedTest
    @ValueSource(strings = {"\u00c3\u009f", "\u00c3\u00a9", "\u0080", "\u00ff"})
    void aTargetThatIsNotPercentEncodedIsAFault(String raw) {
        request.setUri("/sse?channel=" + raw);

        assertThat(faultWith()).isEqualTo("the target is not percent-encoded");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\u0000", "\u001f", "\u007f"})
    void aControlCharacterInTheTargetIsAFault(String raw) {
        request.setUri("/sse?channel=" + raw);

        assertThat(faultWith()).isEqualTo("control characters in the target");
    }

    @Test
    void aTargetThatIsPercentEncodedIsFine() {
        request.setUri("/sse?channel=chat:Stra%C3%9Fe~");

        assertThat(faultWith()).isNull();
    }

    @Test
    void noBodyIsFine() {
        assertThat(faultWith("Content-Length", "0")).isNull();
        assertThat(HttpRules.hasBody(request)).isFalse();
    }

    @Test
    void aLengthBesideChunksIsAFault() {
        assertThat(faultWith("Content-Length", "3", "Transfer-Encoding", "chunked"))
                .isEqualTo("either Content-Length or Transfer-Encoding");
    }

    @Test
    void aLengthTwiceIsAFault() {
        assertThat(faultWith("Content-Length", "3", "Content-Length", "3")).isEqualTo("Content-Length is no number");
    }

    @Test
    void twoLengthsAreAFault() {
        assertThat(faultWith("Content-Length", "3", "Content-Length", "4")).isEqualTo("Content-Length is no number");
    }

    @Test
    void twoLengthsInOneHeaderAreAFault() {
        assertThat(faultWith("Content-Length", "3, 3")).isEqualTo("Content-Length is no number");
    }

    @Test
    void aTransferEncodingOtherThanChunkedAloneIsAFault() {
        assertThat(faultWith("Transfer-Encoding", "gzip, chunked")).isEqualTo("no Transfer-Encoding but chunked");
    }

    @Test
    void aTransferEncodingThatDoesNotEndWithChunkedIsAFault() {
        assertThat(faultWith("Transfer-Encoding", "identity")).isEqualTo("no Transfer-Encoding but chunked");
    }

    @Test
    void aTransferEncodingTwiceIsAFault() {
        assertThat(faultWith("Transfer-Encoding", "chunked", "Transfer-Encoding", "identity"))
                .isEqualTo("no Transfer-Encoding but chunked");
    }

    @Test
    void chunksInOldHttpAreAFault() {
        request.setProtocolVersion(HttpVersion.HTTP_1_0);

        assertThat(faultWith("Transfer-Encoding", "chunked")).isEqualTo("no Transfer-Encoding but chunked");
    }
}
