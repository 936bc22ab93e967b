package dev.fanfare.netty.centrifuge;

import java.util.List;

/**
 * Reads the commands in one message of a client.
 *
 * <p><b>Threading:</b> thread-safe.
 */
interface CommandDecoder {

    /**
     * Reads all commands, at least one.
     *
     * @param message whole; its length is the caller's to bound
     * @throws BadCommandException if any of it is wrong; then none of the commands counts
     */
    List<Command> decode(byte[] message) throws BadCommandException;
}
