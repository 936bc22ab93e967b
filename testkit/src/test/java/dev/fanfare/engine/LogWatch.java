package dev.fanfare.engine;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import org.slf4j.LoggerFactory;

/** Reads along what Fanfare logs; at warning and above, unless the test class is {@link Quiet}. */
final class LogWatch implements AutoCloseable {

    private static final Logger LOG = (Logger) LoggerFactory.getLogger("dev.fanfare");

    private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

    LogWatch() {
        appender.start();
        LOG.addAppender(appender);
    }

    List<String> messages() {
        return List.copyOf(appender.list).stream()
                .map(event -> event.getFormattedMessage() + " " + event.getKeyValuePairs())
                .toList();
    }

    @Override
    public void close() {
        LOG.detachAppender(appender);
    }
}
