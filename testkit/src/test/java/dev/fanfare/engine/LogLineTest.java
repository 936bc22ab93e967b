package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.fanfare.faults.LogWatch;
import dev.fanfare.spi.LogLine;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class LogLineTest {

    private final LogLine line = LogLine.warn(LogLineTest.class, "Something went wrong");

    @Test
    void aLineIsASentenceAndWhatItIsAbout() {
        try (LogWatch log = new LogWatch()) {
            line.logTrace(new IllegalStateException("why"), "channel", "chat:a", "reason", null);

            assertThat(log.lines())
                    .singleElement()
                    .asString()
                    .startsWith("Something went wrong [channel=\"chat:a\", reason=\"null\"]\n")
                    .contains("IllegalStateException: why");
        }
    }

    @Test
    void ofManyAtOnceOneIsWritten() {
        try (LogWatch log = new LogWatch()) {
            for (int i = 0; i < 1000; i++) {
                line.log("number", i);
            }

            assertThat(log.lines()).hasSizeBetween(1, 10).first().asString().contains("number=\"0\"");
        }
    }

    @Test
    void withTraceOnEachIsWritten() {
        Logger logger = (Logger) LoggerFactory.getLogger(LogLineTest.class);
        logger.setLevel(Level.TRACE);
        try (LogWatch log = new LogWatch()) {
            for (int i = 0; i < 3; i++) {
                line.log("number", i);
            }

            assertThat(log.lines()).hasSize(3).last().asString().endsWith("[number=\"2\"]");
        } finally {
            logger.setLevel(null);
        }
    }

    @Test
    void eachKindIsSpacedOutByItself() {
        LogLine other = LogLine.error(LogLineTest.class, "Something else went wrong");
        try (LogWatch log = new LogWatch()) {
            line.log();
            other.log();

            assertThat(log.lines()).hasSize(2);
        }
    }
}
