package dev.fanfare.jdbc;

import java.sql.SQLException;

/** Wakes a node's reader when another node has told something. */
interface Wakeups {

    /** For databases that cannot. */
    Wakeups NONE = new Wakeups() {
        @Override
        public boolean areReal() {
            return false;
        }

        @Override
        public void await(int millis) {
            throw new IllegalStateException("Nobody would wake us");
        }
    };

    /** Tells whether there is anything to wait for. */
    default boolean areReal() {
        return true;
    }

    /** Waits until there is news, but not longer than that. */
    void await(int millis) throws SQLException;

    /** Stops listening, so that the connection can be given back. */
    default void end() throws SQLException {}
}
