package dev.fanfare.jwt;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.util.Base64URL;
import dev.fanfare.Authenticator;
import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.SubscriptionAuthenticator;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Instant;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Signs tokens by the JDK alone, so that the library is not its own judge. */
final class Tokens {

    private Tokens() {}

    static String hmac(String algorithm, byte[] secret, String claims) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA" + algorithm.substring(2));
        mac.init(new SecretKeySpec(secret, mac.getAlgorithm()));
        String signed = unsigned("{\"alg\":\"" + algorithm + "\",\"typ\":\"JWT\"}", claims);
        return signed + "." + Base64URL.encode(mac.doFinal(signed.getBytes(UTF_8)));
    }

    /** Signs with a private key, by the JDK's name of the algorithm. */
    static String signed(String jdk, String header, PrivateKey key, String claims) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(jdk);
        signature.initSign(key);
        String signed = unsigned(header, claims);
        signature.update(signed.getBytes(UTF_8));
        return signed + "." + Base64URL.encode(signature.sign());
    }

    static String unsigned(String header, String claims) {
        return Base64URL.encode(header) + "." + Base64URL.encode(claims);
    }

    static KeyPair keys(String algorithm, int size) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
        if (size > 0) {
            generator.initialize(size);
        }
        return generator.generateKeyPair();
    }

    static Authenticator.Credentials shown(String token) {
        return new Authenticator.Credentials(token, null, Map.of(), Map.of(), "127.0.0.1", "websocket/json");
    }

    static SubscriptionAuthenticator.Credentials shown(String token, String user, String channel) {
        ConnectionInfo connection = new ConnectionInfo("c1", user, "websocket/json", Instant.EPOCH, null);
        return new SubscriptionAuthenticator.Credentials(connection, ChannelId.of(channel), token);
    }
}
