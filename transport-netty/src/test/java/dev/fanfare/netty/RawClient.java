package dev.fanfare.netty;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Speaks HTTP/1.1 by hand, so that tests decide about every byte. Reads give up after five seconds. */
public final class RawClient implements AutoCloseable {

    private final Socket socket;
    private final InputStream in;

    private RawClient(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream());
    }

    public static RawClient connect(int port) {
        try {
            Socket socket = new Socket("127.0.0.1", port);
            socket.setSoTimeout(5000);
            socket.setTcpNoDelay(true);
            return new RawClient(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @CanIgnoreReturnValue
    public RawClient send(String text) {
        return send(text.getBytes(UTF_8));
    }

    @CanIgnoreReturnValue
    public RawClient send(byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @CanIgnoreReturnValue
    public Answer get(String target, String... headers) {
        return request("GET", target, "", headers);
    }

    @CanIgnoreReturnValue
    public Answer post(String target, String body, String... headers) {
        return request("POST", target, body, headers);
    }

    @CanIgnoreReturnValue
    public Answer request(String method, String target, String body, String... headers) {
        send(head(method, target, body, headers) + body);
        return method.equals("HEAD") ? receiveHead() : receive();
    }

    public static String head(String method, String target, String body, String... headers) {
        StringBuilder head = new StringBuilder(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n");
        for (String header : headers) {
            head.append(header).append("\r\n");
        }
        if (!body.isEmpty()) {
            head.append("Content-Length: ").append(body.getBytes(UTF_8).length).append("\r\n");
        }
        return head.append("\r\n").toString();
    }

    /** Reads an answer with its body. */
    public Answer receive() {
        Answer head = receiveHead();
        try {
            int length = Integer.parseInt(head.headers.getOrDefault("content-length", "0"));
            byte[] body = in.readNBytes(length);
            return new Answer(head.status, head.headers, body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads only the head of an answer. */
    @CanIgnoreReturnValue
    public Answer receiveHead() {
        String status = line();
        if (!status.startsWith("HTTP/1.1 ")) {
            throw new IllegalStateException("no answer but: " + status);
        }
        Map<String, String> headers = new LinkedHashMap<>();
        String line;
        while (!(line = line()).isEmpty()) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).trim());
        }
        return new Answer(Integer.parseInt(status.substring(9, 12)), headers, new byte[0]);
    }

    /** Reads the next block of an event stream: its lines, up to the empty one. */
    @CanIgnoreReturnValue
    public List<String> block() {
        List<String> lines = new ArrayList<>();
        String line;
        while (!(line = line()).isEmpty()) {
            lines.add(line);
        }
        return lines;
    }

    public String line() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            int b;
            while ((b = in.read()) != '\n') {
                if (b < 0) {
                    throw new IllegalStateException("closed after: " + bytes.toString(UTF_8));
                }
                bytes.write(b);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String line = bytes.toString(UTF_8);
        return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
    }

    /** Reads the next chunk of a body that comes in chunks. */
    public byte[] chunk() {
        int length = Integer.parseInt(line(), 16);
        try {
            byte[] chunk = in.readNBytes(length);
            String end = line();
            if (chunk.length < length || !end.isEmpty()) {
                throw new IllegalStateException("no chunk of " + length + " bytes");
            }
            return chunk;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Says that nothing more will come from here, and goes on reading. */
    public void stopSending() {
        try {
            socket.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads all that still comes until the server closes. */
    public String rest() {
        try {
            return new String(in.readAllBytes(), ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An answer. */
    public static final class Answer {
        public final int status;
        public final Map<String, String> headers;
        public final byte[] body;

        Answer(int status, Map<String, String> headers, byte[] body) {
            this.status = status;
            this.headers = headers;
            this.body = body;
        }

        public String text() {
            return new String(body, UTF_8);
        }

        @Override
        public String toString() {
            return status + " " + headers + " " + text();
        }
    }
}
