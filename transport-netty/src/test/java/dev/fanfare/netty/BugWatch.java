package dev.fanfare.netty;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.LoggerFactory;

/**
 * Tells a fuzz target what its input made Fanfare log that it must not: the pipeline catches whatever is thrown in it, so
 * nothing else shows which input it was.
 */
public final class BugWatch extends AppenderBase<ILoggingEvent> {

    private final Queue<String> bugs = new ConcurrentLinkedQueue<>();

    public BugWatch() {
        start();
        ((Logger) LoggerFactory.getLogger("dev.fanfare")).addAppender(this);
    }

    @Override
    protected void append(ILoggingEvent event) {
        if (event.getLevel().isGreaterOrEqual(Level.ERROR) || event.getThrowableProxy() != null) {
            bugs.add(event.getFormattedMessage() + " " + event.getKeyValuePairs());
        }
    }

    /** Listens no more. */
    public void close() {
        ((Logger) LoggerFactory.getLogger("dev.fanfare")).detachAppender(this);
    }

    public void assertNone() {
        assertThat(bugs).isEmpty();
    }
}
