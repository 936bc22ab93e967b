package dev.fanfare.netty.centrifuge;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * All that Fanfare and Netty log, at every level, whole: sentence, key-value pairs and stack traces. With TRACE on nothing is
 * left out for being often. None of it goes to the console.
 */
final class LoggedLines extends AppenderBase<ILoggingEvent> implements AutoCloseable {

    private final List<Logger> loggers = Stream.of("dev.fanfare", "io.netty")
            .map(name -> (Logger) LoggerFactory.getLogger(name))
            .toList();
    private final Queue<String> lines = new ConcurrentLinkedQueue<>();

    LoggedLines() {
        start();
        for (Logger logger : loggers) {
            logger.setLevel(Level.TRACE);
            logger.setAdditive(false);
            logger.addAppender(this);
        }
    }

    @Override
    protected void append(ILoggingEvent event) {
        lines.add(event.getLevel() + " " + event.getThreadName() + " " + event.getFormattedMessage() + " "
                + event.getKeyValuePairs() + " " + event.getMDCPropertyMap()
                + (event.getThrowableProxy() == null ? "" : ThrowableProxyUtil.asString(event.getThrowableProxy())));
    }

    List<String> lines() {
        return List.copyOf(lines);
    }

    @Override
    public void close() {
        for (Logger logger : loggers) {
            logger.detachAppender(this);
            logger.setAdditive(true);
            logger.setLevel(null);
        }
        stop();
    }
}
