package dev.fanfare.netty.centrifuge;

import org.jspecify.annotations.Nullable;

/**
 * One decoded command of a client.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param id what the reply is to carry; 0 where there is none
 * @param request what is asked
 * @param bytes its size on the wire
 */
record Command(long id, Request request, int bytes) {

    /** Largest id: an unsigned integer of 32 bits. */
    static final long MAX_ID = 0xffff_ffffL;

    /**
     * Puts a command together as the protocol reads it: without an id everything but a message is a pong.
     *
     * @param request null if there was none
     * @throws BadCommandException if it has an id but asks nothing
     */
    static Command of(long id, @Nullable Request request, int bytes) throws BadCommandException {
        if (id < 0 || id > MAX_ID) {
            throw new BadCommandException("id out of range");
        }
        if (id == 0 && !(request instanceof Request.Send)) {
            return new Command(0, Request.Pong.PONG, bytes);
        }
        if (request == null) {
            throw new BadCommandException("command without a request");
        }
        return new Command(id, request, bytes);
    }
}
