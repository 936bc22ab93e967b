package dev.fanfare.spi;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * One kind of log line about something that can go wrong often: a sentence that is always the same, what it is about as
 * key-value pairs, and at most once a second; {@code more} then tells how many were left out. While lines are left out, the
 * pause between two doubles up to half a minute, so that an outage of hours fills no disk; after a calm second, or a calm as
 * long as the pause was, it is a second again. With TRACE on for its logger nothing is left out. What clients send, their tokens
 * and payloads, is nothing to log.
 *
 * <p>Make one per kind, and keep it, in a static field as one does a logger.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class LogLine {

    private final Logger logger;
    private final Level level;
    private final String sentence;
    private final Pause pause = new Pause();
    private final AtomicLong leftOut = new AtomicLong();

    private LogLine(Class<?> where, Level level, String sentence) {
        this.logger = LoggerFactory.getLogger(where);
        this.level = level;
        this.sentence = requireNonNull(sentence, "sentence");
    }

    /** Makes one for what is as it should be, and yet worth knowing. */
    public static LogLine info(Class<?> where, String sentence) {
        return new LogLine(where, Level.INFO, sentence);
    }

    /** Makes one for what an operator should look at. */
    public static LogLine warn(Class<?> where, String sentence) {
        return new LogLine(where, Level.WARN, sentence);
    }

    /** Makes one for what must not happen, or stops something altogether. */
    public static LogLine error(Class<?> where, String sentence) {
        return new LogLine(where, Level.ERROR, sentence);
    }

    /**
     * Writes the line, unless it is too soon after the one before and TRACE is off.
     *
     * @param pairs keys, each followed by its value
     */
    public void log(@Nullable Object... pairs) {
        write(null, pairs);
    }

    /** Writes the line with a stack trace, unless it is too soon after the one before. */
    public void logTrace(@Nullable Throwable cause, @Nullable Object... pairs) {
        write(cause, pairs);
    }

    private void write(@Nullable Throwable cause, @Nullable Object[] pairs) {
        if (!pause.isOver(System.nanoTime()) && !logger.isTraceEnabled()) {
            leftOut.incrementAndGet();
            return;
        }
        LoggingEventBuilder line = logger.atLevel(level).setMessage(sentence);
        for (int i = 0; i + 1 < pairs.length; i += 2) {
            line = line.addKeyValue(String.valueOf(pairs[i]), String.valueOf(pairs[i + 1]));
        }
        long more = leftOut.getAndSet(0);
        if (more > 0) {
            line = line.addKeyValue("more", more);
        }
        if (cause != null) {
            line = line.setCause(cause);
        }
        line.log();
    }
}
