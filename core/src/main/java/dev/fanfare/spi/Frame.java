package dev.fanfare.spi;

/**
 * Something encoded once in a wire format and written to many connections: for a network transport a
 * reference-counted buffer.
 *
 * <p><b>Threading:</b> thread-safe as far as reading goes; whoever made it releases it once.
 */
public interface Frame {

    /** Returns its size on the wire. */
    int bytes();

    /** Gives up the maker's hold. Outlets that still write it keep their own. */
    void release();
}
