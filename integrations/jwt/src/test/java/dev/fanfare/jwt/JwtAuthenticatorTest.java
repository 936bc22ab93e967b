package dev.fanfare.jwt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.fanfare.Authenticator;
import dev.fanfare.Authenticator.Accepted;
import dev.fanfare.ChannelId;
import dev.fanfare.Expiry;
import dev.fanfare.SubscriptionAuthenticator;
import dev.fanfare.SubscriptionAuthenticator.Granted;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JwtAuthenticatorTest {

    private static final byte[] SECRET =
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".getBytes(UTF_8);
    private static final long NOW = 1_800_000_000;
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochSecond(NOW), ZoneOffset.UTC);

    private final JwtAuthenticator tokens = builder().build();

    private static JwtAuthenticator.Builder builder() {
        return JwtAuthenticator.builder(JwtKeys.hmac(JwtAlgorithm.HS256, SECRET))
                .clock(CLOCK);
    }

    private static String token(String claims) throws Exception {
        return Tokens.hmac("HS256", SECRET, claims);
    }

    private static Authenticator.Answer connect(JwtAuthenticator tokens, String token) {
        return tokens.authenticate(Tokens.shown(token)).toCompletableFuture().join();
    }

    private Accepted accepted(String claims) throws Exception {
        return (Accepted) connect(tokens, token(claims));
    }

    private Authenticator.Answer connect(String claims) throws Exception {
        return connect(tokens, token(claims));
    }

    private SubscriptionAuthenticator.Answer subscribe(String claims) throws Exception {
        return tokens.authenticate(Tokens.shown(token(claims), "ann", "chat:a"))
                .toCompletableFuture()
                .join();
    }

    // ---- connections

    @Test
    void aGoodTokenNamesTheUser() throws Exception {
        Accepted ann = accepted("{\"sub\":\"ann\"}");

        assertThat(ann.user()).isEqualTo("ann");
        assertThat(ann.info()).isNull();
        assertThat(ann.channels()).isEmpty();
        assertThat(ann.expiry()).isNull();
    }

    @Test
    void aTokenWithoutSubjectIsAnonymous() throws Exception {
        assertThat(accepted("{}").user()).isEmpty();
    }

    @Test
    void aNumberIsAUserToo() throws Exception {
        assertThat(accepted("{\"sub\":7}").user()).isEqualTo("7");
    }

    @Test
    void noTokenIsUnauthorized() {
        assertThat(connect(tokens, "")).isEqualTo(Authenticator.Rejected.UNAUTHORIZED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"a\":[1,null,\"é\"]}", "[1,2]", "\"text\"", "7", "true"})
    void infoIsHandedOnAsJson(String info) throws Exception {
        assertThat(accepted("{\"sub\":\"ann\",\"info\":" + info + "}").info())
                .isNotNull()
                .satisfies(payload -> assertThat(payload.text()).isEqualTo(info));
    }

    @Test
    void channelsAndSubsNameWhatTheServerSubscribes() throws Exception {
        Accepted ann = accepted("{\"channels\":[\"a\",\"b:c\"],\"subs\":{\"d\":{\"data\":1},\"a\":{}}}");

        assertThat(ann.channels()).containsExactly(ChannelId.of("a"), ChannelId.of("b:c"), ChannelId.of("d"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"channels\":\"a\"}",
                "{\"channels\":[1]}",
                "{\"channels\":[\"\"]}",
                "{\"subs\":[]}",
                "{\"exp\":\"soon\"}",
                "{\"expire_at\":\"soon\"}",
                "[1]",
                "",
                "{\"sub\":\"ann\",\"channel\":\"chat:a\"}",
            })
    void claimsThatMakeNoSenseAreNoToken(String claims) throws Exception {
        assertThat(connect(claims)).isEqualTo(Authenticator.Rejected.INVALID_TOKEN);
    }

    @Test
    void theConnectionLastsUntilExp() throws Exception {
        assertThat(accepted("{\"exp\":" + (NOW + 60) + "}").expiry())
                .isEqualTo(Expiry.prolongedByClient(Instant.ofEpochSecond(NOW + 60)));
    }

    @Test
    void expireAtTakesThePlaceOfExp() throws Exception {
        assertThat(accepted("{\"exp\":" + (NOW + 60) + ",\"expire_at\":" + (NOW + 7) + "}")
                        .expiry())
                .isEqualTo(Expiry.prolongedByClient(Instant.ofEpochSecond(NOW + 7)));
        assertThat(accepted("{\"exp\":" + (NOW + 60) + ",\"expire_at\":0}").expiry())
                .isNull();
    }

    @ParameterizedTest
    @CsvSource({"exp, -1, EXPIRED_TOKEN", "exp, 1, ", "nbf, 1, INVALID_TOKEN", "nbf, -1, "})
    void timesAreKeptToTheSecond(String claim, long fromNow, Authenticator.Rejected refused) throws Exception {
        Authenticator.Answer answer = connect("{\"" + claim + "\":" + (NOW + fromNow) + "}");

        if (refused == null) {
            assertThat(answer).isInstanceOf(Accepted.class);
        } else {
            assertThat(answer).isEqualTo(refused);
        }
    }

    @Test
    void clockSkewProlongsWhatIsHonoured() throws Exception {
        JwtAuthenticator lenient = builder().clockSkew(Duration.ofSeconds(30)).build();

        Accepted late = (Accepted) connect(lenient, token("{\"exp\":" + (NOW - 29) + "}"));

        assertThat(late.expiry()).isEqualTo(Expiry.prolongedByClient(Instant.ofEpochSecond(NOW + 1)));
        assertThat(connect(lenient, token("{\"exp\":" + (NOW - 31) + "}")))
                .isEqualTo(Authenticator.Rejected.EXPIRED_TOKEN);
        assertThat(connect(lenient, token("{\"nbf\":" + (NOW + 29) + "}"))).isInstanceOf(Accepted.class);
    }

    @Test
    void issuerAndAudienceAreDemandedIfNamed() throws Exception {
        JwtAuthenticator strict = builder().issuer("us").audience("fanfare").build();

        assertThat(connect(strict, token("{\"iss\":\"us\",\"aud\":[\"x\",\"fanfare\"]}")))
                .isInstanceOf(Accepted.class);
        for (String wrong : List.of(
                "{}",
                "{\"iss\":\"us\"}",
                "{\"aud\":\"fanfare\"}",
                "{\"iss\":\"them\",\"aud\":\"fanfare\"}",
                "{\"iss\":\"us\",\"aud\":\"x\"}")) {
            assertThat(connect(strict, token(wrong))).as(wrong).isEqualTo(Authenticator.Rejected.INVALID_TOKEN);
        }
    }

    // ---- signatures

    @ParameterizedTest
    @ValueSource(strings = {"HS256", "HS384", "HS512"})
    void secretsServeTheirOwnAlgorithmAndNoOther(String name) throws Exception {
        JwtAuthenticator own = JwtAuthenticator.builder(JwtKeys.hmac(JwtAlgorithm.valueOf(name), SECRET))
                .build();

        for (String each : List.of("HS256", "HS384", "HS512")) {
            assertThat(connect(own, Tokens.hmac(each, SECRET, "{}")) instanceof Accepted)
                    .as(each)
                    .isEqualTo(each.equals(name));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "RS256, RSA, 2048, SHA256withRSA, RS256",
        "ES256, EC, 256, SHA256withECDSAinP1363Format, ES256",
        "EDDSA, Ed25519, 0, Ed25519, EdDSA"
    })
    void publicKeysVerifyWhatTheirPrivateKeysSigned(
            JwtAlgorithm algorithm, String kind, int size, String jdk, String alg) throws Exception {
        KeyPair ours = Tokens.keys(kind, size);
        KeyPair theirs = Tokens.keys(kind, size);
        JwtAuthenticator verifying = JwtAuthenticator.builder(JwtKeys.publicKey(algorithm, ours.getPublic()))
                .build();
        String header = "{\"alg\":\"" + alg + "\"}";

        String good = Tokens.signed(jdk, header, ours.getPrivate(), "{\"sub\":\"ann\"}");
        String forged = Tokens.signed(jdk, header, theirs.getPrivate(), "{\"sub\":\"ann\"}");
        String changed = Tokens.unsigned(header, "{\"sub\":\"bob\"}") + good.substring(good.lastIndexOf('.'));
        String cut = good.substring(0, good.length() - 8);

        assertThat(connect(verifying, good)).isInstanceOf(Accepted.class);
        assertThat(List.of(forged, changed, cut))
                .allSatisfy(bad -> assertThat(connect(verifying, bad)).isEqualTo(Authenticator.Rejected.INVALID_TOKEN));
    }

    /** A public key is no secret: a token that uses it as one must not pass. */
    @ParameterizedTest
    @CsvSource({"RS256, RSA, 2048", "ES256, EC, 256", "EDDSA, Ed25519, 0"})
    void aPublicKeyIsNotTakenForASecret(JwtAlgorithm algorithm, String kind, int size) throws Exception {
        KeyPair keys = Tokens.keys(kind, size);
        JwtAuthenticator verifying = JwtAuthenticator.builder(JwtKeys.publicKey(algorithm, keys.getPublic()))
                .build();

        String confused = Tokens.hmac("HS256", keys.getPublic().getEncoded(), "{\"sub\":\"admin\"}");

        assertThat(connect(verifying, confused)).isEqualTo(Authenticator.Rejected.INVALID_TOKEN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "None", "NONE", "nOnE", "", "HS257"})
    void aTokenWithoutSignatureIsRefused(String alg) {
        String unsigned = Tokens.unsigned("{\"alg\":\"" + alg + "\"}", "{\"sub\":\"admin\"}");

        assertThat(List.of(unsigned, unsigned + ".", unsigned + ".AAAA"))
                .allSatisfy(bad -> assertThat(connect(tokens, bad)).isEqualTo(Authenticator.Rejected.INVALID_TOKEN));
    }

    @Test
    void whatACriticalHeaderDemandsIsNotPassedOver() throws Exception {
        KeyPair keys = Tokens.keys("Ed25519", 0);
        JwtAuthenticator verifying = JwtAuthenticator.builder(JwtKeys.publicKey(JwtAlgorithm.EDDSA, keys.getPublic()))
                .build();

        String token =
                Tokens.signed("Ed25519", "{\"alg\":\"EdDSA\",\"crit\":[\"x\"],\"x\":1}", keys.getPrivate(), "{}");

        assertThat(connect(verifying, token)).isEqualTo(Authenticator.Rejected.INVALID_TOKEN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", ".", "..", "a.b", "a.b.c", "a.b.c.d.e", "é.é.é", "{}", "eyJ.eyJ.x"})
    void garbageIsNoToken(String garbage) {
        assertThat(connect(tokens, garbage)).isEqualTo(Authenticator.Rejected.INVALID_TOKEN);
    }

    @Test
    void anEndlessTokenIsNotRead() throws Exception {
        String endless = token("{\"sub\":\"" + "x".repeat(17_000) + "\"}");

        assertThat(connect(tokens, endless)).isEqualTo(Authenticator.Rejected.INVALID_TOKEN);
    }

    @Test
    void eitherOfTwoSecretsServesWhileTheyAreChanged() throws Exception {
        byte[] next = "fedcba9876543210fedcba9876543210".getBytes(UTF_8);
        JwtAuthenticator both = JwtAuthenticator.builder(
                        JwtKeys.anyOf(JwtKeys.hmac(JwtAlgorithm.HS256, next), JwtKeys.hmac(JwtAlgorithm.HS256, SECRET)))
                .build();

        assertThat(connect(both, Tokens.hmac("HS256", next, "{}"))).isInstanceOf(Accepted.class);
        assertThat(connect(both, Tokens.hmac("HS256", SECRET, "{}"))).isInstanceOf(Accepted.class);
    }

    @Test
    void keysThatDoNotServeTheAlgorithmAreRefusedAtOnce() throws Exception {
        assertThatIllegalArgumentException().isThrownBy(() -> JwtAuthenticator.hmac("short"));
        assertThatIllegalArgumentException().isThrownBy(() -> JwtKeys.hmac(JwtAlgorithm.HS512, new byte[63]));
        assertThatIllegalArgumentException().isThrownBy(() -> JwtKeys.hmac(JwtAlgorithm.RS256, SECRET));
        KeyPair weak = Tokens.keys("RSA", 1024);
        KeyPair otherCurve = Tokens.keys("EC", 384);
        assertThatIllegalArgumentException().isThrownBy(() -> JwtKeys.publicKey(JwtAlgorithm.RS256, weak.getPublic()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> JwtKeys.publicKey(JwtAlgorithm.ES256, otherCurve.getPublic()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> JwtKeys.publicKey(JwtAlgorithm.HS256, otherCurve.getPublic()));
    }

    @Test
    void aShortSecretServesWhenItIsFilledUp() throws Exception {
        byte[] filled = java.util.Arrays.copyOf("secret".getBytes(UTF_8), 32);
        JwtAuthenticator lax = JwtAuthenticator.builder(JwtKeys.hmac(JwtAlgorithm.HS256, filled))
                .build();

        assertThat(connect(lax, Tokens.hmac("HS256", "secret".getBytes(UTF_8), "{}")))
                .isInstanceOf(Accepted.class);
    }

    @Test
    void nothingSecretIsTold() {
        String secret = new String(SECRET, StandardCharsets.UTF_8);

        assertThat(JwtAuthenticator.hmac(secret)).hasToString("JwtAuthenticator[HS256]");
        assertThat(Tokens.shown("a token").toString()).doesNotContain("a token");
        assertThat(Tokens.shown("a token", "ann", "chat:a").toString()).doesNotContain("a token");
    }

    // ---- subscriptions

    @Test
    void aSubscriptionTokenGrantsItsChannelToItsUser() throws Exception {
        Granted granted = (Granted) subscribe("{\"sub\":\"ann\",\"channel\":\"chat:a\",\"exp\":" + (NOW + 5) + "}");

        assertThat(granted.expiry()).isEqualTo(Expiry.prolongedByClient(Instant.ofEpochSecond(NOW + 5)));
        assertThat(((Granted) subscribe("{\"sub\":\"ann\",\"channel\":\"chat:a\"}")).expiry())
                .isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"sub\":\"ann\",\"channel\":\"chat:b\"}",
                "{\"sub\":\"bob\",\"channel\":\"chat:a\"}",
                "{\"channel\":\"chat:a\"}",
                "{\"sub\":\"ann\",\"channel\":\"chat:a\",\"client\":\"c2\"}"
            })
    void aTokenOfSomebodyElseIsNotForYou(String claims) throws Exception {
        assertThat(subscribe(claims)).isEqualTo(SubscriptionAuthenticator.Rejected.NOT_FOR_YOU);
    }

    @Test
    void aSubscriptionTokenCanBeExpiredOrWrong() throws Exception {
        assertThat(subscribe("{\"sub\":\"ann\",\"channel\":\"chat:a\",\"exp\":" + (NOW - 1) + "}"))
                .isEqualTo(SubscriptionAuthenticator.Rejected.EXPIRED_TOKEN);
        assertThat(subscribe("{\"sub\":\"ann\"}")).isEqualTo(SubscriptionAuthenticator.Rejected.INVALID_TOKEN);
    }

    @Test
    void whatIsSetTwiceIsAMistake() {
        JwtAuthenticator.Builder builder = builder();
        builder.issuer("a").audience("b").clockSkew(Duration.ofSeconds(1));

        assertThatIllegalStateException().isThrownBy(() -> builder.issuer("a"));
        assertThatIllegalStateException().isThrownBy(() -> builder.audience("b"));
        assertThatIllegalStateException().isThrownBy(() -> builder.clockSkew(Duration.ofSeconds(1)));
        assertThatIllegalStateException().isThrownBy(() -> builder.clock(CLOCK));
    }
}
