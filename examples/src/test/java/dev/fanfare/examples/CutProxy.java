package dev.fanfare.examples;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Passes TCP connections on to a server, until it is told to cut them and to let nobody in. */
final class CutProxy implements AutoCloseable {

    private final ServerSocket listener;
    private final URI target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private volatile boolean isCut;

    CutProxy(String url) throws IOException {
        target = URI.create(url);
        listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        daemon("proxy-accept", this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    /** Cuts everything and refuses new connections. */
    void cut() {
        isCut = true;
        sockets.forEach(CutProxy::reset);
    }

    /** Lets connections pass again. */
    void mend() {
        isCut = false;
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut();
    }

    private void accept() throws IOException {
        while (!listener.isClosed()) {
            Socket near = listener.accept();
            sockets.add(near);
            if (isCut) {
                reset(near);
                continue;
            }
            Socket far = new Socket(target.getHost(), target.getPort());
            sockets.add(far);
            near.setTcpNoDelay(true);
            far.setTcpNoDelay(true);
            daemon("proxy-up", () -> pass(near, far));
            daemon("proxy-down", () -> pass(far, near));
        }
    }

    private void pass(Socket from, Socket to) {
        byte[] buffer = new byte[8192];
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                out.write(buffer, 0, count);
            }
        } catch (IOException cutByOneSide) {
            // the other one is closed by now
        } finally {
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException closedAlready) {
            // cutting one side closes the other
        }
    }

    private static void daemon(String name, Step step) {
        Thread thread = new Thread(
                () -> {
                    try {
                        step.run();
                    } catch (IOException over) {
                        // closed
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    private interface Step {
        void run() throws IOException;
    }
}
