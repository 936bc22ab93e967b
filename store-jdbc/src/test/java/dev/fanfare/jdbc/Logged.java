package dev.fanfare.jdbc;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.LoggerFactory;

/** Remembers which sentences a class logs, on whatever thread. */
final class Logged extends AppenderBase<ILoggingEvent> implements AutoCloseable {

    private final Set<String> sentences = ConcurrentHashMap.newKeySet();
    private final Logger logger;

    Logged(Class<?> where) {
        this.logger = (Logger) LoggerFactory.getLogger(where);
        start();
        logger.addAppender(this);
    }

    boolean has(String sentence) {
        return sentences.contains(sentence);
    }

    @Override
    protected void append(ILoggingEvent event) {
        sentences.add(event.getMessage());
    }

    @Override
    public void close() {
        logger.detachAppender(this);
    }
}
