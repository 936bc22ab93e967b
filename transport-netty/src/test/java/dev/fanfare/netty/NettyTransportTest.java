package dev.fanfare.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareListener;
import dev.fanfare.Rejection;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.netty.RawClient.Answer;
import dev.fanfare.testkit.FaultyStore;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NettyTransportTest {

    private final Queue<Rejection> rejections = new ConcurrentLinkedQueue<>();
    private final Fanfare fanfare = Fanfare.builder()
            .listener(new FanfareListener() {
                @Override
                public void onReject(Rejection reason) {
                    rejections.add(reason);
                }
            })
            .build();
    private NettyTransport transport;
    private RawClient client;

    @AfterEach
    void end() {
        if (client != null) {
            client.close();
        }
        if (transport != null) {
            transport.close();
        }
        fanfare.close();
    }

    private NettyTransport.Builder builder() {
        return NettyTransport.builder(fanfare)
                .port(0)
                .host("127.0.0.1")
                .eventLoopThreads(2)
                .route("GET", "/echo", call -> done(HttpAnswer.text(200, String.valueOf(call.query("say")))))
                .route(
                        "POST",
                        "/echo",
                        call -> done(HttpAnswer.bytes(200, "x/y", call.body().toBytes())))
                .route("GET", "/broken", call -> {
                    throw new IllegalStateException("a secret");
                })
                .route("GET", "/failed", call -> CompletableFuture.failedFuture(new IllegalStateException("a secret")))
                .route("GET", "/null", call -> done(null))
                .route("GET", "/below/*", call -> done(HttpAnswer.text(200, call.path())))
                .route("GET", "/cookies", call -> done(HttpAnswer.text(200, String.valueOf(call.cookies()))))
                .route("GET", "/nothing", call -> done(HttpAnswer.text(204, "this must not be sent")))
                .route("GET", "/go", call -> done(HttpAnswer.empty(302).withHeader("Location", "/there")))
                .files("/site", NettyTransportTest.class, "/site");
    }

    private static CompletableFuture<HttpAnswer> done(HttpAnswer answer) {
        return CompletableFuture.completedFuture(answer);
    }

    @CanIgnoreReturnValue
    private RawClient connected() {
        transport = builder().start();
        client = RawClient.connect(transport.port());
        return client;
    }

    @Test
    void healthIsTold() {
        connected();

        assertThat(client.get("/health/live").status).isEqualTo(200);
        assertThat(client.get("/health/ready").text()).isEqualTo("{\"status\":\"up\",\"reasons\":[]}");
    }

    @Test
    void closedFanfareIsAliveButNotReady() {
        connected();

        fanfare.close();

        assertThat(client.get("/health/live").status).isEqualTo(200);
        Answer ready = client.get("/health/ready");
        assertThat(ready.status).isEqualTo(503);
        assertThat(ready.text()).isEqualTo("{\"status\":\"down\",\"reasons\":[\"closed\"]}");
    }

    @Test
    void nodeWhoseStoreIsDownIsAliveButNotReady() {
        FaultyStore store =
                FaultyStore.wrap(MemoryStore.create(), fanfare.gateway().time(), 1);
        try (Fanfare faulty = Fanfare.builder().store(store).build();
                NettyTransport other = NettyTransport.builder(faulty).port(0).start();
                RawClient probe = RawClient.connect(other.port())) {
            store.complain("memory: full");
            Answer ready = probe.get("/health/ready");

            assertThat(ready.status).isEqualTo(503);
            assertThat(ready.headers).containsEntry("cache-control", "no-store");
            assertThat(ready.text()).isEqualTo("{\"status\":\"down\",\"reasons\":[\"memory: full\"]}");
            assertThat(probe.get("/health/live").status).isEqualTo(200);
            store.heal();
            assertThat(probe.get("/health/ready").status).isEqualTo(200);
        }
    }

    @Test
    void metricsAreToldAsPrometheusReadsThem() {
        transport = builder().metrics(() -> "fanfare_connections 0.0\n").start();
        client = RawClient.connect(transport.port());

        Answer answer = client.get("/metrics");

        assertThat(answer.headers).containsEntry("content-type", "text/plain; version=0.0.4; charset=utf-8");
        assertThat(answer.text()).isEqualTo("fanfare_connections 0.0\n");
    }

    @Test
    void withoutMetricsThereIsNoSuchPath() {
        assertThat(connected().get("/metrics").status).isEqualTo(404);
    }

    @Test
    void withoutBeingAskedForThereIsNoConsole() {
        for (String path : List.of("/console", "/console/", "/api/console/stream", "/api/console/connections")) {
            assertThat(connected().get(path, "X-API-Key: key").status).as(path).isEqualTo(404);
        }
    }

    @Test
    void unknownPathIsNotFound() {
        Answer answer = connected().get("/nowhere");

        assertThat(answer.status).isEqualTo(404);
        assertThat(answer.headers).containsEntry("content-type", "application/json");
        assertThat(answer.text()).isEqualTo("{\"error\":{\"code\":404,\"message\":\"not found\"}}");
    }

    @Test
    void wrongMethodIsToldWhichOnesThereAre() {
        Answer answer = connected().request("DELETE", "/echo", "");

        assertThat(answer.status).isEqualTo(405);
        assertThat(answer.headers).containsEntry("allow", "GET, HEAD, POST");
        assertThat(answer.text()).contains("method not allowed");
    }

    @Test
    void routeSeesDecodedQuery() {
        assertThat(connected().get("/echo?say=gr%C3%BC%C3%9Fe+you").text()).isEqualTo("grüße you");
    }

    @Test
    void garbledQueryIsRefused() {
        Answer answer = connected().get("/echo?say=%zz");

        assertThat(answer.status).isEqualTo(400);
        assertThat(answer.text()).contains("percent-encoded");
    }

    @Test
    void routeBelowPathSeesDecodedPath() {
        assertThat(connected().get("/below/a%20b/c+d").text()).isEqualTo("/below/a b/c+d");
    }

    @Test
    void routeSeesCookies() {
        assertThat(connected().get("/cookies", "Cookie: a=1; b=2").text()).isEqualTo("{a=1, b=2}");
    }

    @Test
    void routeAnswersWithItsHeaders() {
        Answer answer = connected().get("/go");

        assertThat(answer.status).isEqualTo(302);
        assertThat(answer.headers).containsEntry("location", "/there");
    }

    @Test
    void statusWithoutBodyHasNone() {
        connected();

        assertThat(client.get("/nothing").status).isEqualTo(204);
        assertThat(client.get("/echo?say=next").text()).isEqualTo("next");
    }

    @Test
    void brokenRoutesTellTheClientNothing() {
        connected();

        for (String path : List.of("/broken", "/failed", "/null")) {
            Answer answer = client.get(path);
            assertThat(answer.status).isEqualTo(500);
            assertThat(answer.text()).isEqualTo("{\"error\":{\"code\":500,\"message\":\"internal server error\"}}");
        }
    }

    @Test
    void headAnswersWithoutBody() {
        connected();

        Answer answer = client.request("HEAD", "/echo?say=hello", "");

        assertThat(answer.headers).containsEntry("content-length", "5");
        assertThat(client.get("/echo?say=next").text()).isEqualTo("next");
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() {
        connected();
        StringBuilder all = new StringBuilder();
        IntStream.range(0, 200).forEach(i -> all.append(RawClient.head("GET", "/echo?say=" + i, "")));

        client.send(all.toString());

        for (int i = 0; i < 200; i++) {
            assertThat(client.receive().text()).isEqualTo(String.valueOf(i));
        }
    }

    @Test
    void bodyArrivesInPieces() {
        connected();
        client.send(RawClient.head("POST", "/echo", "x".repeat(3000)));
        client.send("x".repeat(1000)).send("x".repeat(1500)).send("x".repeat(500));

        assertThat(client.receive().text()).isEqualTo("x".repeat(3000));
    }

    @Test
    void chunkedBodyIsTaken() {
        connected();
        client.send(
                "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");

        assertThat(client.receive().text()).isEqualTo("abcde");
    }

    @Test
    void bodyIsWaitedForWithContinue() {
        connected();
        client.send(RawClient.head("POST", "/echo", "hello", "Expect: 100-continue"));

        assertThat(client.receiveHead().status).isEqualTo(100);
        client.send("hello");
        assertThat(client.receive().text()).isEqualTo("hello");
    }

    @Test
    void connectionIsClosedWhenTheClientWantsIt() {
        Answer answer = connected().get("/echo?say=bye", "Connection: close");

        assertThat(answer.headers).containsEntry("connection", "close");
        assertThat(client.rest()).isEmpty();
    }

    @Test
    void oldClientKeepsItsConnectionIfItAsks() {
        connected().send("GET /echo?say=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assertThat(client.receive().headers).containsEntry("connection", "keep-alive");

        client.send("GET /echo?say=2 HTTP/1.0\r\n\r\n");

        assertThat(client.receive().text()).isEqualTo("2");
        assertThat(client.rest()).isEmpty();
    }

    @Test
    void longRequestLineIsRefused() {
        Answer answer = connected().get("/" + "x".repeat(9000));

        assertThat(answer.status).isEqualTo(414);
        assertThat(client.rest()).isEmpty();
    }

    @Test
    void largeHeadersAreRefused() {
        Answer answer = connected().get("/echo", "X-Large: " + "x".repeat(9000));

        assertThat(answer.status).isEqualTo(431);
        assertThat(answer.headers).containsEntry("connection", "close");
        assertThat(client.rest()).isEmpty();
    }

    @Test
    void announcedLargeBodyIsRefusedBeforeItComes() {
        connected().send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n");

        assertThat(client.receive().status).isEqualTo(413);
        assertThat(client.rest()).isEmpty();
    }

    @Test
    void chunkedLargeBodyIsRefusedAndTheRefusalArrives() {
        connected().send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        String chunk = "10000\r\n" + "x".repeat(0x10000) + "\r\n";
        for (int i = 0; i < 17; i++) {
            client.send(chunk);
        }

        assertThat(client.receive().status).isEqualTo(413);
    }

    @Test
    void garbageIsRefused() {
        assertThat(connected().send("\u0001\u0002 garbage\r\n\r\n").receive().status)
                .isEqualTo(400);
        assertThat(client.rest()).isEmpty();
    }

    @Test
    void aHostThatThereIsNotIsSaidInWords() {
        NettyTransport.Builder builder =
                NettyTransport.builder(fanfare).host("[nowhere]").port(0);

        assertThatThrownBy(builder::start)
                .isInstanceOf(TransportException.class)
                .hasMessageContaining("no such host");
    }

    @Test
    void takenPortIsExplained() {
        transport = builder().start();

        assertThatThrownBy(() -> NettyTransport.builder(fanfare)
                        .host("127.0.0.1")
                        .port(transport.port())
                        .start())
                .isInstanceOf(TransportException.class)
                .hasMessageContaining("127.0.0.1:" + transport.port())
                .hasMessageContaining("port(0)");
    }

    @Test
    void closeEndsConnectionsAndMayBeRepeated() {
        connected().get("/echo?say=1");

        transport.close();
        transport.close();

        assertThat(client.rest()).isEmpty();
        assertThatThrownBy(() -> RawClient.connect(transport.port())).hasMessageContaining("refused");
    }

    @Test
    void closingFromARouteIsRefused() {
        AtomicReference<NettyTransport> self = new AtomicReference<>();
        transport = builder()
                .route("GET", "/close", call -> {
                    try {
                        self.get().close();
                        return done(HttpAnswer.text(200, "closed"));
                    } catch (IllegalStateException expected) {
                        return done(HttpAnswer.text(200, "refused"));
                    }
                })
                .start();
        self.set(transport);
        client = RawClient.connect(transport.port());

        assertThat(client.get("/close").text()).isEqualTo("refused");
    }

    @Test
    void loopThreadsAreNamedDaemons() {
        connected().get("/health/live");

        assertThat(Thread.getAllStackTraces().keySet())
                .filteredOn(thread -> thread.getName().startsWith("fanfare-io-"))
                .isNotEmpty()
                .allMatch(Thread::isDaemon);
    }

    @Test
    void settingsAreCheckedAtOnce() {
        NettyTransport.Builder builder = NettyTransport.builder(fanfare);

        assertThatThrownBy(() -> builder.port(70_000)).hasMessageContaining("70000");
        assertThatThrownBy(() -> builder.host(" ")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.eventLoopThreads(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.apiKey("")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.route("get", "/", call -> done(null))).hasMessageContaining("upper case");
        assertThatThrownBy(() -> builder.route("GET", "x", call -> done(null))).hasMessageContaining("'/'");
        assertThatThrownBy(() -> builder.openApi().apiKey("k")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> builder.port(1).port(2)).isInstanceOf(IllegalStateException.class);
    }

    // ---- origins

    @Test
    void foreignPagesMayAskButNotChange() {
        connected();

        Answer read = client.get("/echo?say=x", "Origin: https://evil.example");
        assertThat(read.status).isEqualTo(200);
        assertThat(read.headers).doesNotContainKey("access-control-allow-origin");
        assertThat(client.post("/echo", "x", "Origin: http://localhost").status).isEqualTo(200);
        assertThat(client.post("/echo", "x", "Origin: https://evil.example").status)
                .isEqualTo(403);
    }

    @Test
    void allowedPagesAreToldSo() {
        transport = builder().allowedOrigins("https://app.example").start();
        client = RawClient.connect(transport.port());

        Answer answer = client.post("/echo", "x", "Origin: https://app.example");
        assertThat(answer.status).isEqualTo(200);
        assertThat(answer.headers)
                .containsEntry("access-control-allow-origin", "https://app.example")
                .containsEntry("access-control-allow-credentials", "true")
                .containsEntry("vary", "origin");
    }

    @Test
    void preflightIsAnswered() {
        transport = builder().allowedOrigins("https://app.example").start();
        client = RawClient.connect(transport.port());
        String[] asked = {"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-one, content-type"};

        Answer allowed = client.request("OPTIONS", "/echo", "", "Origin: https://app.example", asked[0], asked[1]);
        Answer foreign = client.request("OPTIONS", "/echo", "", "Origin: https://evil.example", asked[0], asked[1]);

        assertThat(allowed.status).isEqualTo(204);
        assertThat(allowed.headers)
                .containsEntry("access-control-allow-methods", "GET, HEAD, POST")
                .containsEntry("access-control-allow-headers", "x-one, content-type");
        assertThat(foreign.headers).doesNotContainKey("access-control-allow-methods");
    }

    // ---- files

    @Test
    void filesAreServedWithTypeAndTag() {
        connected();

        Answer style = client.get("/site/style.css");
        Answer script = client.get("/site/sub/app.js");

        assertThat(style.status).isEqualTo(200);
        assertThat(style.text()).isEqualTo("body{color:red}\n");
        assertThat(style.headers)
                .containsEntry("content-type", "text/css; charset=utf-8")
                .containsEntry("x-content-type-options", "nosniff");
        assertThat(script.headers).containsEntry("content-type", "text/javascript; charset=utf-8");
        assertThat(client.get("/site/style.css", "If-None-Match: " + style.headers.get("etag")).status)
                .isEqualTo(304);
        assertThat(client.get("/site/style.css", "If-None-Match: \"other\"").status)
                .isEqualTo(200);
    }

    @Test
    void folderAnswersWithItsIndex() {
        connected();

        assertThat(client.get("/site/").text()).contains("home");
        Answer redirect = client.get("/site");
        assertThat(redirect.status).isEqualTo(308);
        assertThat(redirect.headers).containsEntry("location", "/site/");
    }

    @Test
    void noPathLeadsOutOfTheFolder() {
        connected();

        for (String path : List.of(
                "/site/../secret.txt",
                "/site/%2e%2e/secret.txt",
                "/site/..%2fsecret.txt",
                "/site/sub/../../secret.txt",
                "/site//etc/passwd",
                "/site/%2fetc/passwd",
                "/site/..%5csecret.txt",
                "/site/%00",
                "/site/.hidden",
                "/site/sub/./app.js",
                "/site/folder.d",
                "/site/sub",
                "/site/sub/",
                "/site/" + "a/".repeat(400) + "b",
                "/site/file:secret.txt")) {
            assertThat(client.get(path).status).as(path).isEqualTo(404);
        }
        assertThat(rejections).as("counted").hasSize(15).containsOnly(Rejection.NOT_FOUND);
    }

    @Test
    void filesOfTheRootDoNotHideOtherRoutes() {
        transport = NettyTransport.builder(fanfare)
                .port(0)
                .files("/", NettyTransportTest.class, "/site")
                .start();
        client = RawClient.connect(transport.port());

        assertThat(client.get("/").text()).contains("home");
        assertThat(client.get("/style.css").status).isEqualTo(200);
        assertThat(client.get("/health/live").text()).isEqualTo("{\"status\":\"up\",\"reasons\":[]}");
    }
}
