package dev.fanfare.faults;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.LoggerFactory;

/**
 * Reads along what Fanfare logs, whole: sentence, key-value pairs and stack trace.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class LogWatch implements AutoCloseable {

    private static final Logger LOG = (Logger) LoggerFactory.getLogger("dev.fanfare");

    private final Queue<String> lines = new ConcurrentLinkedQueue<>();
    private final Appender appender = new Appender();
    /** How it was before, null if that is how the root of all is. */
    private final Level level = LOG.getLevel();

    /** Begins to read along what is logged at the levels that are set. */
    public LogWatch() {
        appender.start();
        LOG.addAppender(appender);
    }

    /** Begins to read along everything, at every level, and keeps it off the console. */
    public static LogWatch ofEverything() {
        LogWatch watch = new LogWatch();
        LOG.setLevel(Level.TRACE);
        LOG.setAdditive(false);
        return watch;
    }

    /** Returns what was logged so far. */
    public List<String> lines() {
        return List.copyOf(lines);
    }

    /** Tells whether there is a line with all of these in it. */
    public boolean has(String... parts) {
        return lines.stream().anyMatch(line -> List.of(parts).stream().allMatch(line::contains));
    }

    @Override
    public void close() {
        LOG.detachAppender(appender);
        LOG.setAdditive(true);
        LOG.setLevel(level);
    }

    private final class Appender extends AppenderBase<ILoggingEvent> {
        @Override
        protected void append(ILoggingEvent event) {
            String line = event.getFormattedMessage() + " " + event.getKeyValuePairs();
            IThrowableProxy failure = event.getThrowableProxy();
            lines.add(failure == null ? line : line + "\n" + ThrowableProxyUtil.asString(failure));
        }
    }
}
