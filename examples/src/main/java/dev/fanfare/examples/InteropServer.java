package dev.fanfare.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.fanfare.Authenticator;
import dev.fanfare.Authorizer;
import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ClientLimits;
import dev.fanfare.Fanfare;
import dev.fanfare.Rate;
import dev.fanfare.SubscriptionAuthenticator;
import dev.fanfare.jwt.JwtAlgorithm;
import dev.fanfare.jwt.JwtAuthenticator;
import dev.fanfare.jwt.JwtKeys;
import dev.fanfare.netty.NettyTransport;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What the test suites of the published Centrifuge SDKs expect to find: their namespaces, their secret, and
 * nobody who forbids anything. A client needs no token, but one that it sends must be good.
 */
final class InteropServer {

    private static final String SECRET = "secret";
    private static final int SHORTEST_KEY = 32;
    private static final Duration FIVE_MINUTES = Duration.ofMinutes(5);

    private InteropServer() {}

    static Server start(String host, int port) {
        JwtAuthenticator tokens = tokens();
        Fanfare fanfare = Fanfare.builder()
                .namespace("", InteropServer::withoutNamespace)
                .namespace("recovery", rules -> retained(rules, 100))
                .namespace("smallhistory", rules -> retained(rules, 2))
                .namespace("delta", rules -> retained(rules, 100).deltas())
                .authorizer(Authorizer.allowAll())
                .subscriptionAuthenticator(credentials -> subscription(tokens, credentials))
                .limits(ClientLimits.unlimited())
                .build();
        return DemoServer.listening(
                fanfare,
                () -> NettyTransport.builder(fanfare)
                        .host(host)
                        .connectRate(Rate.unlimited())
                        .port(port)
                        .authenticator(new TokenIfAny(tokens))
                        .openApi()
                        .allowedOrigins("*")
                        .start());
    }

    /** With presence as the suites know it: each connection joins and leaves at once, and everybody hears of it. */
    private static ChannelRules.Builder withoutNamespace(ChannelRules.Builder rules) {
        return retained(rules, 100)
                .deltas()
                .presenceForAll()
                .presencePerConnection()
                .presenceGrace(Duration.ZERO);
    }

    /** Whatever is retained can be recovered; some suites publish what is not JSON. */
    private static ChannelRules.Builder retained(ChannelRules.Builder rules, int count) {
        return rules.retain(count, FIVE_MINUTES).binary();
    }

    /** Makes the suites' secret as long as a key must be; HMAC pads shorter keys with zeros itself (RFC 2104). */
    private static JwtAuthenticator tokens() {
        byte[] key = Arrays.copyOf(SECRET.getBytes(UTF_8), SHORTEST_KEY);
        return JwtAuthenticator.builder(JwtKeys.hmac(JwtAlgorithm.HS256, key)).build();
    }

    /** A subscription never expires, either. */
    private static CompletionStage<SubscriptionAuthenticator.Answer> subscription(
            SubscriptionAuthenticator tokens, SubscriptionAuthenticator.Credentials credentials) {
        return tokens.authenticate(credentials)
                .thenApply(answer -> answer instanceof SubscriptionAuthenticator.Granted
                        ? SubscriptionAuthenticator.Granted.forever()
                        : answer);
    }

    /**
     * Lets everybody in; a user with a token is subscribed to a channel of its own. A connection never
     * expires, whatever the token says.
     */
    private record TokenIfAny(Authenticator tokens) implements Authenticator {

        @Override
        public CompletionStage<Answer> authenticate(Credentials credentials) {
            if (credentials.token().isEmpty()) {
                return CompletableFuture.completedFuture(Accepted.user(""));
            }
            return tokens.authenticate(credentials).thenApply(TokenIfAny::admitted);
        }

        private static Answer admitted(Answer answer) {
            if (!(answer instanceof Accepted accepted) || accepted.user().isEmpty()) {
                return answer;
            }
            return accepted.withExpiry(null).withChannels(List.of(ChannelId.of("#" + accepted.user())));
        }
    }
}
