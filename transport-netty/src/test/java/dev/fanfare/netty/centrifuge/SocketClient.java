package dev.fanfare.netty.centrifuge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.netty.buffer.ByteBufUtil;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** A client on a real socket that reads only when the test says so. */
final class SocketClient implements AutoCloseable {

    private static final int PATIENCE_MILLIS = 10_000;

    private final Socket socket;
    private final DataInputStream in;
    private final String answer;
    private final Deque<String> waiting = new ArrayDeque<>();

    SocketClient(int port, String query) {
        this(port, query, "X-Test: y");
    }

    SocketClient(int port, String query, String header) {
        try {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setSoTimeout(PATIENCE_MILLIS);
            in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 65_536));
            socket.getOutputStream()
                    .write(EmbeddedClient.handshake("/connection/websocket" + query, header)
                            .getBytes(UTF_8));
            StringBuilder head = new StringBuilder();
            for (String line = line(); !line.isEmpty(); line = line()) {
                head.append(line).append('\n');
            }
            answer = head.toString();
            assertThat(answer).startsWith("HTTP/1.1 101 ");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Opens a WebSocket for JSON, and connects. */
    static SocketClient connected(int port) {
        SocketClient client = new SocketClient(port, "");
        client.send("{\"id\":1,\"connect\":{}}");
        assertThat(client.next()).startsWith("{\"id\":1,\"connect\":{\"client\":\"");
        return client;
    }

    /** Returns the head of the server's answer to the handshake. */
    String answer() {
        return answer;
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    void send(String... lines) {
        sendFrame(0x81, String.join("\n", lines).getBytes(UTF_8));
    }

    void sendFrame(int firstOctet, byte[] payload) {
        try {
            socket.getOutputStream().write(ByteBufUtil.getBytes(EmbeddedClient.frame(firstOctet, payload)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sends a command and returns the next message, which is to be its reply. */
    @CanIgnoreReturnValue
    String call(String command) {
        send(command);
        return next();
    }

    /** Returns the next message, of which there may be several in one frame. */
    @CanIgnoreReturnValue
    String next() {
        if (waiting.isEmpty()) {
            EmbeddedClient.Received frame = frame();
            assertThat(frame.isText()).as("a text frame: %s", frame).isTrue();
            waiting.addAll(List.of(frame.text().split("\n", -1)));
        }
        return waiting.remove();
    }

    @CanIgnoreReturnValue
    EmbeddedClient.Received frame() {
        try {
            int first = in.readUnsignedByte();
            int length = in.readUnsignedByte();
            if (length == 126) {
                length = in.readUnsignedShort();
            } else if (length == 127) {
                length = (int) in.readLong();
            }
            byte[] payload = new byte[length];
            in.readFully(payload);
            return new EmbeddedClient.Received(first, payload);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Says that nothing more will come from here, and goes on reading. */
    void stopSending() {
        try {
            socket.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads all that still comes until the server closes. */
    byte[] rest() {
        try {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void assertClosed(int code) {
        EmbeddedClient.Received frame = frame();
        assertThat(frame.isClose()).as("a Close frame: %s", frame).isTrue();
        assertThat(frame.closeCode()).isEqualTo(code);
        assertThat(frame.closeReason()).isNotEmpty();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
