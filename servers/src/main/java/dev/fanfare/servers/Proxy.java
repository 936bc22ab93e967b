package dev.fanfare.servers;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A TCP address whose connections can be frozen, cut, and led to another server. */
public final class Proxy implements AutoCloseable {

    private final ServerSocket acceptor;
    private final List<Pipe> pipes = new CopyOnWriteArrayList<>();
    private volatile int target;
    private volatile boolean isRefusing;
    private volatile String fatal = "";
    private final AtomicInteger freezing = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();

    public Proxy(int target) {
        this.target = target;
        try {
            this.acceptor = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        daemon(this::accept);
    }

    public int port() {
        return acceptor.getLocalPort();
    }

    public String uri() {
        return "redis://127.0.0.1:" + port();
    }

    /** Leads later connections to another server. */
    public void leadTo(int port) {
        target = port;
    }

    /** Holds back, for ever, what comes through the connections that there are; they stay open. */
    public void freeze() {
        pipes.forEach(pipe -> pipe.isFrozen = true);
    }

    /** Does the same to the next that are made, before anything has come through. */
    public void freezeNext(int count) {
        freezing.set(count);
    }

    /** Lets requests through and swallows what is replied, on the connections that there are. */
    public void loseReplies() {
        pipes.forEach(pipe -> pipe.isLosingReplies = true);
    }

    /** Swallows, on any connection, the replies to a request with that word and to all that follow. */
    public void loseRepliesTo(String word) {
        fatal = word;
    }

    /** Closes the connections that there are. */
    public void cut() {
        pipes.forEach(Pipe::close);
        pipes.clear();
    }

    /** Closes what comes later at once, or not. */
    public void refuse(boolean isRefusing) {
        this.isRefusing = isRefusing;
    }

    /** Returns how many connections it has refused. */
    public int refused() {
        return refused.get();
    }

    public int connections() {
        return (int) pipes.stream().filter(pipe -> !pipe.isClosed).count();
    }

    @Override
    public void close() {
        try {
            acceptor.close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        cut();
    }

    private void accept() {
        while (!acceptor.isClosed()) {
            try {
                Socket client = acceptor.accept();
                if (isRefusing) {
                    client.close();
                    refused.incrementAndGet();
                    continue;
                }
                Pipe pipe = new Pipe(client, new Socket(InetAddress.getLoopbackAddress(), target));
                pipe.isFrozen = freezing.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
                pipes.add(pipe);
                daemon(() -> pipe.pump(pipe.client, pipe.server));
                daemon(() -> pipe.pump(pipe.server, pipe.client));
            } catch (IOException nobodyThere) {
                // the client notices
            }
        }
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "proxy");
        thread.setDaemon(true);
        thread.start();
    }

    private final class Pipe {
        final Socket client;
        final Socket server;
        volatile boolean isFrozen;
        volatile boolean isLosingReplies;
        volatile boolean isClosed;

        Pipe(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        void pump(Socket from, Socket to) {
            byte[] buffer = new byte[64 * 1024];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                    if (from == client && isFatal(buffer, count)) {
                        isLosingReplies = true;
                    }
                    if (!isFrozen && !(from == server && isLosingReplies)) {
                        out.write(buffer, 0, count);
                    }
                }
            } catch (IOException over) {
                // closed below
            }
            if (!isFrozen) {
                close();
            }
        }

        private boolean isFatal(byte[] request, int count) {
            return !fatal.isEmpty() && new String(request, 0, count, ISO_8859_1).contains(fatal);
        }

        void close() {
            isClosed = true;
            try (client;
                    server) {
                isFrozen = false;
            } catch (IOException already) {
                // closed all the same
            }
        }
    }
}
