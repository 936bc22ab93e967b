package dev.fanfare.netty.centrifuge;

import static java.util.Objects.requireNonNull;

import dev.fanfare.spi.Mailboxes;
import io.netty.channel.EventLoop;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Where the commands of a client arrive whose connection carries only what is said to it: brings them to its
 * session, on the session's event loop, strictly in the order in which they reached this node.
 *
 * <p><i>Bounds.</i> {@value #MAX_WAITING_BYTES} bytes and one message more wait for the event loop; beyond it
 * the sender is refused.
 *
 * <p><b>Threading:</b> messages come on any thread; all else is confined to the event loop.
 */
final class Inbox {

    private static final int MAX_WAITING_BYTES = 256 * 1024;
    private static final int SECRET_BYTES = 16;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final EventLoop loop;
    private final Emulated address;
    private final Mailboxes.Mailbox mailbox;
    private final AtomicInteger waitingBytes = new AtomicInteger();
    private @Nullable Session session;

    /**
     * Opens one, under a new secret.
     *
     * @throws dev.fanfare.RefusedException if the node has too many
     */
    Inbox(Mailboxes mailboxes, String node, EventLoop loop) {
        this.loop = loop;
        this.address = new Emulated(node, secret());
        this.mailbox = mailboxes.open(address.session(), this::arrived);
    }

    private static String secret() {
        byte[] secret = new byte[SECRET_BYTES];
        RANDOM.nextBytes(secret);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
    }

    Emulated address() {
        return address;
    }

    /** Brings messages to that session from now on; nobody knows the address before. */
    void leadTo(Session session) {
        this.session = session;
    }

    /** Takes nothing any more. */
    void close() {
        mailbox.close();
    }

    private boolean arrived(byte[] message) {
        if (waitingBytes.get() > MAX_WAITING_BYTES) {
            return false;
        }
        waitingBytes.addAndGet(message.length);
        try {
            loop.execute(() -> handOver(message));
        } catch (RejectedExecutionException closing) {
            return false;
        }
        return true;
    }

    private void handOver(byte[] message) {
        waitingBytes.addAndGet(-message.length);
        Session receiver = requireNonNull(session, "session");
        ClientOutlet outlet = receiver.outlet();
        if (!outlet.isEnding()) {
            outlet.beginRead();
            receiver.receive(message);
            outlet.endRead();
        }
    }
}
