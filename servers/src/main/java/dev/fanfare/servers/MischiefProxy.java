package dev.fanfare.servers;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A TCP address of a Redis that loses, repeats and delays pub/sub messages, so that they also overtake one another. All else
 * comes through as it is.
 */
public final class MischiefProxy implements AutoCloseable {

    private static final int LOST_PERCENT = 20;
    private static final int REPEATED_PERCENT = 15;
    private static final int DELAYED_PERCENT = 25;
    private static final int LONGEST_DELAY_MILLIS = 200;

    private final int target;
    private final String infix;
    private final Random random;
    private final ServerSocket acceptor;
    private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final AtomicInteger lost = new AtomicInteger();
    private final AtomicInteger repeated = new AtomicInteger();
    private final AtomicInteger overtaken = new AtomicInteger();

    /**
     * Makes one.
     *
     * @param target the port of the Redis
     * @param infix what the names of the pub/sub channels concerned contain
     * @param seed of what is done to which message
     */
    public MischiefProxy(int target, String infix, long seed) {
        this.target = target;
        this.infix = infix;
        this.random = new Random(seed);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        try {
            this.acceptor = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        daemon(this::accept);
    }

    public String uri() {
        return "redis://127.0.0.1:" + port();
    }

    public int port() {
        return acceptor.getLocalPort();
    }

    /** Returns how many messages were lost. */
    public int lost() {
        return lost.get();
    }

    /** Returns how many messages came twice. */
    public int repeated() {
        return repeated.get();
    }

    /** Returns how many messages came after one of the same connection that had been sent later. */
    public int overtaken() {
        return overtaken.get();
    }

    @Override
    public void close() {
        timer.shutdownNow();
        try {
            acceptor.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void accept() {
        while (!acceptor.isClosed()) {
            try {
                Socket client = acceptor.accept();
                Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
                sockets.addAll(List.of(client, server));
                daemon(() -> copy(client, server));
                daemon(() -> meddle(server, client));
            } catch (IOException nobodyThere) {
                // the client notices
            }
        }
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "mischief");
        thread.setDaemon(true);
        thread.start();
    }

    private static void copy(Socket from, Socket to) {
        try (from;
                to) {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException over) {
            // closed
        }
    }

    private void meddle(Socket from, Socket to) {
        try (from;
                to) {
            InputStream in = new BufferedInputStream(from.getInputStream(), 64 * 1024);
            Way way = new Way(to);
            for (int number = 1; ; number++) {
                ByteArrayOutputStream value = new ByteArrayOutputStream();
                read(in, value);
                byte[] bytes = value.toByteArray();
                if (isMessage(bytes)) {
                    meddle(number, bytes, way);
                } else {
                    way.write(bytes);
                }
            }
        } catch (IOException over) {
            // closed
        }
    }

    private void meddle(int number, byte[] message, Way way) {
        int dice = dice();
        if (dice < LOST_PERCENT) {
            lost.incrementAndGet();
        } else if (dice < LOST_PERCENT + DELAYED_PERCENT) {
            timer.schedule(() -> way.write(number, message), delay(), TimeUnit.MILLISECONDS);
        } else {
            way.write(number, message);
            if (dice < LOST_PERCENT + DELAYED_PERCENT + REPEATED_PERCENT) {
                repeated.incrementAndGet();
                way.write(message);
            }
        }
    }

    private synchronized int dice() {
        return random.nextInt(100);
    }

    private synchronized int delay() {
        return random.nextInt(LONGEST_DELAY_MILLIS);
    }

    /** The way to one client, which remembers what got there. */
    private final class Way {
        private final Socket to;
        private int newest;

        Way(Socket to) {
            this.to = to;
        }

        synchronized void write(int number, byte[] message) {
            if (number < newest) {
                overtaken.incrementAndGet();
            }
            newest = Math.max(newest, number);
            write(message);
        }

        synchronized void write(byte[] bytes) {
            try {
                OutputStream out = to.getOutputStream();
                out.write(bytes);
                out.flush();
            } catch (IOException over) {
                // the other direction notices
            }
        }
    }

    private boolean isMessage(byte[] value) {
        String start = new String(value, 0, Math.min(value.length, 300), ISO_8859_1);
        return start.matches("(?s)[>*]\\d+\r\n\\$\\d+\r\ns?message\r\n.*") && start.contains(infix);
    }

    /** Reads one value of the protocol, with all that is in it. */
    private static void read(InputStream in, ByteArrayOutputStream value) throws IOException {
        int start = value.size();
        int before = 0;
        for (int next = in.read(); ; next = in.read()) {
            if (next < 0) {
                throw new EOFException();
            }
            value.write(next);
            if (before == '\r' && next == '\n') {
                break;
            }
            before = next;
        }
        String line = value.toString(ISO_8859_1).substring(start).trim();
        switch (line.charAt(0)) {
            case '$', '=', '!' -> {
                int length = Integer.parseInt(line.substring(1));
                if (length >= 0) {
                    value.write(in.readNBytes(length + 2));
                }
            }
            case '*', '~', '>' -> readAll(in, value, Integer.parseInt(line.substring(1)));
            case '%' -> readAll(in, value, 2 * Integer.parseInt(line.substring(1)));
            default -> {
                // the line is all
            }
        }
    }

    private static void readAll(InputStream in, ByteArrayOutputStream value, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            read(in, value);
        }
    }
}
