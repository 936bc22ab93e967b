package dev.fanfare.jdbc;

import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Gives out connections that break at chosen moments. */
final class FlakyDataSource implements DataSource {

    private enum Fault {
        NONE,
        BEFORE_COMMIT,
        AFTER_COMMIT
    }

    private static final String CUT = "08006";
    private static final String NO_ROOM = "53100";

    private final DataSource inner;
    private final AtomicReference<Fault> next = new AtomicReference<>(Fault.NONE);
    private volatile String state = CUT;
    private volatile String cutThread = "";
    private volatile @Nullable RuntimeException cutWith;
    private volatile String refusedWords = "";
    private final AtomicInteger refusals = new AtomicInteger();
    private volatile String countedWords = "";
    private final AtomicInteger counted = new AtomicInteger();

    FlakyDataSource(DataSource inner) {
        this.inner = inner;
    }

    /** The server commits, but its reply does not arrive. */
    void loseReplyToNextCommit() {
        next.set(Fault.AFTER_COMMIT);
    }

    /** The connection breaks with the last statement before the commit. */
    void breakBeforeNextCommit() {
        failBeforeNextCommit(CUT);
    }

    /** The database refuses the last statement before the commit. */
    void failBeforeNextCommit(String sqlState) {
        state = sqlState;
        next.set(Fault.BEFORE_COMMIT);
    }

    /** The thread of that name reaches nothing any more; none if it is empty. */
    void cutOff(String thread) {
        cutOff(thread, null);
    }

    /** The thread of that name reaches nothing any more, and fails with this. */
    void cutOff(String thread, @Nullable RuntimeException failure) {
        cutWith = failure;
        cutThread = thread;
    }

    /** The database has no room for statements with these words in them; none if they are empty. */
    void refuse(String words) {
        refusedWords = words;
    }

    /** Returns how often that was so. */
    int refusals() {
        return refusals.get();
    }

    /** From now on counts statements with these words in them. */
    void count(String words) {
        countedWords = words;
    }

    /** Returns how many there were. */
    int counted() {
        return counted.get();
    }

    private void count(String method, Object[] arguments) {
        if (has(countedWords, method, arguments)) {
            counted.incrementAndGet();
        }
    }

    private void requireNotRefused(String method, Object[] arguments) throws SQLException {
        if (has(refusedWords, method, arguments)) {
            refusals.incrementAndGet();
            throw new SQLException("refused", NO_ROOM);
        }
    }

    private static boolean has(String words, String method, Object[] arguments) {
        return !words.isEmpty()
                && method.equals("prepareStatement")
                && String.valueOf(arguments[0]).contains(words);
    }

    private void requireReachable() throws SQLException {
        if (Thread.currentThread().getName().equals(cutThread)) {
            refusals.incrementAndGet();
            RuntimeException failure = cutWith;
            if (failure != null) {
                throw failure;
            }
            throw new SQLException("cut", CUT);
        }
    }

    @Override
    public Connection getConnection() throws SQLException {
        requireReachable();
        Connection connection = inner.getConnection();
        return (Connection) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    String name = method.getName();
                    if (!name.equals("close")) {
                        requireReachable();
                    }
                    count(name, arguments);
                    requireNotRefused(name, arguments);
                    boolean isUpdate = name.equals("prepareStatement")
                            && String.valueOf(arguments[0]).contains("INSERT INTO fanfare_log");
                    if (isUpdate && next.compareAndSet(Fault.BEFORE_COMMIT, Fault.NONE)) {
                        connection.rollback();
                        throw new SQLException("refused", state);
                    }
                    try {
                        Object result = method.invoke(connection, arguments);
                        if (name.equals("commit") && next.compareAndSet(Fault.AFTER_COMMIT, Fault.NONE)) {
                            throw new SQLException("cut", CUT);
                        }
                        return result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return getConnection();
    }

    @Override
    public PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter out) {}

    @Override
    public void setLoginTimeout(int seconds) {}

    @Override
    public int getLoginTimeout() {
        return 0;
    }

    @Override
    public Logger getParentLogger() {
        return Logger.getGlobal();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLException("Not a wrapper");
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }
}
