package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.spi.LogLine;
import org.junit.jupiter.api.Test;

class LogLineTest {

    private final LogLine line = LogLine.warn(LogLineTest.class, "Something went wrong");

    @Test
    void aLineIsASentenceAndWhatItIsAbout() {
        try (LogWatch log = new LogWatch()) {
            line.logTrace(new IllegalStateException("why"), "channel", "chat:a", "reason", null);

            assertThat(log.messages()).containsExactly("Something went wrong [channel=\"chat:a\", reason=\"null\"]");
        }
    }

    @Test
    void ofManyAtOnceOneIsWritten() {
        try (LogWatch log = new LogWatch()) {
            for (int i = 0; i < 1000; i++) {
                line.log("number", i);
            }

            assertThat(log.messages()).hasSizeBetween(1, 10).first().asString().contains("number=\"0\"");
        }
    }

    @Test
    void eachKindIsSpacedOutByItself() {
        LogLine other = LogLine.error(LogLineTest.class, "Something else went wrong");
        try (LogWatch log = new LogWatch()) {
            line.log();
            other.log();

            assertThat(log.messages()).hasSize(2);
        }
    }
}
