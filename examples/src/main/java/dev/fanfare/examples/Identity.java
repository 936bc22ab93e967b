package dev.fanfare.examples;

import dev.fanfare.ChannelId;
import dev.fanfare.Fanfare;
import dev.fanfare.jwt.JwtAlgorithm;
import dev.fanfare.jwt.JwtAuthenticator;
import dev.fanfare.jwt.JwtKeys;
import dev.fanfare.netty.NettyTransport;

/** The sample that README quotes: who is who, by signed tokens and one-time tickets. */
final class Identity {

    private Identity() {}

    static Server start(int port, byte[] secret) {
        // README: begin
        JwtAuthenticator tokens = JwtAuthenticator.builder(JwtKeys.hmac(JwtAlgorithm.HS256, secret)) // or jwks(…)
                .issuer("https://login.example.com")
                .audience("fanfare")
                .build();
        Fanfare fanfare = Fanfare.builder()
                .authorizer((user, action, channel) -> channel.value().equals("lobby"))
                .subscriptionAuthenticator(tokens) // a token for one channel opens that channel
                .build();
        NettyTransport transport = NettyTransport.builder(fanfare)
                .port(port)
                .authenticator(fanfare.tickets().before(tokens)) // or a one-time ticket, good in a URL
                .start();

        fanfare.connections().unsubscribe("ann", ChannelId.of("board")); // when a permission ends early
        // README: end
        return new Server(fanfare, transport);
    }
}
