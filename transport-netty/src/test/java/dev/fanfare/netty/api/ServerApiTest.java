package dev.fanfare.netty.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Fanfare;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.netty.NettyTransport;
import dev.fanfare.netty.RawClient;
import dev.fanfare.netty.RawClient.Answer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServerApiTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Fanfare fanfare = Fanfare.builder()
            .namespace("chat", rules -> rules.retain(100, Duration.ofHours(1)).presence())
            .namespace("plain", rules -> rules)
            .namespace("small", rules -> rules.retain(10, Duration.ofHours(1)).maxMessageBytes(10))
            .authorizer(Authorizer.allowAll())
            .build();
    private final NettyTransport transport = NettyTransport.builder(fanfare)
            .port(0)
            .host("127.0.0.1")
            .eventLoopThreads(2)
            .apiKey("key")
            .start();
    private final RawClient client = RawClient.connect(transport.port());

    @AfterEach
    void end() {
        client.close();
        transport.close();
        fanfare.close();
    }

    @CanIgnoreReturnValue
    private JsonNode call(String method, String body) {
        Answer answer = client.post("/api/" + method, body, "X-API-Key: key");
        assertThat(answer.status).as(answer.text()).isEqualTo(200);
        return json(answer.text());
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new IllegalStateException(text, e);
        }
    }

    private List<Publication> history(String channel) throws Exception {
        HistoryResult result = fanfare.history(ChannelId.of(channel), HistoryQuery.first(100))
                .toCompletableFuture()
                .get(5, TimeUnit.SECONDS);
        return ((HistoryResult.Page) result).publications();
    }

    @ParameterizedTest
    @ValueSource(strings = {"publish", "broadcast", "history", "presence", "connections", "info", "disconnect"})
    void afterFanfareIsClosedTheApiSaysSo(String method) {
        fanfare.close();

        Answer answer = client.post(
                "/api/" + method,
                "{\"channel\":\"chat:a\",\"channels\":[\"chat:a\"],\"data\":1,\"user\":\"u\"}",
                "X-API-Key: key");

        assertThat(answer.status).isEqualTo(503);
        assertThat(answer.text()).isEqualTo("{\"error\":{\"code\":100,\"message\":\"closed\",\"temporary\":true}}");
    }

    @Test
    void afterFanfareIsClosedTheKeyIsStillAskedFor() {
        fanfare.close();

        assertThat(client.post("/api/info", "{}").status).isEqualTo(401);
    }

    // ---- publish

    @Test
    void publishTellsThePosition() throws Exception {
        JsonNode result =
                call("publish", "{\"channel\":\"chat:a\",\"data\":{\"n\":1}}").get("result");

        Publication stored = history("chat:a").get(0);
        assertThat(result.get("offset").asLong()).isEqualTo(1);
        assertThat(result.get("epoch").asText()).isEqualTo(stored.epoch());
        assertThat(Cursor.parse(result.get("cursor").asText())).contains(stored.cursor());
        assertThat(result.has("duplicate")).isFalse();
    }

    @Test
    void publishToChannelWithoutRetentionTellsNothing() {
        assertThat(call("publish", "{\"channel\":\"plain:a\",\"data\":1}")).hasToString("{\"result\":{}}");
    }

    @Test
    void repeatedDedupKeyIsADuplicateAtTheSamePlace() {
        String body = "{\"channel\":\"chat:a\",\"data\":1,\"dedup_key\":\"k\"}";

        JsonNode first = call("publish", body).get("result");
        JsonNode second =
                call("publish", body.replace("dedup_key", "idempotency_key")).get("result");

        assertThat(second.get("cursor")).isEqualTo(first.get("cursor"));
        assertThat(second.get("duplicate").asBoolean()).isTrue();
    }

    @Test
    void dedupKeyWithAnotherBodyIsAConflict() {
        call("publish", "{\"channel\":\"chat:a\",\"data\":1,\"dedup_key\":\"k\"}");

        JsonNode error = call("publish", "{\"channel\":\"chat:a\",\"data\":2,\"dedup_key\":\"k\"}")
                .get("error");

        assertThat(error.get("code").asInt()).isEqualTo(409);
    }

    @Test
    void allOptionsArrive() throws Exception {
        call(
                "publish",
                "{\"headers\":{\"a\":\"1\",\"b\":\"2\"},\"event\":\"moved\",\"key\":\"k\",\"unknown\":[{}],"
                        + "\"channel\":\"chat:a\",\"data\":null}");

        Publication stored = history("chat:a").get(0);
        assertThat(stored.headers()).isEqualTo(Map.of("a", "1", "b", "2"));
        assertThat(stored.eventType()).isEqualTo("moved");
        assertThat(stored.key()).isEqualTo("k");
        assertThat(stored.data().text()).isEqualTo("null");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"a\" : [1,  2,\n\t{\"b\":null}] }",
                "{}",
                "[]",
                "\"text\"",
                "\"\"",
                "\"quote \\\" and \\u00e9 and ü and 😀 and \\\\\"",
                "0",
                "-12.50e+3",
                "123456789012345678901234567890",
                "1.10",
                "true",
                "false",
                "null",
                "[[[[\"]\"]]]]",
                "{\"data\":{\"data\":1},\"channel\":\"other\"}"
            })
    void dataIsHandedOnByteByByte(String data) throws Exception {
        call("publish", "{\"channel\":\"chat:a\",\"data\": " + data + " }");
        call("publish", "{\"data\":" + data + ",\"channel\":\"chat:a\"}");
        call("publish", "\n { \"key\" : \"ü\" , \"data\"\t:\n" + data + "\n, \"channel\":\"chat:a\" } ");

        assertThat(history("chat:a"))
                .extracting(Publication::data)
                .containsExactly(Payload.of(data), Payload.of(data), Payload.of(data));
    }

    @Test
    void largeDataIsHandedOnByteByByte() throws Exception {
        String data = "[\"" + "äx😀".repeat(5000) + "\", 1,   2]";

        call("publish", "{\"channel\":\"chat:a\",\"data\":" + data + "}");

        assertThat(history("chat:a").get(0).data().text()).isEqualTo(data);
    }

    @Test
    void bytesThatAreNoJsonGoInAndOutAsBase64() throws Exception {
        call("publish", "{\"channel\":\"chat:a\",\"b64data\":\"AP8=\"}");

        assertThat(history("chat:a").get(0).data().toBytes()).containsExactly(0, 0xff);
        JsonNode publication = call("history", "{\"channel\":\"chat:a\"}").at("/result/publications/0");
        assertThat(publication.get("b64data").asText()).isEqualTo("AP8=");
        assertThat(publication.has("data")).isFalse();
    }

    @Test
    void unknownNamespaceIsAnUnknownChannel() {
        assertThat(call("publish", "{\"channel\":\"nope:a\",\"data\":1}")
                        .at("/error/code")
                        .asInt())
                .isEqualTo(102);
    }

    @Test
    void tooLargeMessageIsRefused() {
        JsonNode error = call("publish", "{\"channel\":\"small:a\",\"data\":\"12345678901\"}");

        assertThat(error.at("/error/code").asInt()).isEqualTo(413);
        assertThat(error.at("/error/message").asText()).isEqualTo("message too large: at most 10 bytes");
    }

    @Test
    void broadcastTellsOfEachChannelWhatIsWrong() {
        String body = "{\"channels\":[\"small:a\",\"" + "x".repeat(256) + "\",\"chat:a\"],\"data\":12345678901}";

        JsonNode responses = call("broadcast", body).at("/result/responses");

        assertThat(responses.at("/0/error/message").asText()).isEqualTo("message too large: at most 10 bytes");
        assertThat(responses.at("/1/error/message").asText())
                .isEqualTo("bad request: channel must have 1 to 255 characters, none of them a control character");
        assertThat(responses.at("/2/result/offset").asInt()).isEqualTo(1);
    }

    @Test
    void aChannelThatIsTooLongIsToldTheLimit() {
        JsonNode error = call("publish", "{\"channel\":\"" + "x".repeat(256) + "\",\"data\":1}")
                .get("error");

        assertThat(error.get("message").asText())
                .isEqualTo("bad request: channel must have 1 to 255 characters, none of them a control character");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"data\":1}",
                "{\"channel\":\"chat:a\"}",
                "{\"channel\":\"\",\"data\":1}",
                "{\"channel\":5,\"data\":1}",
                "{\"channel\":\"a\\u0000b\",\"data\":1}",
                "{\"channel\":\"chat:a\",\"data\":1,\"event\":\"a\\nb\"}",
                "{\"channel\":\"chat:a\",\"data\":1,\"headers\":{\"a\":1}}",
                "{\"channel\":\"chat:a\",\"data\":1,\"headers\":[]}",
                "{}",
                ""
            })
    void senselessPublishIsABadRequest(String body) {
        JsonNode error = call("publish", body).get("error");

        assertThat(error.get("code").asInt()).isEqualTo(107);
        assertThat(error.get("message").asText()).startsWith("bad request: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "[]",
                "1",
                "x",
                "{\"channel\":\"chat:a\",\"data\":}",
                "{\"channel\":\"chat:a\",\"data\":1}}",
                "{\"channel\":\"chat:a\",\"data\":{\"a\":tru}}",
                "{\"channel\":\"chat:a\",\"data\":\"\u0001\"}",
                "{\"channel\":\"chat:a\",\"data\":01}",
                "{} {}",
                "\uFEFF{}"
            })
    void bodyThatIsNoJsonObjectIsNamedSo(String body) {
        Answer answer = client.post("/api/publish", body, "X-API-Key: key");

        assertThat(answer.status).isEqualTo(400);
        assertThat(json(answer.text()).at("/error/message").asText())
                .startsWith("bad request: the body cannot be read: ");
    }

    @Test
    void bodyInAnotherEncodingIsRefused() {
        byte[] body = "{\"channel\":\"chat:a\",\"data\":1}".getBytes(java.nio.charset.StandardCharsets.UTF_16LE);

        assertIsNoText(body);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ED A0 80", "ED BF BF", "C0 80", "E0 80 80", "F4 90 80 80", "C3", "FF"})
    void dataThatIsNotUtf8IsRefusedAndNotStored(String octets) throws Exception {
        byte[] body = HexFormat.ofDelimiter(" ")
                .parseHex(hex("{\"channel\":\"chat:a\",\"data\":{\"a\":\"") + " " + octets + " " + hex("\"}}"));

        assertIsNoText(body);
        assertThat(history("chat:a")).isEmpty();
    }

    private static String hex(String text) {
        return HexFormat.ofDelimiter(" ").formatHex(text.getBytes(UTF_8));
    }

    private void assertIsNoText(byte[] body) {
        client.send("POST /api/publish HTTP/1.1\r\nHost: localhost\r\nX-API-Key: key\r\nContent-Length: " + body.length
                + "\r\n\r\n");

        Answer answer = client.send(body).receive();

        assertThat(answer.status).isEqualTo(400);
        assertThat(json(answer.text()).at("/error/message").asText()).contains("not UTF-8");
    }

    // ---- the rest

    @Test
    void broadcastAnswersForEachChannel() throws Exception {
        JsonNode responses = call(
                        "broadcast", "{\"channels\":[\"chat:a\",\"nope:b\",\"chat:c\",\"\"],\"data\":{\"x\":1}}")
                .at("/result/responses");

        assertThat(responses).hasSize(4);
        assertThat(responses.get(0).at("/result/offset").asInt()).isEqualTo(1);
        assertThat(responses.get(1).at("/error/code").asInt()).isEqualTo(102);
        assertThat(responses.get(2).at("/result/offset").asInt()).isEqualTo(1);
        assertThat(responses.get(3).at("/error/code").asInt()).isEqualTo(107);
        assertThat(history("chat:c").get(0).data().text()).isEqualTo("{\"x\":1}");
    }

    @Test
    void historyIsReadForwardBackwardAndAfter() {
        for (int i = 1; i <= 5; i++) {
            call("publish", "{\"channel\":\"chat:a\",\"data\":" + i + "}");
        }

        JsonNode all = call("history", "{\"channel\":\"chat:a\"}").get("result");
        JsonNode newest = call("history", "{\"channel\":\"chat:a\",\"limit\":2,\"reverse\":true}")
                .get("result");
        String cursor = all.at("/publications/2/cursor").asText();
        JsonNode after = call("history", "{\"channel\":\"chat:a\",\"limit\":1,\"cursor\":\"" + cursor + "\"}")
                .get("result");
        JsonNode since = call(
                        "history",
                        "{\"channel\":\"chat:a\",\"limit\":-1,\"since\":{\"offset\":3,\"epoch\":\""
                                + all.get("epoch").asText() + "\"}}")
                .get("result");

        assertThat(data(all)).containsExactly(1, 2, 3, 4, 5);
        assertThat(all.get("offset").asInt()).isEqualTo(5);
        assertThat(data(newest)).containsExactly(5, 4);
        assertThat(data(after)).containsExactly(4);
        assertThat(data(since)).containsExactly(4, 5);
    }

    private static List<Integer> data(JsonNode result) {
        return result.get("publications").findValues("data").stream()
                .map(JsonNode::asInt)
                .toList();
    }

    @Test
    void historyIsReadWithGet() {
        call("publish", "{\"channel\":\"chat:ü\",\"data\":{\"a\":1}}");

        Answer answer = client.get("/api/history?channel=chat%3A%C3%BC&limit=10", "X-API-Key: key");

        JsonNode publication = json(answer.text()).at("/result/publications/0");
        assertThat(publication.get("data")).hasToString("{\"a\":1}");
        assertThat(publication.get("time").asLong()).isPositive();
    }

    @Test
    void historyOfAnotherLifeIsUnrecoverable() {
        call("publish", "{\"channel\":\"chat:a\",\"data\":1}");

        JsonNode error = call("history", "{\"channel\":\"chat:a\",\"cursor\":\"v1.other.1.1\"}")
                .get("error");

        assertThat(error.get("code").asInt()).isEqualTo(112);
        assertThat(error.get("reason").asText()).isEqualTo("EPOCH");
    }

    @Test
    void historyWithoutRetentionIsNotAvailable() {
        assertThat(call("history", "{\"channel\":\"plain:a\"}")
                        .at("/error/code")
                        .asInt())
                .isEqualTo(108);
    }

    @Test
    void garbageCursorIsABadRequest() {
        assertThat(call("history", "{\"channel\":\"chat:a\",\"cursor\":\"v2.x\"}")
                        .at("/error/message")
                        .asText())
                .isEqualTo("bad request: cursor is not a cursor");
    }

    @Test
    void presenceListsWhoIsThere() {
        try (RawClient reader = RawClient.connect(transport.port())) {
            reader.send(RawClient.head("GET", "/sse?channel=chat:a", ""));
            assertThat(reader.receiveHead().status).isEqualTo(200);

            JsonNode presence = call("presence", "{\"channel\":\"chat:a\"}").at("/result/presence");
            JsonNode stats = call("presence_stats", "{\"channel\":\"chat:a\"}").get("result");
            JsonNode connections = call("connections", "{}").at("/result/connections");
            JsonNode info = call("info", "").get("result");

            String id = connections.get(0).get("client").asText();
            assertThat(connections.get(0).get("transport").asText()).isEqualTo("sse");
            assertThat(presence.get(id).get("user").asText()).isEmpty();
            assertThat(stats.get("num_clients").asInt()).isEqualTo(1);
            assertThat(stats.get("num_users").asInt()).isEqualTo(1);
            assertThat(info.get("connections").asInt()).isEqualTo(1);
            assertThat(info.get("node").asText()).isEqualTo(fanfare.gateway().node());
        }
    }

    @Test
    void presenceWithoutPresenceIsNotAvailable() {
        assertThat(call("presence", "{\"channel\":\"plain:a\"}")
                        .at("/error/code")
                        .asInt())
                .isEqualTo(108);
    }

    @Test
    void unknownMethodIsNotFound() {
        Answer answer = client.post("/api/explode", "{}", "X-API-Key: key");

        assertThat(answer.status).isEqualTo(404);
        assertThat(json(answer.text()).at("/error/message").asText()).isEqualTo("method not found");
    }

    @Test
    void callerWithoutTheKeyIsUnauthorized() {
        String body = "{\"channel\":\"chat:a\",\"data\":1}";

        assertThat(client.post("/api/publish", body, "X-API-Key: key ").status).isEqualTo(200);
        assertThat(client.post("/api/publish", body, "Authorization: apikey key").status)
                .isEqualTo(200);
        assertThat(client.get("/api/history?channel=chat:a").status).isEqualTo(401);
        assertThat(stranger("/api/publish")).isEqualTo(401);
        assertThat(stranger("/api/publish", "X-API-Key: wrong")).isEqualTo(401);
        assertThat(stranger("/api/explode")).isEqualTo(401);
    }

    /** Returns what a caller is told who has not sent a byte of the body yet. */
    private int stranger(String path, String... headers) {
        try (RawClient stranger = RawClient.connect(transport.port())) {
            return stranger.send(RawClient.head("POST", path, "{}", headers)).receive().status;
        }
    }

    @Test
    void aMethodThatThereIsNotIsRefusedBeforeItsArgumentsCome() {
        assertThat(stranger("/api/explode", "X-API-Key: key")).isEqualTo(404);
    }

    @Test
    void withoutKeyAndWithoutOpenApiThereIsNoApi() {
        try (NettyTransport closed = NettyTransport.builder(fanfare).port(0).start();
                RawClient stranger = RawClient.connect(closed.port())) {
            assertThat(stranger.post("/api/publish", "{}").status).isEqualTo(404);
        }
    }

    @Test
    void openApiTakesEverybodyButNotForeignPages() {
        try (NettyTransport open =
                        NettyTransport.builder(fanfare).port(0).openApi().start();
                RawClient stranger = RawClient.connect(open.port())) {
            String body = "{\"channel\":\"chat:a\",\"data\":1}";

            assertThat(stranger.post("/api/publish", body).text()).contains("\"offset\":1");
            assertThat(stranger.post("/api/publish", body, "Origin: https://evil.example").status)
                    .isEqualTo(403);
        }
    }

    @Test
    void pipelinedPublishesKeepTheirOrder() throws Exception {
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < 50; i++) {
            String body = "{\"channel\":\"chat:a\",\"data\":" + i + "}";
            all.append(RawClient.head("POST", "/api/publish", body, "X-API-Key: key"))
                    .append(body);
        }

        client.send(all.toString().getBytes(UTF_8));

        for (int i = 0; i < 50; i++) {
            assertThat(json(client.receive().text()).at("/result/offset").asInt())
                    .isEqualTo(i + 1);
        }
        assertThat(history("chat:a")).extracting(p -> p.data().text()).startsWith("0", "1", "2");
    }

    // ---- bad input

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "publish | {\"channel\":\"chat:a\",\"data\":1,\"dedup_key\":\"\"} | dedup",
                "publish | {\"channel\":\"chat:a\",\"data\":1,\"b64data\":\"AA==\"} | data, or b64data, is there more than once",
                "publish | {\"channel\":\"chat:a\",\"b64data\":\"?\"} | b64data must be in base64",
                "history | {\"channel\":\"chat:a\",\"limit\":-7} | limit must be from -1 to 10000",
                "history | {\"channel\":\"chat:a\",\"limit\":-4294967297} | limit must be from -1 to 10000",
                "broadcast | {\"channels\":[\"chat:a\",1],\"data\":1} | channels must be an array of strings",
                "disconnect | {\"user\":\"ann\",\"session\":\"s\"} | session is not known here",
                "disconnect | {\"user\":\"ann\",\"disconnect\":{\"code\":1000,\"reason\":\"x\"}} | disconnect.code must be",
                "disconnect | {\"user\":\"ann\",\"disconnect\":{\"code\":4000,\"reason\":\"{}\"}} | disconnect: The words",
                "disconnect | {\"whitelist\":[\"x\"]} | user is missing",
                "unsubscribe | {\"user\":\"ann\",\"channel\":\"chat:a\",\"unsubscribe\":{\"code\":2500,\"reason\":\"x\"}} | unsubscribe: ",
                "refresh | {\"user\":\"ann\",\"expire_at\":-1} | expire_at must be from 0",
                "batch | {} | commands is missing",
                "batch | {\"commands\":[{\"info\":{},\"publish\":{}}]} | commands must be an array of objects",
                "batch | {\"commands\":[1]} | commands must be an array of objects"
            })
    void whatMakesNoSenseIsABadRequest(String method, String body, String words) {
        JsonNode error = call(method, body).get("error");

        assertThat(error.get("code").asInt()).isEqualTo(107);
        assertThat(error.get("message").asText()).startsWith("bad request: ").contains(words);
    }

    @Test
    void aBodyWhoseJsonIsBeyondALimitIsToldTheLimits() {
        assertThat(call("publish", nested(511)).has("result")).isTrue();
        assertThat(call("publish", number(1000)).has("result")).isTrue();
        assertThat(call("publish", name(50_000)).has("result")).isTrue();

        assertBeyondALimit(nested(512));
        assertBeyondALimit(number(1001));
        assertBeyondALimit(name(50_001));
    }

    private void assertBeyondALimit(String body) {
        Answer answer = client.post("/api/publish", body, "X-API-Key: key");

        assertThat(answer.status).isEqualTo(400);
        assertThat(answer.text())
                .isEqualTo("{\"error\":{\"code\":107,\"message\":\"bad request: the body cannot be read: its JSON is "
                        + "beyond a limit: at most 512 levels deep, numbers of 1000 characters, names of 50000\"}}");
    }

    private static String number(int digits) {
        return "{\"channel\":\"chat:a\",\"data\":" + "1".repeat(digits) + "}";
    }

    private static String name(int length) {
        return "{\"channel\":\"chat:a\",\"data\":{\"" + "x".repeat(length) + "\":1}}";
    }

    private static String nested(int levels) {
        return "{\"channel\":\"chat:a\",\"data\":" + "[".repeat(levels) + "]".repeat(levels) + "}";
    }

    @Test
    void aBodyThatIsNoJsonIsToldWhere() {
        Answer answer = client.post("/api/publish", "{\"channel\":\"chat:a\",}", "X-API-Key: key");

        assertThat(answer.status).isEqualTo(400);
        assertThat(answer.text())
                .isEqualTo("{\"error\":{\"code\":107,"
                        + "\"message\":\"bad request: the body cannot be read: no JSON at byte 20\"}}");
    }

    // ---- connections

    @Test
    void connectionsAreChosenByUserClientAndWhitelist() {
        List<String> ids = new ArrayList<>();
        List<RawClient> readers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            RawClient reader = RawClient.connect(transport.port());
            readers.add(reader);
            reader.send(RawClient.head("GET", "/sse?channel=chat:a", ""));
            reader.receiveHead();
            JsonNode all = call("connections", "{}").get("result").get("connections");
            for (JsonNode each : all) {
                if (!ids.contains(each.get("client").asText())) {
                    ids.add(each.get("client").asText());
                }
            }
        }

        call("disconnect", "{\"client\":\"" + ids.get(0) + "\",\"disconnect\":{\"code\":4500,\"reason\":\"go home\"}}");
        assertThat(readers.get(0).rest())
                .contains("event: disconnect\ndata: {\"code\":4500,\"reason\":\"go home\",\"reconnect\":false}");
        call(
                "unsubscribe",
                "{\"client\":\"" + ids.get(1)
                        + "\",\"channel\":\"chat:a\",\"unsubscribe\":{\"code\":2600,\"reason\":\"moved\"}}");
        assertThat(readers.get(1).rest())
                .contains(
                        "event: ended\ndata: {\"channel\":\"chat:a\",\"reason\":\"BY_HOST\",\"code\":2600,\"text\":\"moved\"}");
        call("refresh", "{\"client\":\"" + ids.get(2) + "\",\"expired\":true}");
        assertThat(readers.get(2).rest()).contains("{\"code\":3005,");
        readers.forEach(RawClient::close);
    }

    @Test
    void channelsAreThoseWithSubscribers() {
        RawClient reader = RawClient.connect(transport.port());
        reader.send(RawClient.head("GET", "/sse?channel=chat:a&channel=plain:b", ""));
        reader.receiveHead();

        assertThat(call("channels", "{}"))
                .hasToString(
                        "{\"result\":{\"channels\":{\"chat:a\":{\"num_clients\":1},\"plain:b\":{\"num_clients\":1}}}}");
        assertThat(call("channels", "{\"pattern\":\"chat:*\"}"))
                .hasToString("{\"result\":{\"channels\":{\"chat:a\":{\"num_clients\":1}}}}");
        reader.close();
    }

    @Test
    void aRemovedHistoryIsEmptyAndKeepsItsPosition() {
        JsonNode published =
                call("publish", "{\"channel\":\"chat:a\",\"data\":1}").get("result");

        assertThat(call("history_remove", "{\"channel\":\"chat:a\"}")).hasToString("{\"result\":{}}");

        JsonNode history = call("history", "{\"channel\":\"chat:a\"}").get("result");
        assertThat(history.get("publications")).isEmpty();
        assertThat(history.get("cursor")).isEqualTo(published.get("cursor"));
        assertThat(call("history_remove", "{\"channel\":\"plain:a\"}")
                        .get("error")
                        .get("code")
                        .asInt())
                .isEqualTo(108);
    }

    // ---- tickets

    @Test
    void aTicketLetsOneStreamInAsThatUser() {
        try (NettyTransport closed = NettyTransport.builder(fanfare)
                .port(0)
                .host("127.0.0.1")
                .authenticator(fanfare.tickets()
                        .before(nobody -> CompletableFuture.completedFuture(Authenticator.Rejected.UNAUTHORIZED)))
                .start()) {
            String ticket = call(
                            "ticket",
                            "{\"user\":\"ann\",\"info\":{\"name\":\"Ann\"},\"data\":{\"hello\":1},"
                                    + "\"channels\":[\"plain:news\"]}")
                    .at("/result/ticket")
                    .asText();
            String stream = RawClient.head("GET", "/sse?channel=chat:a&ticket=" + ticket, "");

            try (RawClient reader = RawClient.connect(closed.port());
                    RawClient thief = RawClient.connect(closed.port())) {
                reader.send(stream);
                assertThat(reader.receiveHead().status).isEqualTo(200);
                reader.block(); // how soon to come back, and where it stands
                assertThat(reader.block()).contains("event: connect", "data: {\"hello\":1}");
                JsonNode connection = call("connections", "{\"user\":\"ann\"}").at("/result/connections/0");
                assertThat(call("presence", "{\"channel\":\"chat:a\"}")
                                .at("/result/presence")
                                .get(connection.get("client").asText())
                                .get("conn_info"))
                        .hasToString("{\"name\":\"Ann\"}");
                assertThat(call("channels", "{}").at("/result/channels").has("plain:news"))
                        .isTrue();

                thief.send(stream);
                Answer spent = thief.receive();
                assertThat(spent.status).isEqualTo(401);
                assertThat(json(spent.text()).at("/error/code").asInt()).isEqualTo(109);
            }
        }
    }

    // ---- batch

    @Test
    void aTicketThatIsTooLargeIsRefusedAlsoInABatch() throws Exception {
        String large = "{\"user\":\"ann\",\"data\":\"" + "x".repeat(20_000) + "\"}";

        assertThat(call("ticket", large).get("error").get("code").asInt()).isEqualTo(107);
        assertThat(call(
                                "batch",
                                "{\"commands\":[{\"publish\":{\"channel\":\"chat:a\",\"data\":1}},{\"ticket\":" + large
                                        + "}]}")
                        .get("replies")
                        .get(1)
                        .get("error")
                        .get("code")
                        .asInt())
                .isEqualTo(107);
    }

    @Test
    void aBatchIsDoneInOrderAndAnsweredByMethod() throws Exception {
        JsonNode replies = call(
                        "batch",
                        "{\"commands\":[{\"publish\":{\"channel\":\"chat:a\",\"data\":{\"n\":  1}}},"
                                + "{\"publish\":{\"channel\":\"nowhere:a\",\"data\":2}},"
                                + "{\"broadcast\":{\"channels\":[\"chat:a\"],\"data\":3}},"
                                + "{\"fly\":{}},{\"batch\":{}},{\"history\":{\"channel\":\"chat:a\",\"limit\":1,\"reverse\":true}},"
                                + "{\"publish\":{\"data\":4}},{\"info\":{}}]}")
                .get("replies");

        assertThat(replies).hasSize(8);
        assertThat(replies.get(0).get("publish").get("offset").asInt()).isEqualTo(1);
        assertThat(replies.get(1).get("error").get("code").asInt()).isEqualTo(102);
        assertThat(replies.get(2).get("broadcast").get("responses")).hasSize(1);
        assertThat(replies.get(3).get("error").get("code").asInt()).isEqualTo(104);
        assertThat(replies.get(4).get("error").get("code").asInt()).isEqualTo(104);
        assertThat(replies.get(5).get("history").get("offset").asInt()).isEqualTo(2);
        assertThat(replies.get(6).get("error").get("code").asInt()).isEqualTo(107);
        assertThat(replies.get(7).get("info").get("node").asText()).isNotEmpty();
        assertThat(history("chat:a").get(0).data().text()).isEqualTo("{\"n\":  1}");
    }

    @Test
    void aBatchHasABound() {
        String one = "{\"publish\":{\"channel\":\"plain:a\",\"data\":1}}";

        assertThat(call("batch", "{\"commands\":[" + String.join(",", Collections.nCopies(1000, one)) + "]}")
                        .get("replies"))
                .hasSize(1000)
                .allSatisfy(reply -> assertThat(reply).hasToString("{\"publish\":{}}"));
        assertThat(call("batch", "{\"commands\":[" + String.join(",", Collections.nCopies(1001, one)) + "]}")
                        .get("error")
                        .get("code")
                        .asInt())
                .isEqualTo(106);
    }
}
