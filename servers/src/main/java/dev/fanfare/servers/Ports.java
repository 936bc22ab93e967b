package dev.fanfare.servers;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ports for servers that are killed and started again. They lie below those that the kernel gives to outgoing connections
 * (from 32768 on Linux), else one of these could take the port in between. A Redis Cluster also uses the port 10,000 above.
 *
 * <p><b>Threading:</b> thread-safe. Test processes side by side begin at random places.
 */
public final class Ports {

    private static final int FIRST = 10_240;
    private static final int COUNT = 11_760;
    private static final AtomicInteger NEXT =
            new AtomicInteger(ThreadLocalRandom.current().nextInt(COUNT));

    private Ports() {}

    /** Returns one that nobody listens on. */
    public static int free() {
        for (int i = 0; i < COUNT; i++) {
            int port = FIRST + NEXT.getAndIncrement() % COUNT;
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                // the next one
            }
        }
        throw new AssertionError("All ports are taken");
    }
}
