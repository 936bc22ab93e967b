package dev.fanfare.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.fanfare.Authorizer;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.Rejection;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS on the port, with certificates that change while it is in use. */
class TlsTest {

    private static final long PAUSE_NANOS = 1_000_000;

    private static final char[] PASSWORD = "changeit".toCharArray();

    private static final String CONNECT = "{\"id\":1,\"connect\":{}}";

    private final BlockingQueue<Rejection> rejections = new LinkedBlockingQueue<>();
    private final BlockingQueue<ConnectionInfo> connects = new LinkedBlockingQueue<>();
    private final BlockingQueue<DisconnectReason> disconnects = new LinkedBlockingQueue<>();
    private final Fanfare fanfare = Fanfare.builder()
            .listener(new FanfareListener() {
                @Override
                public void onReject(Rejection reason) {
                    rejections.add(reason);
                }

                @Override
                public void onConnect(ConnectionInfo connection) {
                    connects.add(connection);
                }

                @Override
                public void onDisconnect(ConnectionInfo connection, DisconnectReason reason) {
                    disconnects.add(reason);
                }
            })
            .namespace("", rules -> rules.retain(1_000_000, Duration.ofHours(1)))
            .authorizer(Authorizer.allowAll())
            .build();

    private static KeyStore first;
    private static KeyStore second;

    @TempDir
    private Path folder;

    private Path chain;
    private Path key;

    @BeforeAll
    static void makeCertificates(@TempDir Path stores) throws Exception {
        first = certificate(stores, "first");
        second = certificate(stores, "second");
    }

    @BeforeEach
    void writeTheFirst() throws Exception {
        chain = folder.resolve("chain.pem");
        key = folder.resolve("key.pem");
        write(first);
    }

    @AfterEach
    void close() {
        fanfare.close();
    }

    @Test
    void everythingIsServedOverTls() throws Exception {
        try (NettyTransport transport = listen(Tls.pem(chain, key))) {
            HttpClient http =
                    HttpClient.newBuilder().sslContext(trusting(first)).build();

            HttpResponse<String> answer = http.send(
                    HttpRequest.newBuilder(URI.create("https://localhost:" + transport.port() + "/health/live"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());

            assertThat(answer.statusCode()).isEqualTo(200);
        }
    }

    @Test
    void whoDoesNotSpeakTlsGetsNothing() throws Exception {
        try (NettyTransport transport = listen(Tls.pem(chain, key));
                RawClient client = RawClient.connect(transport.port())) {
            client.send("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");

            assertThat(client.rest()).doesNotContain("HTTP/1.1");
            assertThat(rejections).containsExactly(Rejection.NO_TLS);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/connection/websocket", "/connection/http_stream", "/sse"})
    void whoSendsGarbageOnAConnectionThatWasSecureCutsItAndIsNoFaultOfOurs(String path) throws Exception {
        try (NettyTransport transport = listen(Tls.pem(chain, key));
                Socket plain = new Socket("127.0.0.1", transport.port());
                SSLSocket socket = secured(plain)) {
            String request = switch (path) {
                case "/sse" -> RawClient.head("GET", "/sse?channel=a", "");
                case "/connection/http_stream" -> RawClient.head("POST", path, CONNECT) + CONNECT;
                default ->
                    RawClient.head(
                            "GET",
                            path,
                            "",
                            "Upgrade: websocket",
                            "Connection: Upgrade",
                            "Sec-WebSocket-Version: 13",
                            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==");
            };
            socket.getOutputStream().write(request.getBytes(US_ASCII));
            if (path.endsWith("websocket")) {
                socket.getOutputStream().write(unmasked(CONNECT));
            }
            assertThat(connects.poll(10, TimeUnit.SECONDS)).isNotNull();

            plain.getOutputStream().write("this is no TLS record".getBytes(US_ASCII));

            assertThat(disconnects.poll(10, TimeUnit.SECONDS)).isEqualTo(DisconnectReason.BY_CLIENT);
        }
    }

    @Test
    void garbageInPlaceOfARequestIsCounted() throws Exception {
        try (NettyTransport transport = listen(Tls.pem(chain, key));
                Socket plain = new Socket("127.0.0.1", transport.port());
                SSLSocket socket = secured(plain)) {
            socket.getOutputStream()
                    .write(RawClient.head("GET", "/health/live", "").getBytes(US_ASCII));
            assertThat(socket.getInputStream().read()).isEqualTo('H');

            plain.getOutputStream().write("this is no TLS record".getBytes(US_ASCII));

            assertThat(rejections.poll(10, TimeUnit.SECONDS)).isEqualTo(Rejection.MALFORMED);
        }
    }

    private SSLSocket secured(Socket plain) throws Exception {
        SSLSocket socket = (SSLSocket) trusting(first).getSocketFactory().createSocket(plain, "localhost", 1, false);
        socket.startHandshake();
        return socket;
    }

    /** Returns a frame with that text, of which the mask is zero. */
    private static byte[] unmasked(String text) {
        byte[] frame = new byte[6 + text.length()];
        frame[0] = (byte) 0x81;
        frame[1] = (byte) (0x80 | text.length());
        System.arraycopy(text.getBytes(US_ASCII), 0, frame, 6, text.length());
        return frame;
    }

    @Test
    void aReloadUnderLoadIsSeenByNewConnectionsAndFeltByNone() throws Exception {
        Tls tls = Tls.pem(chain, key);
        try (NettyTransport transport = listen(tls)) {
            Map<Listener, WebSocket> clients = new LinkedHashMap<>();
            for (int i = 0; i < 5; i++) {
                Listener listener = new Listener();
                clients.put(listener, connect(transport, first, listener));
            }
            AtomicBoolean goesOn = new AtomicBoolean(true);
            AtomicLong published = new AtomicLong();
            Thread load = new Thread(() -> {
                while (goesOn.get()) {
                    fanfare.publish("a", "1").toCompletableFuture().join();
                    published.incrementAndGet();
                    LockSupport.parkNanos(PAUSE_NANOS); // what is sent is read by the test, too
                }
            });
            load.start();
            await().until(() -> published.get() > 100);
            assertThat(shownBy(transport)).isEqualTo("CN=first");

            write(second);
            tls.reload();

            assertThat(shownBy(transport)).isEqualTo("CN=second");
            Listener fresh = new Listener();
            clients.put(fresh, connect(transport, second, fresh));
            long then = published.get();
            await().until(() -> published.get() > then + 100);
            goesOn.set(false);
            load.join();
            for (Listener each : clients.keySet()) {
                each.await("\"offset\":" + published.get() + "}");
                assertThat(each.offsets).isNotEmpty().isEqualTo(range(each.offsets.get(0), published.get()));
                assertThat(each.isClosed).isFalse();
            }
            assertThat(clients.keySet().iterator().next().offsets.get(0))
                    .as("the first who was there saw the first")
                    .isEqualTo(1);
            clients.values().forEach(WebSocket::abort);
        }
    }

    @Test
    void whatCannotBeLoadedLeavesWhatWasThere() throws Exception {
        Tls tls = Tls.pem(chain, key);
        try (NettyTransport transport = listen(tls)) {
            Files.writeString(key, "no key");

            assertThatThrownBy(tls::reload).isInstanceOf(TransportException.class);

            assertThat(shownBy(transport)).isEqualTo("CN=first");
        }
    }

    @Test
    void filesThatAreNotThereAreRefusedAtOnce() {
        assertThatThrownBy(() -> Tls.pem(folder.resolve("nothing"), key))
                .isInstanceOf(TransportException.class)
                .hasMessageContaining("certificate");
    }

    @Test
    void contextsOfTheJdkWorkAsWell() throws Exception {
        KeyStore[] current = {first};
        Tls tls = Tls.context(() -> serving(current[0]));
        try (NettyTransport transport = listen(tls)) {
            assertThat(shownBy(transport)).isEqualTo("CN=first");

            current[0] = second;
            tls.reload();

            assertThat(shownBy(transport)).isEqualTo("CN=second");
        }
    }

    // ---- tools

    private NettyTransport listen(Tls tls) {
        return NettyTransport.builder(fanfare)
                .host("127.0.0.1")
                .port(0)
                .tls(tls)
                .start();
    }

    private static WebSocket connect(NettyTransport transport, KeyStore trusted, Listener listener) throws Exception {
        WebSocket socket = HttpClient.newBuilder()
                .sslContext(trusting(trusted))
                .build()
                .newWebSocketBuilder()
                .buildAsync(URI.create("wss://localhost:" + transport.port() + "/connection/websocket"), listener)
                .join();
        socket.sendText("{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}", true)
                .join();
        listener.await("\"subscribe\"");
        return socket;
    }

    private String shownBy(NettyTransport transport) throws Exception {
        SSLContext anything = SSLContext.getInstance("TLS");
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        KeyStore both = KeyStore.getInstance("PKCS12");
        both.load(null, null);
        both.setCertificateEntry("first", first.getCertificate("server"));
        both.setCertificateEntry("second", second.getCertificate("server"));
        trust.init(both);
        anything.init(null, trust.getTrustManagers(), null);
        try (Socket plain = new Socket("127.0.0.1", transport.port());
                SSLSocket socket = (SSLSocket)
                        anything.getSocketFactory().createSocket(plain, "localhost", transport.port(), true)) {
            socket.startHandshake();
            X509Certificate shown = (X509Certificate) socket.getSession().getPeerCertificates()[0];
            return shown.getSubjectX500Principal().getName();
        }
    }

    private static KeyStore certificate(Path stores, String name) throws Exception {
        Path file = stores.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "server",
                        "-keyalg",
                        "EC",
                        "-groupname",
                        "secp256r1",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "san=dns:localhost",
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        file.toString(),
                        "-storepass",
                        new String(PASSWORD))
                .redirectErrorStream(true)
                .start();
        String output = new String(keytool.getInputStream().readAllBytes(), US_ASCII);
        assertThat(keytool.waitFor()).as(output).isZero();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    private void write(KeyStore store) throws Exception {
        Certificate certificate = store.getCertificate("server");
        Key privateKey = store.getKey("server", PASSWORD);
        Files.writeString(chain, pem("CERTIFICATE", certificate.getEncoded()));
        Files.writeString(key, pem("PRIVATE KEY", privateKey.getEncoded()));
    }

    private static String pem(String what, byte[] bytes) {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        return "-----BEGIN " + what + "-----\n" + text + "\n-----END " + what + "-----\n";
    }

    private static List<Long> range(long first, long last) {
        return LongStream.rangeClosed(first, last).boxed().toList();
    }

    private static SSLContext serving(KeyStore store) {
        try {
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, PASSWORD);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), null, null);
            return context;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static SSLContext trusting(KeyStore server) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("server", server.getCertificate("server"));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private static final class Listener implements WebSocket.Listener {
        private static final Pattern OFFSET = Pattern.compile("\"pub\":\\{\"data\":1,\"offset\":(\\d+)");
        final BlockingQueue<String> texts = new LinkedBlockingQueue<>();
        /** Of the publications that {@link #await} has gone through. */
        final List<Long> offsets = new ArrayList<>();

        private final StringBuilder message = new StringBuilder();
        volatile boolean isClosed;

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            message.append(data);
            if (last) {
                texts.add(message.toString());
                message.setLength(0);
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            isClosed = true;
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            isClosed = true;
        }

        void await(String part) throws InterruptedException {
            String text;
            do {
                text = texts.poll(10, TimeUnit.SECONDS);
                assertThat(text).as("a message with " + part).isNotNull();
                OFFSET.matcher(text).results().forEach(found -> offsets.add(Long.valueOf(found.group(1))));
            } while (!text.contains(part));
        }
    }
}
