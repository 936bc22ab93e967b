package dev.fanfare.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.fanfare.Authenticator;
import dev.fanfare.Authenticator.Accepted;
import dev.fanfare.Authenticator.Rejected;
import dev.fanfare.ChannelId;
import dev.fanfare.Expiry;
import dev.fanfare.Payload;
import dev.fanfare.RefusedException;
import dev.fanfare.memory.MemoryStore;
import dev.fanfare.testkit.ManualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** One-time tickets, made on one node and shown on another. */
@ExtendWith(Quiet.class)
class TicketTest {

    private final ManualTime time = new ManualTime();
    private final MemoryStore store = MemoryStore.create(time);
    private final ManualNode here = ManualNode.open(store, time, builder -> builder);
    private final ManualNode there = ManualNode.open(store, time, builder -> builder);
    private final Authenticator gate = there.fanfare
            .tickets()
            .before(credentials -> CompletableFuture.completedFuture(Accepted.user("other " + credentials.token())));

    @AfterEach
    void close() {
        here.close();
        there.close();
    }

    private String issue(Accepted accepted) {
        return here.await(here.fanfare.tickets().issue(accepted));
    }

    private Authenticator.Answer show(String token, Map<String, String> query) {
        return there.await(
                gate.authenticate(new Authenticator.Credentials(token, null, Map.of(), query, "127.0.0.1", "test")));
    }

    private Authenticator.Answer show(String token) {
        return show(token, Map.of());
    }

    @Test
    void aTicketLetsInAsWhatItWasMadeFor() {
        Expiry expiry = Expiry.prolongedByClient(Instant.ofEpochMilli(12_345));
        Accepted let = (Accepted) show(issue(Accepted.user("ann smith")
                .withInfo(Payload.of("{\"é\":1}"))
                .withData(Payload.wrap(new byte[] {0, -1}))
                .withChannels(List.of(ChannelId.of("a b"), ChannelId.of("c:%")))
                .withExpiry(expiry)));

        assertThat(let.user()).isEqualTo("ann smith");
        assertThat(let.info()).isEqualTo(Payload.of("{\"é\":1}"));
        assertThat(let.data()).isEqualTo(Payload.wrap(new byte[] {0, -1}));
        assertThat(let.channels()).containsExactly(ChannelId.of("a b"), ChannelId.of("c:%"));
        assertThat(let.expiry()).isEqualTo(expiry);
    }

    @Test
    void aTicketForNobodyInParticularIsForTheAnonymousUser() {
        Accepted let = (Accepted) show(issue(Accepted.user("")));

        assertThat(let.user()).isEmpty();
        assertThat(let.info()).isNull();
        assertThat(let.data()).isNull();
        assertThat(let.channels()).isEmpty();
        assertThat(let.expiry()).isNull();
    }

    @Test
    void aTicketIsGoodOnce() {
        String ticket = issue(Accepted.user("ann"));

        assertThat(show(ticket)).isInstanceOf(Accepted.class);
        assertThat(show(ticket)).isEqualTo(Rejected.EXPIRED_TOKEN);
    }

    /** Both have looked and found it; only one can spend it. */
    @Test
    void ofTwoWhoShowItAtATimeOneIsLetIn() {
        String ticket = issue(Accepted.user("ann"));
        Authenticator.Credentials shown =
                new Authenticator.Credentials(ticket, null, Map.of(), Map.of(), "127.0.0.1", "test");
        Authenticator alsoHere = here.fanfare.tickets().before(Authenticator.anonymous());

        var first = gate.authenticate(shown).toCompletableFuture();
        var second = alsoHere.authenticate(shown).toCompletableFuture();
        here.settle();
        there.settle();

        assertThat(List.of(first.join() instanceof Accepted, second.join() instanceof Accepted))
                .containsExactlyInAnyOrder(true, false);
    }

    @Test
    void aTicketIsGoodForThirtySeconds() {
        String soon = issue(Accepted.user("ann"));
        String late = issue(Accepted.user("ann"));

        time.advance(Duration.ofSeconds(29));
        assertThat(show(soon)).isInstanceOf(Accepted.class);
        time.advance(Duration.ofSeconds(2));
        assertThat(show(late)).isEqualTo(Rejected.EXPIRED_TOKEN);
    }

    @Test
    void aTicketCanStandInTheUrl() {
        String ticket = issue(Accepted.user("ann"));

        assertThat(show("", Map.of("ticket", ticket))).isInstanceOf(Accepted.class);
    }

    @Test
    void whatIsNoTicketIsLeftToTheOther() {
        assertThat(((Accepted) show("eyJ")).user()).isEqualTo("other eyJ");
        assertThat(((Accepted) show("", Map.of("ticket", "x"))).user()).isEqualTo("other ");
        assertThat(show("t1.made-up")).isEqualTo(Rejected.EXPIRED_TOKEN);
    }

    @Test
    void ticketsAreLongAndNeverTheSame() {
        String one = issue(Accepted.user("ann"));
        String two = issue(Accepted.user("ann"));

        assertThat(one).hasSize(46).isNotEqualTo(two);
    }

    @Test
    void whatATicketIsGoodForHasABound() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> here.fanfare.tickets().issue(Accepted.user("x".repeat(17_000))));
    }

    @Test
    void ticketsAreMadeUpToABound() {
        for (int i = 0; i < 100_000; i++) {
            var unused = here.fanfare.tickets().issue(Accepted.user("ann"));
        }

        var refused = here.fanfare.tickets().issue(Accepted.user("ann")).toCompletableFuture();
        assertThatThrownBy(refused::join).hasCauseInstanceOf(RefusedException.class);
        time.advance(Duration.ofSeconds(31));
        assertThat(show(issue(Accepted.user("ann")))).isInstanceOf(Accepted.class);
    }
}
