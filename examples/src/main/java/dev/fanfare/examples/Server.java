package dev.fanfare.examples;

import dev.fanfare.Fanfare;
import dev.fanfare.netty.NettyTransport;

/**
 * A Fanfare and the transport in front of it, closed together.
 *
 * <p><b>Threading:</b> thread-safe.
 *
 * @param fanfare what was built
 * @param transport what listens
 */
record Server(Fanfare fanfare, NettyTransport transport) implements Running {

    /** Returns the port on which it listens. */
    int port() {
        return transport.port();
    }

    /** Stops listening, tells the clients to come back later, and ends. */
    @Override
    public void close() {
        // Fanfare first: it closes every connection with "shutdown", which clients take as "come back".
        fanfare.close();
        transport.close();
    }
}
