package dev.fanfare.netty.centrifuge;

import static dev.fanfare.Rejection.NOT_FOUND;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.fanfare.Authorizer;
import dev.fanfare.ClientLimits;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.Payload;
import dev.fanfare.Rejection;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.netty.RawClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The client protocol where there is no WebSocket: streams down, posts up. */
class StreamTest {

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String CONNECT = "{\"id\":1,\"connect\":{}}";

    private final Queue<Rejection> rejections = new ConcurrentLinkedQueue<>();
    private final MemoryStore store = MemoryStore.create();
    private final Fanfare fanfare = fanfare();
    private final Fanfare other = fanfare();
    private final NettyTransport transport = listen(fanfare);
    private final NettyTransport elsewhere = listen(other);
    private final List<RawClient> clients = new ArrayList<>();

    private Fanfare fanfare() {
        return Fanfare.builder()
                .store(store)
                .namespace("", rules -> rules.retain(1000, Duration.ofMinutes(5)))
                .authorizer(Authorizer.allowAll())
                .listener(new FanfareListener() {
                    @Override
                    public void onReject(Rejection reason) {
                        rejections.add(reason);
                    }
                })
                .limits(ClientLimits.unlimited())
                .rpcHandler(call -> new CompletableFuture<>()) // never answers
                .build();
    }

    private static NettyTransport listen(Fanfare fanfare) {
        return NettyTransport.builder(fanfare)
                .host("127.0.0.1")
                .port(0)
                .allowedOrigins("https://app.example")
                .start();
    }

    @AfterEach
    void close() {
        clients.forEach(RawClient::close);
        fanfare.close();
        other.close();
        transport.close();
        elsewhere.close();
    }

    // ---- the stream

    @Test
    void theConnectReplyTellsWhereToPost() {
        Stream stream = open();

        assertThat(stream.session).matches("[A-Za-z0-9_-]{22}");
        assertThat(stream.node).isEqualTo(fanfare.gateway().node());
        assertThat(stream.connect.path("ping").intValue()).isEqualTo(25);
        assertThat(stream.connect.path("pong").booleanValue()).isTrue();
        assertThat(open().session).isNotEqualTo(stream.session);
    }

    @Test
    void theHeadForbidsEverybodyToKeepOrHoldTheBody() {
        RawClient client = client(transport);
        client.send(
                RawClient.head("POST", "/connection/http_stream", CONNECT, "Origin: https://app.example") + CONNECT);

        RawClient.Answer head = client.receiveHead();

        assertThat(head.status).isEqualTo(200);
        assertThat(head.headers)
                .containsEntry("transfer-encoding", "chunked")
                .containsEntry("x-accel-buffering", "no")
                .containsEntry("cache-control", "private, no-cache, no-store, must-revalidate, max-age=0")
                .containsEntry("access-control-allow-origin", "https://app.example")
                .doesNotContainKey("content-length");
    }

    @Test
    void repliesAndPushesComeDownTheStreamEachInAChunkOfItsOwn() throws Exception {
        Stream stream = open();

        assertThat(stream.post(transport, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}"))
                .isEqualTo(204);
        assertThat(stream.next().path("subscribe").path("recoverable").booleanValue())
                .isTrue();

        fanfare.publish("a", "{\"n\":1}").toCompletableFuture().join();
        assertThat(stream.next().at("/push/pub/data/n").intValue()).isEqualTo(1);
    }

    @Test
    void whatIsPipelinedWithTheConnectCommandIsAnsweredToo() throws Exception {
        Stream stream = open(CONNECT + "\n{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}\n");

        assertThat(stream.next().path("id").intValue()).isEqualTo(2);
    }

    @Test
    void severalCommandsOfOnePostAreAnsweredInOneChunk() throws Exception {
        Stream stream = open();
        StringBuilder commands = new StringBuilder();
        for (int id = 2; id < 10; id++) {
            commands.append("{\"id\":").append(id).append(",\"unsubscribe\":{\"channel\":\"c\"}}\n");
        }

        stream.post(transport, commands.toString());

        assertThat(stream.chunk().split("\n")).hasSize(8);
    }

    @Test
    void protobufMessagesHaveTheirLengthInFront() {
        RawClient client = client(transport);
        byte[] connect = {4, 8, 1, 34, 0};
        client.send(RawClient.head("POST", "/connection/http_stream", "", "Content-Type: application/octet-stream")
                        .replace("\r\n\r\n", "\r\nContent-Length: " + connect.length + "\r\n\r\n"))
                .send(connect);

        assertThat(client.receiveHead().headers).containsEntry("content-type", "application/octet-stream");
        int length = Integer.parseInt(client.line(), 16);
        assertThat(client.line())
                .as("length, then reply 1 with connect")
                .startsWith((char) (length - 1) + "\u0008\u0001*");
    }

    @Test
    void anEventStreamTakesTheFirstMessageFromTheQueryOrTheBody() throws Exception {
        RawClient byQuery = client(transport);
        byQuery.send(RawClient.head("GET", "/connection/sse?cf_connect=" + URLEncoder.encode(CONNECT, UTF_8), ""));
        RawClient byBody = client(transport);
        byBody.send(RawClient.head("POST", "/connection/sse", CONNECT) + CONNECT);

        for (RawClient client : List.of(byQuery, byBody)) {
            RawClient.Answer head = client.receiveHead();
            assertThat(head.headers.get("content-type")).startsWith("text/event-stream");
            int length = Integer.parseInt(client.line(), 16);
            String event = client.line();
            assertThat(event).startsWith("data: {\"id\":1,\"connect\":").hasSize(length - 2);
            assertThat(client.line()).isEmpty();
        }
    }

    @Test
    void aDisconnectIsAPushAndThenTheEndOfTheBody() throws Exception {
        Stream stream = open();

        stream.post(transport, "{\"id\":2,\"connect\":{}}");

        assertThat(stream.next().at("/push/disconnect").toString())
                .isEqualTo("{\"code\":3501,\"reason\":\"bad request\"}");
        assertThat(stream.client.rest()).isEqualTo("0\r\n\r\n");
    }

    @Test
    void aClosingServerSaysSo() throws Exception {
        Stream stream = open();

        fanfare.close();

        assertThat(stream.next().at("/push/disconnect").toString())
                .isEqualTo("{\"code\":3001,\"reason\":\"shutdown\",\"reconnect\":true}");
        assertThat(stream.client.rest()).isEqualTo("0\r\n\r\n");
    }

    // ---- posts

    @Test
    void postsArriveInTheirOrderOnWhateverNodeTheyLand() throws Exception {
        Stream stream = open();
        stream.post(transport, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
        stream.next();

        for (int id = 3; id < 60; id++) {
            NettyTransport any = id % 2 == 0 ? transport : elsewhere;
            String publish = "{\"id\":" + id + ",\"publish\":{\"channel\":\"a\",\"data\":" + id + "}}";
            assertThat(stream.post(any, publish)).isEqualTo(204);
        }

        List<Integer> published = new ArrayList<>();
        while (published.size() < 57) {
            JsonNode message = stream.next();
            if (message.has("push")) {
                published.add(message.at("/push/pub/data").intValue());
            }
        }
        assertThat(published).isSorted().startsWith(3).endsWith(59);
    }

    @Test
    void anUnsubscribeAndTheSubscribeAfterItAreDoneInThatOrder() throws Exception {
        Stream stream = open();
        stream.post(transport, "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}");
        stream.next();

        for (int id = 3; id < 40; id += 2) {
            stream.post(transport, "{\"id\":" + id + ",\"unsubscribe\":{\"channel\":\"a\"}}");
            stream.post(transport, "{\"id\":" + (id + 1) + ",\"subscribe\":{\"channel\":\"a\"}}");
            assertThat(stream.next().has("unsubscribe")).isTrue();
            assertThat(stream.next().has("subscribe")).isTrue();
        }
    }

    @Test
    void aNodeThatDoesNotExistIsNotFound() throws Exception {
        Stream stream = open();

        assertThat(stream.post(transport, "nowhere", stream.session, "{\"id\":2,\"rpc\":{}}"))
                .isEqualTo(404);
    }

    @Test
    void ofASessionThatIsOverNothingIsSaid() throws Exception {
        Stream stream = open();

        assertThat(stream.post(transport, stream.node, "made-up", "{\"id\":2,\"rpc\":{}}"))
                .isEqualTo(204);
        assertThat(stream.post(elsewhere, stream.node, "made-up", "{\"id\":2,\"rpc\":{}}"))
                .isEqualTo(204);
    }

    @Test
    void aClientThatSendsFarMoreThanItIsAnsweredHasToGo() throws Exception {
        Stream stream = open();
        String call = "{\"id\":2,\"rpc\":{\"method\":\"never\",\"data\":{}}}\n";

        assertThat(stream.post(transport, call.repeat(64 + 257))).isEqualTo(204);

        assertThat(stream.next().at("/push/disconnect/code").intValue()).isEqualTo(3013);
    }

    @Test
    void aClientMaySubscribeToAsManyChannelsAtOnceAsItMayHave() throws Exception {
        Fanfare wide = Fanfare.builder()
                .authorizer(new AllAsked())
                .limits(ClientLimits.unlimited())
                .maxChannelsPerConnection(1000)
                .build();
        try (NettyTransport listening = listen(wide)) {
            RawClient client = client(listening);
            client.send(RawClient.head("POST", "/connection/http_stream", CONNECT) + CONNECT);
            assertThat(client.receiveHead().status).isEqualTo(200);
            Stream stream = new Stream(client);
            StringBuilder commands = new StringBuilder();
            for (int i = 1; i <= 1000; i++) {
                commands.append("{\"id\":" + (i + 1) + ",\"subscribe\":{\"channel\":\"" + i + "\"}}\n");
            }

            assertThat(stream.post(listening, commands.toString())).isEqualTo(204);

            Set<Integer> answered = new HashSet<>();
            for (int i = 1; i <= 1000; i++) {
                JsonNode reply = stream.next();
                assertThat(reply.has("subscribe")).as("%s", reply).isTrue();
                answered.add(reply.path("id").intValue());
            }
            assertThat(answered).hasSize(1000);
        } finally {
            wide.close();
        }
    }

    @Test
    void aClientMayWaitForManyAnswers() throws Exception {
        Stream stream = open();
        String call = "{\"id\":2,\"rpc\":{\"method\":\"never\",\"data\":{}}}\n";

        stream.post(transport, call.repeat(64 + 256));
        fanfare.close();

        assertThat(stream.next().at("/push/disconnect/code").intValue()).isEqualTo(3001);
    }

    @Test
    void protobufGoesBothWays() {
        RawClient client = client(transport);
        byte[] connect = Wire.PROTOBUF.encode(List.of("{\"id\":1,\"connect\":{}}"));
        client.send(protobuf("/connection/http_stream", connect)).send(connect);
        assertThat(client.receiveHead().status).isEqualTo(200);
        JsonNode welcome = Wire.PROTOBUF.decode(client.chunk()).get(0).path("connect");
        ProtobufBuffer post = new ProtobufBuffer(256);
        post.field(1, welcome.path("node").textValue());
        post.field(2, welcome.path("session").textValue());
        post.field(
                3,
                Payload.of(Wire.PROTOBUF.encode(List.of(
                        "{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}",
                        "{\"id\":3,\"unsubscribe\":{\"channel\":\"b\"}}"))));
        byte[] body = post.toPayload().toBytes();

        for (NettyTransport any : List.of(transport, elsewhere)) {
            assertThat(client(any).send(protobuf("/emulation", body)).send(body).receive().status)
                    .isEqualTo(204);
        }

        List<Integer> ids = new ArrayList<>();
        while (ids.size() < 4) {
            Wire.PROTOBUF
                    .decode(client.chunk())
                    .forEach(reply -> ids.add(reply.path("id").asInt()));
        }
        assertThat(ids).containsExactlyInAnyOrder(2, 3, 2, 3);
        byte[] broken = {(byte) 0xff, (byte) 0xff};
        assertThat(client(transport)
                        .send(protobuf("/emulation", broken))
                        .send(broken)
                        .receive()
                        .status)
                .isEqualTo(400);
    }

    private static String protobuf(String path, byte[] body) {
        return RawClient.head("POST", path, "", "Content-Type: application/octet-stream")
                .replace("\r\n\r\n", "\r\nContent-Length: " + body.length + "\r\n\r\n");
    }

    // ---- refusals

    @ParameterizedTest
    @ValueSource(strings = {"", "nonsense", "{\"id\":1,\"connect\":{}}\n\n{}", "[]"})
    void aFirstMessageThatCannotBeReadIsRefused(String body) {
        assertThat(client(transport).post("/connection/http_stream", body).status)
                .isEqualTo(400);
        assertThat(client(transport).post("/connection/sse", body).status).isEqualTo(400);
        assertThat(client(transport).post("/emulation", body).status).isEqualTo(400);
    }

    @Test
    void anEventStreamWithoutAFirstMessageIsRefused() {
        assertThat(client(transport).get("/connection/sse").status).isEqualTo(400);
        assertThat(client(transport).get("/connection/sse?cf_connect=x").status).isEqualTo(400);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/connection/http_stream", "/connection/sse", "/emulation"})
    void moreThanOneMessageMayHaveIsRefused(String path) {
        String body = CONNECT + " ".repeat(64 * 1024);

        assertThat(client(transport).post(path, body).status).isEqualTo(413);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/connection/http_stream?x=%zz", "/connection/sse?x=%zz"})
    void aQueryThatCannotBeReadIsRefusedAndLeavesNoMailboxBehind(String target) {
        CountedMailboxes mailboxes = new CountedMailboxes(fanfare.gateway().mailboxes());
        try (NettyTransport counted = listen(mailboxes.of(fanfare))) {
            assertThat(client(counted).post(target, CONNECT).status).isEqualTo(400);
            assertThat(mailboxes.open()).isZero();

            RawClient taken = client(counted);
            taken.send(RawClient.head("POST", "/connection/sse", CONNECT) + CONNECT);
            assertThat(taken.receiveHead().status).isEqualTo(200);
            assertThat(mailboxes.open()).isEqualTo(1);
        }
    }

    @Test
    void otherMethodsAreNotAllowed() {
        assertThat(client(transport).get("/connection/http_stream").status).isEqualTo(405);
        assertThat(client(transport).get("/emulation").status).isEqualTo(405);
        assertThat(client(transport).request("PUT", "/connection/sse", "x").status)
                .isEqualTo(405);
    }

    @Test
    void whatIsNotThereIsCounted() throws Exception {
        Stream stream = open();

        assertThat(client(transport).get("/nowhere").status).isEqualTo(404);
        assertThat(client(transport).get("/emulation").status).isEqualTo(405);
        assertThat(client(transport).get("/connection/websocket").status).isEqualTo(426);
        assertThat(stream.post(transport, "nowhere", stream.session, "{\"id\":2,\"rpc\":{}}"))
                .isEqualTo(404);

        assertThat(rejections).containsExactly(NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/connection/http_stream", "/connection/sse", "/emulation"})
    void browsersMayAskBeforehand(String path) {
        RawClient.Answer allowed = client(transport)
                .request(
                        "OPTIONS",
                        path,
                        "",
                        "Origin: https://app.example",
                        "Access-Control-Request-Headers: content-type");
        RawClient.Answer foreign = client(transport).request("OPTIONS", path, "", "Origin: https://evil.example");

        assertThat(allowed.status).isEqualTo(204);
        assertThat(allowed.headers)
                .containsEntry("access-control-allow-origin", "https://app.example")
                .containsEntry("access-control-allow-headers", "content-type");
        assertThat(allowed.headers.get("access-control-allow-methods")).contains("POST");
        assertThat(foreign.status).isEqualTo(204);
        assertThat(foreign.headers).doesNotContainKey("access-control-allow-origin");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/connection/http_stream", "/connection/sse", "/emulation"})
    void pagesOfOtherOriginsAreRefused(String path) {
        assertThat(client(transport).post(path, CONNECT, "Origin: https://evil.example").status)
                .isEqualTo(403);
    }

    @Test
    void withoutChunksThereIsNoStream() {
        RawClient client = client(transport);
        client.send(
                "POST /connection/http_stream HTTP/1.0\r\nContent-Length: " + CONNECT.length() + "\r\n\r\n" + CONNECT);

        assertThat(client.receive().status).isEqualTo(400);
    }

    // ---- tools

    private RawClient client(NettyTransport of) {
        RawClient client = RawClient.connect(of.port());
        clients.add(client);
        return client;
    }

    private Stream open() {
        return open(CONNECT);
    }

    private Stream open(String first) {
        RawClient client = client(transport);
        client.send(RawClient.head("POST", "/connection/http_stream", first) + first);
        assertThat(client.receiveHead().status).isEqualTo(200);
        return new Stream(client);
    }

    /** A client whose connection is a stream. */
    private final class Stream {
        final RawClient client;
        final JsonNode connect;
        final String session;
        final String node;
        private final List<String> waiting = new ArrayList<>();

        Stream(RawClient client) {
            this.client = client;
            this.connect = next().path("connect");
            this.session = connect.path("session").textValue();
            this.node = connect.path("node").textValue();
        }

        JsonNode next() {
            if (waiting.isEmpty()) {
                waiting.addAll(List.of(chunk().split("\n")));
            }
            try {
                return JSON.readTree(waiting.remove(0));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        String chunk() {
            int length = Integer.parseInt(client.line(), 16);
            StringBuilder chunk = new StringBuilder();
            while (chunk.toString().getBytes(UTF_8).length < length) {
                chunk.append(client.line()).append('\n');
            }
            assertThat(chunk.toString().getBytes(UTF_8)).hasSize(length);
            assertThat(client.line()).isEmpty();
            return chunk.toString();
        }

        int post(NettyTransport to, String commands) throws Exception {
            return post(to, node, session, commands);
        }

        int post(NettyTransport to, String toNode, String toSession, String commands) throws Exception {
            String body = JSON.writeValueAsString(JSON.createObjectNode()
                    .put("session", toSession)
                    .put("node", toNode)
                    .put("data", commands));
            try (RawClient poster = RawClient.connect(to.port())) {
                return poster.post("/emulation", body).status;
            }
        }
    }
}
