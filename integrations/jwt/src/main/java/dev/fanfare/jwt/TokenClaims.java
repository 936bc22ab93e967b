package dev.fanfare.jwt;

import com.nimbusds.jose.util.JSONArrayUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import dev.fanfare.Authenticator;
import dev.fanfare.ChannelId;
import dev.fanfare.Expiry;
import dev.fanfare.Payload;
import dev.fanfare.SubscriptionAuthenticator;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Date;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Puts the claims of a verified token in Fanfare's words. Immutable.
 */
final class TokenClaims {

    private static final String CHANNEL = "channel";
    private static final String EXPIRE_AT = "expire_at";

    private final Duration skew;

    TokenClaims(Duration skew) {
        this.skew = skew;
    }

    Authenticator.Answer connection(JWTClaimsSet claims) throws ParseException {
        if (claims.getClaim(CHANNEL) != null) {
            return Authenticator.Rejected.INVALID_TOKEN; // a subscription token
        }
        return Authenticator.Accepted.user(user(claims))
                .withInfo(info(claims.getClaim("info")))
                .withChannels(channels(claims))
                .withExpiry(expiry(claims));
    }

    SubscriptionAuthenticator.Answer subscription(JWTClaimsSet claims, SubscriptionAuthenticator.Credentials shown)
            throws ParseException {
        String channel = claims.getStringClaim(CHANNEL);
        String client = claims.getStringClaim("client");
        if (channel == null) {
            return SubscriptionAuthenticator.Rejected.INVALID_TOKEN; // a connection token
        }
        boolean isForThis = channel.equals(shown.channel().value())
                && user(claims).equals(shown.connection().user())
                && (client == null || client.equals(shown.connection().id()));
        if (!isForThis) {
            return SubscriptionAuthenticator.Rejected.NOT_FOR_YOU;
        }
        Expiry expiry = expiry(claims);
        return expiry == null
                ? SubscriptionAuthenticator.Granted.forever()
                : SubscriptionAuthenticator.Granted.until(expiry);
    }

    private static String user(JWTClaimsSet claims) {
        return claims.getSubject() == null ? "" : claims.getSubject();
    }

    private @Nullable Expiry expiry(JWTClaimsSet claims) throws ParseException {
        Long expireAt = claims.getLongClaim(EXPIRE_AT);
        if (expireAt != null) {
            return expireAt > 0 ? Expiry.prolongedByClient(instant(expireAt)) : null;
        }
        Date exp = claims.getExpirationTime();
        return exp == null ? null : Expiry.prolongedByClient(exp.toInstant().plus(skew));
    }

    /** Takes what is beyond all time, such as nanoseconds, for its end. */
    private static Instant instant(long seconds) {
        return Instant.ofEpochSecond(Math.min(seconds, Instant.MAX.getEpochSecond()));
    }

    private static List<ChannelId> channels(JWTClaimsSet claims) throws ParseException {
        Set<String> names = new LinkedHashSet<>();
        List<String> channels = claims.getStringListClaim("channels");
        if (channels != null) {
            names.addAll(channels);
        }
        Map<String, Object> subs = claims.getJSONObjectClaim("subs");
        if (subs != null) {
            names.addAll(subs.keySet());
        }
        return ids(names);
    }

    private static List<ChannelId> ids(Collection<String> names) throws ParseException {
        for (String name : names) {
            if (name == null || !ChannelId.isValid(name)) {
                throw new ParseException("not a channel's name", 0);
            }
        }
        return names.stream().map(ChannelId::of).toList();
    }

    /** Returns any JSON value as text. */
    private static @Nullable Payload info(@Nullable Object value) {
        if (value == null) {
            return null;
        }
        String array = JSONArrayUtils.toJSONString(List.of(value));
        return Payload.of(array.substring(1, array.length() - 1));
    }
}
