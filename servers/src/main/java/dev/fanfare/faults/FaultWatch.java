package dev.fanfare.faults;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.helpers.FormattingTuple;
import org.slf4j.helpers.MessageFormatter;

/**
 * Fails a test during which a thread died of an exception, or Fanfare logged what only a bug, of its own or of what it
 * calls, can make it log; unless the test {@link CausesFault}. It sees what is logged before any level is looked at,
 * so also where the log is switched off. Of tests that run at the same time all fail, as nobody knows whose it was.
 */
public final class FaultWatch implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback {

    private static final Namespace NAMESPACE = Namespace.create(FaultWatch.class);
    private static final List<String> MARKS = List.of("this is a bug in Fanfare", "which it must not");

    /** All since the first test of this JVM. */
    private final List<String> faults = new CopyOnWriteArrayList<>();
    /** Those that a test which runs now causes. */
    private final List<String> onPurpose = new CopyOnWriteArrayList<>();

    /** Begins with the first test class. */
    @Override
    public void beforeAll(ExtensionContext context) {
        context.getRoot().getStore(NAMESPACE).computeIfAbsent(FaultWatch.class, first -> {
            Thread.setDefaultUncaughtExceptionHandler(
                    (thread, failure) -> faults.add("Thread " + thread.getName() + " died of " + failure));
            ((LoggerContext) LoggerFactory.getILoggerFactory()).addTurboFilter(new Filter());
            return this;
        });
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        caused(context).ifPresent(onPurpose::add);
        context.getStore(NAMESPACE).put("before", faults.size());
    }

    @Override
    public void afterEach(ExtensionContext context) {
        caused(context).ifPresent(onPurpose::remove);
        int before = context.getStore(NAMESPACE).get("before", Integer.class);
        assertThat(faults.subList(before, faults.size()))
                .as("what no test may cause")
                .isEmpty();
    }

    private static Optional<String> caused(ExtensionContext context) {
        return context.getElement()
                .map(test -> test.getAnnotation(CausesFault.class))
                .map(CausesFault::value);
    }

    private final class Filter extends TurboFilter {
        @Override
        public FilterReply decide(
                Marker marker, Logger logger, Level level, String format, Object[] parameters, Throwable failure) {
            if (level == Level.ERROR
                    && format != null
                    && MARKS.stream().anyMatch(format::contains)
                    && onPurpose.stream().noneMatch(format::startsWith)) {
                FormattingTuple message = MessageFormatter.arrayFormat(format, parameters);
                faults.add(message.getMessage() + ": " + (failure == null ? message.getThrowable() : failure));
            }
            return FilterReply.NEUTRAL;
        }
    }
}
