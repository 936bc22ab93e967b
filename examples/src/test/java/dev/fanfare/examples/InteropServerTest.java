package dev.fanfare.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.util.Base64;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules that the test suites of the SDKs count on. */
class InteropServerTest {

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private static Server server;

    @BeforeAll
    static void start() {
        server = InteropServer.start("127.0.0.1", 0);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void aClientNeedsNoToken() {
        assertThat(new Client().call("{\"id\":1,\"connect\":{}}")).contains("\"ping\":25,\"pong\":true");
    }

    @Test
    void aUserIsSubscribedToAChannelOfItsOwnAndNeverExpires() throws Exception {
        String reply = new Client().call(connect(token("{\"sub\":\"42\",\"exp\":4000000000}")));

        assertThat(reply).contains("\"subs\":{\"#42\":{").doesNotContain("expires");
    }

    @Test
    void anAnonymousTokenIsJustThat() throws Exception {
        assertThat(new Client().call(connect(token("{}")))).doesNotContain("subs");
    }

    @Test
    void anExpiredTokenIsToldApartFromABadOne() throws Exception {
        assertThat(new Client().call(connect(token("{\"sub\":\"42\",\"exp\":1}"))))
                .contains("\"code\":109");
        assertThat(new Client().call(connect("invalid_token"))).isEqualTo("closed 3500 invalid token");
    }

    @Test
    void subscriptionTokensAreVerifiedWhereTheyAreSent() throws Exception {
        Client client = connected(token("{\"sub\":\"42\"}"));

        assertThat(client.call(subscribe("a", token("{\"sub\":\"42\",\"channel\":\"a\"}"))))
                .contains("\"subscribe\":{");
        assertThat(client.call(subscribe("b", token("{\"sub\":\"42\",\"channel\":\"b\",\"exp\":1}"))))
                .contains("\"code\":109");
        assertThat(client.call(subscribe("b", "invalid_token"))).contains("\"code\":103");
        assertThat(client.call(subscribe("b", token("{\"sub\":\"42\",\"channel\":\"other\"}"))))
                .startsWith("closed 3500");
    }

    @ParameterizedTest
    @CsvSource({"a, true", "recovery:a, false", "smallhistory:a, false", "delta:a, false"})
    void everyNamespaceIsRecoverableAndOnlyTheFirstHasPresence(String channel, boolean hasPresence) throws Exception {
        Client client = connected("");

        assertThat(client.call(subscribe(channel, ""))).contains("\"recoverable\":true,\"positioned\":true");
        assertThat(client.call("{\"id\":3,\"history\":{\"channel\":\"" + channel + "\"}}"))
                .contains("\"epoch\"");
        assertThat(client.call("{\"id\":4,\"presence\":{\"channel\":\"" + channel + "\"}}"))
                .contains(hasPresence ? "\"presence\":{" : "\"code\":108");
    }

    @ParameterizedTest
    @ValueSource(strings = {"differences-without-namespace", "delta:differences"})
    void differencesMayBeAskedFor(String channel) throws Exception {
        Client client = connected("");

        assertThat(client.call("{\"id\":2,\"subscribe\":{\"channel\":\"" + channel + "\",\"delta\":\"fossil\"}}"))
                .contains("\"delta\":true");
    }

    @Test
    void otherNamespacesAreUnknown() throws Exception {
        assertThat(connected("").call(subscribe("nowhere:a", ""))).contains("\"code\":102");
    }

    @Test
    void calls108AndMessagesEnd3508() throws Exception {
        Client client = connected("");

        assertThat(client.call("{\"id\":2,\"rpc\":{\"method\":\"m\",\"data\":{}}}"))
                .contains("\"code\":108");
        assertThat(client.call("{\"send\":{\"data\":{}}}")).startsWith("closed 3508");
    }

    @ParameterizedTest
    @ValueSource(strings = {"test-api-key", "", "any other"})
    void theApiIsOpenToAll(String key) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/api/publish"))
                .header("X-API-Key", key)
                .POST(HttpRequest.BodyPublishers.ofString("{\"channel\":\"a\",\"data\":{ \"n\": 1 },\"what\":true}"))
                .build();

        HttpResponse<String> answer = HTTP.send(request, HttpResponse.BodyHandlers.ofString());

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).startsWith("{\"result\":{");
    }

    private static Client connected(String token) {
        Client client = new Client();
        client.call(connect(token));
        return client;
    }

    private static String connect(String token) {
        return "{\"id\":1,\"connect\":{\"token\":\"" + token + "\"}}";
    }

    private static String subscribe(String channel, String token) {
        return "{\"id\":2,\"subscribe\":{\"channel\":\"" + channel + "\",\"token\":\"" + token + "\"}}";
    }

    /** Signs as the suites do, which know nothing of this project. */
    private static String token(String claims) throws Exception {
        String head =
                base64("{\"typ\":\"JWT\",\"alg\":\"HS256\"}".getBytes(UTF_8)) + '.' + base64(claims.getBytes(UTF_8));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec("secret".getBytes(UTF_8), "HmacSHA256"));
        return head + '.' + base64(mac.doFinal(head.getBytes(UTF_8)));
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** A client that says what it is told to. */
    private static final class Client implements WebSocket.Listener {
        private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
        private final WebSocket socket = HTTP.newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + server.port() + "/connection/websocket"), this)
                .join();

        /** Sends a command and returns its reply, or how the connection was closed instead. */
        String call(String command) {
            socket.sendText(command, true).join();
            while (true) {
                for (String line : next().split("\n", -1)) {
                    if (!line.startsWith("{\"push\"")) {
                        return line;
                    }
                }
            }
        }

        private String next() {
            try {
                String text = heard.poll(10, TimeUnit.SECONDS);
                assertThat(text).as("an answer").isNotNull();
                return text;
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            heard.add(data.toString());
            from.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
            heard.add("closed " + code + ' ' + reason);
            return null;
        }
    }
}
