package dev.fanfare.examples;

import dev.fanfare.Authenticator;
import dev.fanfare.Authenticator.Accepted;
import dev.fanfare.Authenticator.Rejected;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.DeliveryClass;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Fanfare;
import dev.fanfare.RpcHandler;
import dev.fanfare.RpcHandler.Reply;
import dev.fanfare.jwt.JwtAuthenticator;
import dev.fanfare.netty.HttpAnswer;
import dev.fanfare.netty.HttpCall;
import dev.fanfare.netty.NettyTransport;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A server for published clients to be tried against. A token is the user's name, a signed token, or a ticket; namespaces: {@code
 * room} keeps 100 publications and has presence, {@code short} keeps 3, {@code plain} none, {@code delta} keeps
 * 100 and gives differences, {@code tagged} keeps 100 and filters, {@code value} resumes with the newest.
 */
final class TestServer implements AutoCloseable {

    static final String API_KEY = "test";
    static final String SECRET = "a secret of the tests, long enough";

    private static final JwtAuthenticator TOKENS = JwtAuthenticator.hmac(SECRET);

    private final ForgetfulStore store = new ForgetfulStore();
    private final Server server;

    private TestServer() {
        Fanfare fanfare = Fanfare.builder()
                .store(store)
                .namespace(
                        "room",
                        rules -> rules.retain(100, Duration.ofHours(1))
                                .presence()
                                .presenceGrace(Duration.ZERO))
                .namespace("short", rules -> rules.retain(3, Duration.ofHours(1)))
                .namespace("plain", rules -> rules)
                .namespace(
                        "delta", rules -> rules.retain(100, Duration.ofHours(1)).deltas())
                .namespace(
                        "tagged",
                        rules -> rules.retain(100, Duration.ofHours(1)).filters())
                .namespace(
                        "sampled",
                        rules -> rules.retain(100, Duration.ofHours(1)).delivery(DeliveryClass.sampled(2)))
                .namespace(
                        "value", rules -> rules.retain(10, Duration.ofHours(1)).resumeWithLatest())
                .authorizer(access())
                .subscriptionAuthenticator(TOKENS)
                .rpcHandler(TestServer::call)
                .build();
        server = new Server(
                fanfare,
                NettyTransport.builder(fanfare)
                        .host("127.0.0.1")
                        .port(0)
                        .apiKey(API_KEY)
                        .authenticator(fanfare.tickets().before(TestServer::authenticate))
                        .route("POST", "/test/disconnect", this::disconnect)
                        .route("POST", "/test/unsubscribe", this::unsubscribe)
                        .route("POST", "/test/lose", this::lose)
                        .start());
    }

    static TestServer start() {
        return new TestServer();
    }

    Fanfare fanfare() {
        return server.fanfare();
    }

    String url() {
        return "http://127.0.0.1:" + server.port();
    }

    @Override
    public void close() {
        server.close();
    }

    private static Authorizer access() {
        return (user, action, channel) -> !channel.value().endsWith(":forbidden");
    }

    private static CompletionStage<Authenticator.Answer> authenticate(Authenticator.Credentials credentials) {
        if (credentials.token().startsWith("eyJ")) {
            return TOKENS.authenticate(credentials);
        }
        return CompletableFuture.completedFuture(
                switch (credentials.token()) {
                    case "nobody knows" -> Rejected.INVALID_TOKEN;
                    case "expired" -> Rejected.EXPIRED_TOKEN;
                    default -> Accepted.user(credentials.token());
                });
    }

    private static CompletionStage<Reply> call(RpcHandler.Call call) {
        return switch (call.method()) {
            case "echo" -> CompletableFuture.completedFuture(new Reply.Ok(call.data()));
            case "fail" -> CompletableFuture.completedFuture(new Reply.Failed(450, "no luck today"));
            case "throw" -> throw new IllegalStateException("thrown on purpose, by a test");
            default -> CompletableFuture.completedFuture(Reply.Unknown.METHOD);
        };
    }

    private CompletionStage<HttpAnswer> disconnect(HttpCall call) {
        DisconnectReason reason = DisconnectReason.valueOf(call.query().get("reason"));
        return done(fanfare().connections().disconnect(call.query().get("user"), reason));
    }

    private CompletionStage<HttpAnswer> unsubscribe(HttpCall call) {
        return done(fanfare().connections().unsubscribe(call.query().get("user"), channel(call)));
    }

    private CompletionStage<HttpAnswer> lose(HttpCall call) {
        store.lose(channel(call));
        return done(CompletableFuture.completedFuture(null));
    }

    private static ChannelId channel(HttpCall call) {
        return ChannelId.of(call.query().get("channel"));
    }

    private static CompletionStage<HttpAnswer> done(CompletionStage<Void> stage) {
        return stage.thenApply(nothing -> HttpAnswer.json(200, "{}"));
    }
}
