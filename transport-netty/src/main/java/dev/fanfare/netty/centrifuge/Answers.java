package dev.fanfare.netty.centrifuge;

import java.util.function.Consumer;

/**
 * Where commands go whose answer comes later: counts them, and drops answers that come too late.
 *
 * <p><b>Threading:</b> confined to the connection's event loop.
 */
interface Answers {

    /** Returns what to give the core; it passes the answer on, unless the connection is ending by then. */
    <T> Consumer<T> expect(Consumer<T> answer);

    /**
     * Returns the same for an answer without which the client would give its connection up.
     *
     * @param giveUp called if there is none by then; it is to have the core answer at once
     */
    <T> Consumer<T> expectSoon(Consumer<T> answer, Runnable giveUp);
}
