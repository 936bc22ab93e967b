package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * Fails a test during which a thread died of an exception, or Fanfare logged what only a bug can make it log. Registered
 * for every test of this module. It sees what is logged before any level is looked at, so also in {@link Quiet} ones.
 */
public final class FaultWatch implements BeforeEachCallback, AfterEachCallback {

    private static final String BUG = "this is a bug in Fanfare";

    private final Queue<String> faults = new ConcurrentLinkedQueue<>();
    private final TurboFilter filter = new Filter();
    private Thread.@Nullable UncaughtExceptionHandler before;

    @Override
    public void beforeEach(ExtensionContext context) {
        faults.clear();
        before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler(
                (thread, failure) -> faults.add("Thread " + thread.getName() + " died of " + failure));
        loggers().addTurboFilter(filter);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        loggers().getTurboFilterList().remove(filter);
        Thread.setDefaultUncaughtExceptionHandler(before);
        assertThat(List.copyOf(faults)).as("what no test may cause").isEmpty();
    }

    private static LoggerContext loggers() {
        return (LoggerContext) LoggerFactory.getILoggerFactory();
    }

    private final class Filter extends TurboFilter {
        @Override
        public FilterReply decide(
                Marker marker,
                Logger logger,
                Level level,
                @Nullable String format,
                Object[] parameters,
                @Nullable Throwable failure) {
            if (level == Level.ERROR && format != null && format.contains(BUG)) {
                faults.add(format + " " + failure);
            }
            return FilterReply.NEUTRAL;
        }
    }
}
